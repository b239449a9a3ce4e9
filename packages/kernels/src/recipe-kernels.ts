/**
 * What a kernel for casts and quantisations does, whoever does it: WebAssembly (wasm-recipes.ts) or its plain twin
 * (twin/recipes.ts), always with the same answer, which docs/format.md defines (The derive codec). All ranges are offsets
 * in `bytes`; the caller has checked that they lie there, and those of input and output are apart.
 */

export interface RecipeKernels {
  readonly bytes: Uint8Array;

  /** `count` numbers of 16 bits as F32; exact. */
  widenBF16(from: number, count: number, to: number): void;
  widenF16(from: number, count: number, to: number): void;
  /** `count` numbers F32 as BF16 or F16, to the nearest, ties to even. */
  roundBF16(from: number, count: number, to: number): void;
  roundF16(from: number, count: number, to: number): void;
  /** `count` numbers F32 as BF16: the upper halves of their bits. */
  cutBF16(from: number, count: number, to: number): void;
  /** `blocks` blocks of 32 numbers F32 as ggml's reference quantiser makes them. */
  quantiseQ8_0(from: number, blocks: number, to: number): void;
  /** `isFused`: multiplied and added with one rounding, as compilers may. */
  quantiseQ4_0(from: number, blocks: number, to: number, isFused: boolean): void;
  quantiseQ4_1(from: number, blocks: number, to: number, isFused: boolean): void;
  quantiseQ5_0(from: number, blocks: number, to: number, isFused: boolean): void;
  quantiseQ5_1(from: number, blocks: number, to: number, isFused: boolean): void;
}
