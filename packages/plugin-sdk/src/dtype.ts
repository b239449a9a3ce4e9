/**
 * One name for each type of element, whatever container it lies in. Plain types are named as safetensors names them,
 * quantised ones as ggml does; each has a block: so many elements in so many bytes, the unit that a cut must not split.
 */

/** `elements` elements lie together in `bytes` bytes. */
export interface Block {
  readonly elements: number;
  readonly bytes: number;
}

/** A name of the canonical table: plain types, then ggml's block formats. */
export type Dtype =
  | 'BOOL'
  | 'U8'
  | 'I8'
  | 'U16'
  | 'I16'
  | 'U32'
  | 'I32'
  | 'U64'
  | 'I64'
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'C64'
  | 'C128'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'F4'
  | 'Q1_0'
  | 'Q2_0'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q8_1'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'Q8_K'
  | 'IQ1_S'
  | 'IQ1_M'
  | 'IQ2_XXS'
  | 'IQ2_XS'
  | 'IQ2_S'
  | 'IQ3_XXS'
  | 'IQ3_S'
  | 'IQ4_NL'
  | 'IQ4_XS'
  | 'TQ1_0'
  | 'TQ2_0'
  | 'MXFP4'
  | 'NVFP4';

const blocks: Readonly<Record<Dtype, readonly [elements: number, bytes: number]>> = {
  BOOL: [1, 1],
  U8: [1, 1],
  I8: [1, 1],
  U16: [1, 2],
  I16: [1, 2],
  U32: [1, 4],
  I32: [1, 4],
  U64: [1, 8],
  I64: [1, 8],
  F64: [1, 8],
  F32: [1, 4],
  F16: [1, 2],
  BF16: [1, 2],
  C64: [1, 8],
  C128: [1, 16],
  F8_E4M3: [1, 1],
  F8_E5M2: [1, 1],
  F8_E8M0: [1, 1],
  F8_E4M3FNUZ: [1, 1],
  F8_E5M2FNUZ: [1, 1],
  F6_E2M3: [4, 3],
  F6_E3M2: [4, 3],
  F4: [2, 1],
  // ggml block formats: ggml-common.h, QK_* elements and sizeof(block_*).
  Q1_0: [128, 18],
  Q2_0: [64, 18],
  Q4_0: [32, 18],
  Q4_1: [32, 20],
  Q5_0: [32, 22],
  Q5_1: [32, 24],
  Q8_0: [32, 34],
  Q8_1: [32, 36],
  Q2_K: [256, 84],
  Q3_K: [256, 110],
  Q4_K: [256, 144],
  Q5_K: [256, 176],
  Q6_K: [256, 210],
  Q8_K: [256, 292],
  IQ1_S: [256, 50],
  IQ1_M: [256, 56],
  IQ2_XXS: [256, 66],
  IQ2_XS: [256, 74],
  IQ2_S: [256, 82],
  IQ3_XXS: [256, 98],
  IQ3_S: [256, 110],
  IQ4_NL: [32, 18],
  IQ4_XS: [256, 136],
  TQ1_0: [256, 54],
  TQ2_0: [256, 66],
  MXFP4: [32, 17],
  NVFP4: [64, 36],
};

/** Whether `name` is in the canonical table. */
export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(blocks, name);
}

/** The block of a canonical dtype; undefined for a name that is not in the table. */
export function blockOf(dtype: Dtype): Block;
export function blockOf(dtype: string): Block | undefined;
export function blockOf(dtype: string): Block | undefined {
  if (!isDtype(dtype)) return undefined;
  const [elements, bytes] = blocks[dtype];
  return { elements, bytes };
}
