/** Casts and ggml's reference quantiser, one number at a time: the oracle for the kernels in WebAssembly. */
import type { RecipeKernels } from '../recipe-kernels.ts';

const blockElements = 32;
const greatest = Math.fround(3.402_823_466_385_288_6e38);

/** The plain kernels over `bytes`; they keep nothing. */
export function twinRecipes(bytes: Uint8Array): RecipeKernels {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isNaN32 = (bits: number): boolean => (bits & 0x7fff_ffff) > 0x7f80_0000;

  const setHalf = (at: number, value: number): void => view.setFloat16(at, value, true);
  const blockAt = (from: number): number[] =>
    Array.from({ length: blockElements }, (_, i) => view.getFloat32(from + 4 * i, true));

  /** Each of `numbers` less `zero`, times the inverse of `scale`, plus `half`, cut to an integer of at most `most`. */
  const levelsOf = (numbers: readonly number[], how: Levels): number[] => {
    const { zero, scale, half, most, isFused } = how;
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    return numbers.map((number) => {
      const product = Math.fround(number - zero) * inverse;
      return Math.min(most, whole(Math.fround((isFused ? product : Math.fround(product)) + half)));
    });
  };

  /** The low halves of bytes are those of the first numbers, the high halves those of the last. */
  const setNibbles = (at: number, levels: readonly number[]): void => {
    for (let i = 0; i < 16; i += 1) {
      view.setUint8(at + i, ((levels[i] ?? 0) & 15) | (((levels[i + 16] ?? 0) & 15) << 4));
    }
  };
  const setFifths = (at: number, levels: readonly number[]): void => {
    view.setUint32(
      at,
      levels.reduce((bits, level, i) => bits + (level >> 4) * 2 ** i, 0),
      true,
    );
  };

  /** Around zero: the number of the largest size becomes the lowest level. */
  const quantiseAround = (from: number, blocks: number, to: number, bits: 4 | 5, isFused: boolean): void => {
    const size = bits === 4 ? 18 : 22;
    const middle = 2 ** (bits - 1);
    for (let block = 0; block < blocks; block += 1) {
      const at = to + size * block;
      const numbers = blockAt(from + 4 * blockElements * block);
      let extreme = 0;
      for (const number of numbers) if (Math.abs(extreme) < Math.abs(number)) extreme = number;
      const scale = Math.fround(extreme / -middle);
      const levels = levelsOf(numbers, { zero: 0, scale, half: middle + 0.5, most: 2 * middle - 1, isFused });
      setHalf(at, scale);
      if (bits === 5) setFifths(at + 2, levels);
      setNibbles(at + size - 16, levels);
    }
  };

  /** From the least number on. */
  const quantiseFrom = (from: number, blocks: number, to: number, bits: 4 | 5, isFused: boolean): void => {
    const size = bits === 4 ? 20 : 24;
    const most = 2 ** bits - 1;
    for (let block = 0; block < blocks; block += 1) {
      const at = to + size * block;
      const numbers = blockAt(from + 4 * blockElements * block);
      let least = greatest;
      let largest = -greatest;
      for (const number of numbers) {
        if (number < least) least = number;
        if (number > largest) largest = number;
      }
      const scale = Math.fround(Math.fround(largest - least) / most);
      const levels = levelsOf(numbers, { zero: least, scale, half: 0.5, most, isFused });
      setHalf(at, scale);
      setHalf(at + 2, least);
      if (bits === 5) setFifths(at + 4, levels);
      setNibbles(at + size - 16, levels);
    }
  };

  return {
    bytes,

    widenBF16(from, count, to) {
      for (let i = 0; i < count; i += 1) view.setUint32(to + 4 * i, view.getUint16(from + 2 * i, true) << 16, true);
    },

    widenF16(from, count, to) {
      for (let i = 0; i < count; i += 1) {
        const bits = view.getUint16(from + 2 * i, true);
        if ((bits & 0x7fff) > 0x7c00) {
          view.setUint32(to + 4 * i, ((bits & 0x8000) << 16) | 0x7fc0_0000 | ((bits & 0x3ff) << 13), true);
        } else {
          view.setFloat32(to + 4 * i, view.getFloat16(from + 2 * i, true), true);
        }
      }
    },

    roundBF16(from, count, to) {
      for (let i = 0; i < count; i += 1) {
        const bits = view.getUint32(from + 4 * i, true);
        const high = bits >>> 16;
        const low = bits & 0xffff;
        const isUp = low > 0x8000 || (low === 0x8000 && high % 2 === 1);
        view.setUint16(to + 2 * i, isNaN32(bits) ? high | 0x40 : high + (isUp ? 1 : 0), true);
      }
    },

    roundF16(from, count, to) {
      for (let i = 0; i < count; i += 1) {
        const bits = view.getUint32(from + 4 * i, true);
        if (isNaN32(bits)) {
          view.setUint16(to + 2 * i, ((bits >>> 16) & 0x8000) | 0x7e00 | ((bits >>> 13) & 0x3ff), true);
        } else {
          setHalf(to + 2 * i, view.getFloat32(from + 4 * i, true));
        }
      }
    },

    cutBF16(from, count, to) {
      for (let i = 0; i < count; i += 1) view.setUint16(to + 2 * i, view.getUint16(from + 4 * i + 2, true), true);
    },

    quantiseQ8_0(from, blocks, to) {
      for (let block = 0; block < blocks; block += 1) {
        const at = to + 34 * block;
        const numbers = blockAt(from + 4 * blockElements * block);
        let size = 0;
        for (const number of numbers) if (size < Math.abs(number)) size = Math.abs(number);
        const scale = Math.fround(size / 127);
        const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
        setHalf(at, scale);
        for (const [i, number] of numbers.entries()) {
          const scaled = Math.fround(number * inverse);
          view.setInt8(at + 2 + i, Math.sign(scaled) * whole(Math.abs(scaled) + 0.5));
        }
      }
    },

    quantiseQ4_0: (from, blocks, to, isFused) => quantiseAround(from, blocks, to, 4, isFused),
    quantiseQ4_1: (from, blocks, to, isFused) => quantiseFrom(from, blocks, to, 4, isFused),
    quantiseQ5_0: (from, blocks, to, isFused) => quantiseAround(from, blocks, to, 5, isFused),
    quantiseQ5_1: (from, blocks, to, isFused) => quantiseFrom(from, blocks, to, 5, isFused),
  };
}

interface Levels {
  readonly zero: number;
  readonly scale: number;
  readonly half: number;
  readonly most: number;
  readonly isFused: boolean;
}

/** The integer part; 0 of what is not finite. */
function whole(number: number): number {
  return Number.isFinite(number) ? Math.trunc(number) : 0;
}
