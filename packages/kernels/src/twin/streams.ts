/** Splitting into streams and joining, one element at a time. */
import { planTermBytes, type StreamKernels } from '../stream-kernels.ts';

type Splits = Pick<
  StreamKernels,
  | 'splitFloat16'
  | 'joinFloat16'
  | 'splitFloat32'
  | 'joinFloat32'
  | 'gatherField'
  | 'scatterField'
  | 'mergeBits'
  | 'spreadBits'
  | 'mergeFifths'
  | 'spreadFifths'
  | 'clearRange'
  | 'copyRange'
  | 'equalRanges'
>;

export function twinSplits(bytes: Uint8Array): Splits {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number): number => view.getUint8(offset);
  const signLast = (word: number): number => ((word << 1) | (word >> 15)) & 0xffff;
  const signFirst = (word: number): number => ((word >> 1) | (word << 15)) & 0xffff;
  const setBits = (offset: number, bits: number): void => view.setUint8(offset, at(offset) | bits);

  return {
    splitFloat16(from, count, high, low) {
      for (let i = 0; i < count; i += 1) {
        const word = signLast(view.getUint16(from + 2 * i, true));
        view.setUint8(high + i, word >> 8);
        view.setUint8(low + i, word & 255);
      }
    },

    joinFloat16(to, count, high, low) {
      for (let i = 0; i < count; i += 1) {
        view.setUint16(to + 2 * i, signFirst((at(high + i) << 8) | at(low + i)), true);
      }
    },

    splitFloat32(from, count, streams) {
      for (let i = 0; i < count; i += 1) {
        const word = signLast(view.getUint16(from + 4 * i + 2, true));
        view.setUint8(streams + i, word >> 8);
        view.setUint8(streams + count + i, word & 255);
        view.setUint8(streams + 2 * count + i, at(from + 4 * i + 1));
        view.setUint8(streams + 3 * count + i, at(from + 4 * i));
      }
    },

    joinFloat32(to, count, streams) {
      for (let i = 0; i < count; i += 1) {
        view.setUint8(to + 4 * i, at(streams + 3 * count + i));
        view.setUint8(to + 4 * i + 1, at(streams + 2 * count + i));
        view.setUint16(to + 4 * i + 2, signFirst((at(streams + i) << 8) | at(streams + count + i)), true);
      }
    },

    gatherField(from, stride, width, count, to) {
      for (let i = 0; i < count; i += 1) {
        bytes.copyWithin(to + i * width, from + i * stride, from + i * stride + width);
      }
    },

    scatterField(to, stride, width, count, from) {
      for (let i = 0; i < count; i += 1) {
        bytes.copyWithin(to + i * stride, from + i * width, from + i * width + width);
      }
    },

    mergeBits(from, stride, count, plan, rows, terms, to) {
      let place = to;
      for (let unit = from; unit < from + stride * count; unit += stride) {
        for (let row = 0; row < rows; row += 1) {
          for (let i = 0; i < 16; i += 1) {
            let merged = 0;
            for (let k = 0; k < terms; k += 1) {
              const term = plan + (row * terms + k) * planTermBytes;
              merged |= ((at(unit + at(term) + i) >> at(term + 1)) & at(term + 2)) << at(term + 3);
            }
            view.setUint8(place, merged);
            place += 1;
          }
        }
      }
    },

    spreadBits(to, stride, count, plan, rows, terms, from) {
      let place = from;
      for (let unit = to; unit < to + stride * count; unit += stride) {
        for (let row = 0; row < rows; row += 1) {
          for (let i = 0; i < 16; i += 1) {
            for (let k = 0; k < terms; k += 1) {
              const term = plan + (row * terms + k) * planTermBytes;
              setBits(unit + at(term) + i, ((at(place) >> at(term + 3)) & at(term + 2)) << at(term + 1));
            }
            place += 1;
          }
        }
      }
    },

    mergeFifths(from, stride, count, bits, nibbles, pairs, lows) {
      for (let n = 0; n < count; n += 1) {
        const unit = from + n * stride;
        const fifths = view.getUint32(unit + bits, true);
        let lowest = 0;
        for (let i = 0; i < 16; i += 1) {
          const halves = at(unit + nibbles + i);
          const first = (halves & 15) | (((fifths >>> i) & 1) << 4);
          const last = (halves >> 4) | (((fifths >>> (16 + i)) & 1) << 4);
          view.setUint8(pairs + 16 * n + i, (first >> 1) | ((last >> 1) << 4));
          lowest |= ((first & 1) << i) | ((last & 1) << (16 + i));
        }
        view.setUint32(lows + 4 * n, lowest >>> 0, true);
      }
    },

    spreadFifths(to, stride, count, bits, nibbles, pairs, lows) {
      for (let n = 0; n < count; n += 1) {
        const unit = to + n * stride;
        const lowest = view.getUint32(lows + 4 * n, true);
        let fifths = 0;
        for (let i = 0; i < 16; i += 1) {
          const pair = at(pairs + 16 * n + i);
          const first = ((pair & 15) << 1) | ((lowest >>> i) & 1);
          const last = ((pair >> 4) << 1) | ((lowest >>> (16 + i)) & 1);
          view.setUint8(unit + nibbles + i, (first & 15) | ((last & 15) << 4));
          fifths |= ((first >> 4) << i) | ((last >> 4) << (16 + i));
        }
        view.setUint32(unit + bits, fifths >>> 0, true);
      }
    },

    clearRange(from, length) {
      bytes.fill(0, from, from + length);
    },

    copyRange(from, length, to) {
      bytes.copyWithin(to, from, from + length);
    },

    equalRanges(a, b, length) {
      for (let i = 0; i < length; i += 1) if (at(a + i) !== at(b + i)) return false;
      return true;
    },
  };
}
