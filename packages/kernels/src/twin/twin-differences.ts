/** The differences of numbers in plain TypeScript, one number at a time: the oracle for those in WebAssembly. */
import type { DifferenceKernels } from '../difference-kernels.ts';

/** The plain kernels over `bytes`; they keep nothing. */
export function twinDifferences(bytes: Uint8Array): DifferenceKernels {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  const read = (at: number, size: number): bigint => {
    let value = 0n;
    for (let i = size - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(view.getUint8(at + i));
    return value;
  };
  const write = (at: number, size: number, value: bigint): void => {
    for (let i = 0; i < size; i += 1) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 255n));
  };

  const differ =
    (size: number) =>
    (numbers: number, base: number, count: number, isFloat: boolean, tokens: number): void => {
      for (let i = 0; i < count; i += 1) {
        const z = zOf(read(numbers + size * i, size), read(base + size * i, size), 8 * size, isFloat);
        write(numbers + size * i, size, z);
        view.setUint8(tokens + i, tokenOf(z));
      }
    };
  const undiffer =
    (size: number) =>
    (numbers: number, base: number, count: number, isFloat: boolean): void => {
      for (let i = 0; i < count; i += 1) {
        const at = numbers + size * i;
        write(at, size, numberOf(read(at, size), read(base + size * i, size), 8 * size, isFloat));
      }
    };

  const writeRest =
    (size: number) =>
    (z: number, tokens: number, count: number, to: number): number => {
      let bits = 0n;
      let held = 0;
      let end = to;
      const put = (isLast: boolean): void => {
        while (held >= 8 || (isLast && held > 0)) {
          view.setUint8(end, Number(bits & 255n));
          end += 1;
          bits >>= 8n;
          held -= 8;
        }
      };
      for (let i = 0; i < count; i += 1) {
        const rest = restOf(view.getUint8(tokens + i));
        bits |= (read(z + size * i, size) & ((1n << BigInt(rest)) - 1n)) << BigInt(held);
        held += rest;
        put(false);
      }
      put(true);
      return end;
    };
  const readRest =
    (size: number) =>
    (tokens: number, count: number, from: number, z: number): void => {
      let bit = 0;
      for (let i = 0; i < count; i += 1) {
        const token = view.getUint8(tokens + i);
        const rest = restOf(token);
        const bytesOf = Math.ceil(((bit & 7) + rest) / 8);
        const bits = (read(from + (bit >> 3), bytesOf) >> BigInt(bit & 7)) & ((1n << BigInt(rest)) - 1n);
        bit += rest;
        const top = BigInt(token < 4 ? token : (token & 3) | 4);
        write(z + size * i, size, (top << BigInt(rest)) | bits);
      }
    };

  return {
    bytes,
    differ16: differ(2),
    differ32: differ(4),
    differ64: differ(8),
    undiffer16: undiffer(2),
    undiffer32: undiffer(4),
    undiffer64: undiffer(8),

    differ8(numbers, base, count, bits, isFloat) {
      for (let i = 0; i < count; i += 1)
        write(numbers + i, 1, zOf(read(numbers + i, 1), read(base + i, 1), bits, isFloat));
    },

    undiffer8(numbers, base, count, bits, isFloat) {
      for (let i = 0; i < count; i += 1)
        write(numbers + i, 1, numberOf(read(numbers + i, 1), read(base + i, 1), bits, isFloat));
    },

    restBits(tokens, count) {
      let sum = 0;
      for (let i = 0; i < count; i += 1) sum += restOf(view.getUint8(tokens + i));
      return sum;
    },

    writeRest16: writeRest(2),
    writeRest32: writeRest(4),
    writeRest64: writeRest(8),
    readRest16: readRest(2),
    readRest32: readRest(4),
    readRest64: readRest(8),

    classesOf(numbers, count, size, shift, low, classes) {
      for (let i = 0; i < count; i += 1) {
        const value = BigInt.asUintN(8 * size - 1, read(numbers + size * i, size)) >> BigInt(shift);
        view.setUint8(classes + i, Math.min(Math.max(Number(value) - low, 0), 15));
      }
    },

    upperBits(numbers, count, bits, classes) {
      for (let i = 0; i < count; i += 1)
        view.setUint8(classes + i, (view.getUint8(numbers + i) >> Math.max(bits - 4, 0)) & 15);
    },
  };
}

function rank(u: bigint, bits: number): bigint {
  const value = BigInt.asUintN(bits - 1, u);
  return value === u ? value : -value - 1n;
}

function zOf(u: bigint, base: bigint, bits: number, isFloat: boolean): bigint {
  const d = BigInt.asIntN(bits, isFloat ? rank(u, bits) - rank(base, bits) : u - base);
  return d < 0n ? -2n * d - 1n : 2n * d;
}

function numberOf(z: bigint, base: bigint, bits: number, isFloat: boolean): bigint {
  const d = (z & 1n) === 1n ? -(z + 1n) / 2n : z / 2n;
  if (!isFloat) return BigInt.asUintN(bits, base + d);
  const ord = BigInt.asIntN(bits, rank(base, bits) + d);
  return ord < 0n ? -(ord + 1n) + (1n << BigInt(bits - 1)) : ord;
}

function tokenOf(z: bigint): number {
  if (z < 4n) return Number(z);
  const { length } = z.toString(2);
  return 4 * (length - 2) + Number((z >> BigInt(length - 3)) & 3n);
}

/** Bits of the rest. */
function restOf(token: number): number {
  return Math.max((token >> 2) - 1, 0);
}
