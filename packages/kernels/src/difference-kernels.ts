/**
 * Numbers as their difference from those of a base, whoever takes it: WebAssembly (wasm-differences.ts) or its plain twin
 * (twin/twin-differences.ts), always with the same answer. All ranges are offsets in `bytes`; the caller has checked that
 * they lie there, and those of input and output are apart.
 *
 * The difference d of a number and that of the base, modulo 2^bits and with a sign, becomes z = 2d, or −2d − 1 where d < 0.
 * Floats count as their rank among all floats: u where the first bit is 0, −u − 1 where it is 1, u being what the other
 * bits say. That is exact for all bits: infinities, NaNs and −0 are patterns like others.
 *
 * A z of 16 bits or more is a token, a byte, and the bits that the token does not tell, its rest: z below 4 is its own
 * token; one of L ≥ 3 bits has 4 (L − 2) + its second and third bit, and a rest of L − 3 bits.
 */

export interface DifferenceKernels {
  readonly bytes: Uint8Array;

  /** Makes `count` numbers of 16, 32 or 64 bits their z, and writes the token of each. */
  differ16(numbers: number, base: number, count: number, isFloat: boolean, tokens: number): void;
  differ32(numbers: number, base: number, count: number, isFloat: boolean, tokens: number): void;
  differ64(numbers: number, base: number, count: number, isFloat: boolean, tokens: number): void;
  /** Makes `count` z the numbers again. */
  undiffer16(numbers: number, base: number, count: number, isFloat: boolean): void;
  undiffer32(numbers: number, base: number, count: number, isFloat: boolean): void;
  undiffer64(numbers: number, base: number, count: number, isFloat: boolean): void;
  /** Makes `count` numbers of `bits` bits, 1 to 8, a byte each whose upper bits are 0, their z. Floats have 8 bits. */
  differ8(numbers: number, base: number, count: number, bits: number, isFloat: boolean): void;
  undiffer8(numbers: number, base: number, count: number, bits: number, isFloat: boolean): void;

  /** How many bits the rests of `count` tokens have. */
  restBits(tokens: number, count: number): number;
  /** Writes the rests of `count` z to `to`, the lowest bit of each first; the end of the last byte. 8 bytes more are written. */
  writeRest16(z: number, tokens: number, count: number, to: number): number;
  writeRest32(z: number, tokens: number, count: number, to: number): number;
  writeRest64(z: number, tokens: number, count: number, to: number): number;
  /** Makes the z of `count` tokens of numbers of this size, with the rests at `from`, behind which 8 bytes are looked at. */
  readRest16(tokens: number, count: number, from: number, z: number): void;
  readRest32(tokens: number, count: number, from: number, z: number): void;
  readRest64(tokens: number, count: number, from: number, z: number): void;

  /**
   * The class of each of `count` numbers of `size` bytes (1, 2, 4 or 8): its bits but the first, shifted to the right by
   * `shift`, less `low`, and no less than 0 or more than 15. `low` is below 4096, and so is what is shifted.
   */
  classesOf(numbers: number, count: number, size: number, shift: number, low: number, classes: number): void;
  /** The upper four bits of `count` numbers of `bits` bits, a byte each. */
  upperBits(numbers: number, count: number, bits: number, classes: number): void;
}
