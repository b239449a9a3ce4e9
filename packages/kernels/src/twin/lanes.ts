/** Huffman codes in four lanes, one bit or symbol at a time. */
import { laneCountsBytes, longestCode, type StreamKernels } from '../stream-kernels.ts';

type Lanes = Pick<StreamKernels, 'laneCounts' | 'makeEncodeTable' | 'encodeLanes' | 'makeDecodeTable' | 'decodeLanes'>;

/** Entries of a decode table. */
const entries = 1 << longestCode;

export function twinLanes(bytes: Uint8Array): Lanes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number): number => view.getUint8(offset);

  /** The symbols of a code in order, each with its code, first bit lowest. */
  const codesOf = (lengths: number): { readonly symbol: number; readonly length: number; readonly code: number }[] => {
    const codes = [];
    let code = 0;
    for (let length = 1; length <= longestCode; length += 1) {
      for (let symbol = 0; symbol < 256; symbol += 1) {
        if (at(lengths + symbol) !== length) continue;
        codes.push({ symbol, length, code: reversed(code, length) });
        code += 1;
      }
      code *= 2;
    }
    return codes;
  };

  const encodeLane = (table: number, from: number, end: number, to: number, stop: number): void => {
    bytes.fill(0, to, stop);
    let bit = 0;
    for (let i = from; i < end; i += 1) {
      const entry = table + 8 * at(i);
      const length = at(entry);
      const code = view.getUint32(entry + 4, true) >>> (32 - length);
      for (let k = 0; k < length; k += 1, bit += 1) {
        const place = to + (bit >> 3);
        if (place < stop) view.setUint8(place, at(place) | (((code >> k) & 1) << (bit & 7)));
      }
    }
  };

  const decodeLane = (single: number, from: number, length: number, to: number, stop: number): boolean => {
    let bit = 0;
    const next = (): number => {
      let bits = 0;
      for (let k = 0; k < longestCode; k += 1) {
        const byte = (bit + k) >> 3;
        if (byte < length) bits |= ((at(from + byte) >> ((bit + k) & 7)) & 1) << k;
      }
      return bits;
    };
    for (let i = to; i < stop; i += 1) {
      if (bit >= 8 * length) return false;
      const entry = single + 2 * next();
      view.setUint8(i, at(entry + 1));
      bit += at(entry);
    }
    return bit <= 8 * length && 8 * length - bit <= 7 && next() === 0;
  };

  return {
    laneCounts(tables, from, count) {
      bytes.fill(0, tables, tables + laneCountsBytes);
      const quarter = Math.ceil(count / 4);
      for (let i = 0; i < count; i += 1) {
        const counter = tables + 1024 * Math.floor(i / quarter) + 4 * at(from + i);
        view.setUint32(counter, view.getUint32(counter, true) + 1, true);
      }
    },

    makeEncodeTable(lengths, table) {
      for (const { symbol, length, code } of codesOf(lengths)) {
        view.setUint32(table + 8 * symbol, length, true);
        view.setUint32(table + 8 * symbol + 4, code << (32 - length), true);
      }
    },

    encodeLanes(table, a, endA, toA, stopA, b, endB, toB, stopB) {
      encodeLane(table, a, endA, toA, stopA);
      encodeLane(table, b, endB, toB, stopB);
    },

    makeDecodeTable(lengths, table) {
      let used = 0;
      for (let symbol = 0; symbol < 256; symbol += 1) {
        const length = at(lengths + symbol);
        if (length > longestCode) return false;
        if (length > 0) used += entries >> length;
      }
      if (used !== entries) return false;
      const single = table + 8 * entries;
      for (const { symbol, length, code } of codesOf(lengths)) {
        for (let i = code; i < entries; i += 1 << length) {
          view.setUint8(single + 2 * i, length);
          view.setUint8(single + 2 * i + 1, symbol);
        }
      }
      for (let i = 0; i < entries; i += 1) {
        let bits = 0;
        let found = 0;
        let symbols = 0;
        for (; found < 4; found += 1) {
          const entry = single + 2 * (i >> bits);
          if (bits + at(entry) > longestCode) break;
          bits += at(entry);
          symbols |= at(entry + 1) << (8 * found);
        }
        view.setUint32(table + 8 * i, symbols >>> 0, true);
        view.setUint32(table + 8 * i + 4, bits | (found << 8), true);
      }
      return true;
    },

    decodeLanes(table, from, lengths, to, count) {
      const single = table + 8 * entries;
      const quarter = Math.ceil(count / 4);
      let lane = from;
      for (const [k, length] of lengths.entries()) {
        const start = Math.min(to + k * quarter, to + count);
        if (!decodeLane(single, lane, length, start, Math.min(start + quarter, to + count))) return false;
        lane += length;
      }
      return true;
    },
  };
}

/** The lowest `length` bits of `code` in the opposite order. */
function reversed(code: number, length: number): number {
  let turned = 0;
  for (let i = 0; i < length; i += 1) turned |= ((code >> i) & 1) << (length - 1 - i);
  return turned;
}
