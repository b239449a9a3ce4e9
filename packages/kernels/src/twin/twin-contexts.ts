/** The coder of symbols with contexts in plain TypeScript, one symbol at a time: the oracle for the one in WebAssembly. */
import {
  contextCountsBytes,
  contextDecodeTableBytes,
  contextEncodeTableBytes,
  type ContextKernels,
  contextWeightSum,
} from '../context-kernels.ts';

/** States of a lane are from here on, and below this times 65,536. */
const least = 32_768;

/** The plain kernels over `bytes`; they keep nothing. */
export function twinContexts(bytes: Uint8Array): ContextKernels {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number): number => view.getUint8(offset);

  const quartersOf = (count: number): { readonly start: number; readonly end: number }[] => {
    const quarter = Math.ceil(count / 4);
    return [0, 1, 2, 3].map((k) => ({ start: Math.min(k * quarter, count), end: Math.min((k + 1) * quarter, count) }));
  };

  const weightsOf = (weights: number): number[] =>
    Array.from({ length: 256 }, (_, symbol) => view.getUint16(weights + 2 * symbol, true));

  /** One lane, last symbol first, as its bytes. */
  const encodeLane = (tables: number, contexts: number, symbols: number, start: number, end: number): number[] => {
    const lane: number[] = [];
    let x = least;
    for (let i = end - 1; i >= start; i -= 1) {
      const entry = tables + at(contexts + i) * contextEncodeTableBytes + 16 * at(symbols + i);
      if (x >= view.getUint32(entry + 8, true)) {
        lane.unshift(x & 255, (x >> 8) & 255);
        x >>>= 16;
      }
      const weight = contextWeightSum - view.getUint16(entry + 12, true);
      const addend = view.getUint32(entry + 4, true);
      const from = weight === 1 ? addend - (contextWeightSum - 1) : addend;
      x = Math.floor(x / weight) * contextWeightSum + (x % weight) + from;
    }
    return [x & 255, (x >> 8) & 255, (x >> 16) & 255, x >>> 24, ...lane];
  };

  return {
    bytes,

    findContexts(next, map, known, symbols, count, contexts) {
      for (const { start, end } of quartersOf(count)) {
        let state = 0;
        for (let i = start; i < end; i += 1) {
          view.setUint8(contexts + i, at(map + 64 * at(known + i) + state));
          state = at(next + 256 * state + at(symbols + i));
        }
      }
    },

    countContexts(counts, contexts, symbols, count) {
      for (let i = 0; i < count; i += 1) {
        const counter = counts + at(contexts + i) * contextCountsBytes + 4 * at(symbols + i);
        view.setUint32(counter, view.getUint32(counter, true) + 1, true);
      }
    },

    sumCounts(counts, contexts, sums) {
      for (let context = 0; context < contexts; context += 1) {
        let sum = 0;
        for (let symbol = 0; symbol < 256; symbol += 1)
          sum += view.getUint32(counts + contextCountsBytes * context + 4 * symbol, true);
        view.setUint32(sums + 4 * context, sum, true);
      }
    },

    translate(from, count, table) {
      for (let i = from; i < from + count; i += 1) view.setUint8(i, at(table + at(i)));
    },

    makeContextEncodeTable(weights, table) {
      let start = 0;
      for (const [symbol, weight] of weightsOf(weights).entries()) {
        if (weight === 0) continue;
        const entry = table + 16 * symbol;
        const shift = Math.max(Math.ceil(Math.log2(weight)) - 1, 0);
        view.setUint32(entry, weight === 1 ? 0xffff_ffff : Math.ceil(2 ** (shift + 32) / weight), true);
        view.setUint32(entry + 4, weight === 1 ? start + contextWeightSum - 1 : start, true);
        view.setUint32(entry + 8, weight * 16 * least, true);
        view.setUint16(entry + 12, contextWeightSum - weight, true);
        view.setUint16(entry + 14, shift, true);
        start += weight;
      }
    },

    encodeContexts(tables, contexts, symbols, count, to, sizes) {
      let end = to;
      for (const [k, quarter] of quartersOf(count).entries()) {
        const lane = encodeLane(tables, contexts, symbols, quarter.start, quarter.end);
        bytes.set(lane, end);
        end += lane.length;
        view.setUint32(sizes + 4 * k, lane.length, true);
      }
      return end;
    },

    makeContextDecodeTable(weights, table) {
      const all = weightsOf(weights);
      if (all.reduce((sum, weight) => sum + weight, 0) !== contextWeightSum) return false;
      let to = table;
      for (const [symbol, weight] of all.entries()) {
        for (let place = 0; place < weight; place += 1, to += 4) {
          view.setUint32(to, (weight - 1) * 2 ** 20 + place * 256 + symbol, true);
        }
      }
      return true;
    },

    decodeContexts(tables, next, map, known, from, lengths, to, count) {
      let start = from;
      for (const [k, quarter] of quartersOf(count).entries()) {
        const length = lengths[k] ?? 0;
        const end = start + length;
        if (length < 4) return false;
        let x = view.getUint32(start, true);
        if (x < least || x >= least * 65_536) return false;
        let place = start + 4;
        let state = 0;
        for (let i = quarter.start; i < quarter.end; i += 1) {
          const table = tables + at(map + 64 * at(known + i) + state) * contextDecodeTableBytes;
          const entry = view.getUint32(table + 4 * (x % contextWeightSum), true);
          const symbol = entry & 255;
          view.setUint8(to + i, symbol);
          state = at(next + 256 * state + symbol);
          x = ((entry >>> 20) + 1) * Math.floor(x / contextWeightSum) + ((entry >> 8) & (contextWeightSum - 1));
          if (x >= least) continue;
          if (place + 2 > end) return false;
          x = x * 65_536 + view.getUint16(place, true);
          place += 2;
        }
        if (x !== least || place !== end) return false;
        start = end;
      }
      return true;
    },
  };
}
