/** What is left of numbers that are foretold, one at a time. */
import type { StreamKernels } from '../stream-kernels.ts';

type Rows = Pick<StreamKernels, 'differRows' | 'sumRows'>;

export function twinRows(bytes: Uint8Array): Rows {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const load = (at: number, size: 2 | 4): number => (size === 2 ? view.getInt16(at, true) : view.getInt32(at, true));
  const store = (at: number, size: 2 | 4, value: number): void =>
    size === 2 ? view.setInt16(at, value, true) : view.setInt32(at, value, true);
  /** As a number with a sign of 8 · `size` bits. */
  const wrapped = (value: number, size: 2 | 4): number => (size === 2 ? (value << 16) >> 16 : value | 0);
  const turned = (value: number, size: 2 | 4, isFloat: boolean): number =>
    isFloat && value < 0 ? wrapped(value ^ (size === 2 ? 0x7fff : 0x7fff_ffff), size) : value;
  const foretold = (at: number, size: 2 | 4, distance: number, order: number, isFloat: boolean): number => {
    const before = (n: number): number => turned(load(at - n * distance * size, size), size, isFloat);
    if (order === 1) return before(1);
    if (order === 2) return 2 * before(1) - before(2);
    return 3 * before(1) - 3 * before(2) + before(3);
  };

  return {
    differRows(from, count, size, distance, order, isFloat, z, tokens) {
      for (let i = 0; i < count; i += 1) {
        const at = from + i * size;
        const number = turned(load(at, size), size, isFloat);
        const d = wrapped(number - foretold(at, size, distance, order, isFloat), size);
        const value = d < 0 ? -2 * d - 1 : 2 * d;
        store(z + i * size, size, value);
        const length = 32 - Math.clz32(value);
        bytes[tokens + i] = value < 4 ? value : ((length - 2) << 2) | ((value >>> (length - 3)) & 3);
      }
    },

    sumRows(numbers, count, size, distance, order, isFloat) {
      for (let i = 0; i < count; i += 1) {
        const at = numbers + i * size;
        const z = size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
        const d = z % 2 === 0 ? z / 2 : -(z + 1) / 2;
        store(at, size, turned(wrapped(d + foretold(at, size, distance, order, isFloat), size), size, isFloat));
      }
    },
  };
}
