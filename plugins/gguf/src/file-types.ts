/**
 * `general.file_type` (llama.h, enum llama_ftype): a name, the type that most weights then have, and the one that
 * llama-quant.cpp takes instead where rows are no whole blocks.
 */

import type { Dtype } from '@mbk/plugin-sdk';

export interface FileType {
  readonly name: string;
  readonly dtype: Dtype;
}

const fileTypes: Readonly<Record<number, readonly [name: string, dtype: Dtype]>> = {
  0: ['F32', 'F32'],
  1: ['F16', 'F16'],
  2: ['Q4_0', 'Q4_0'],
  3: ['Q4_1', 'Q4_1'],
  4: ['Q4_1, some F16', 'Q4_1'],
  7: ['Q8_0', 'Q8_0'],
  8: ['Q5_0', 'Q5_0'],
  9: ['Q5_1', 'Q5_1'],
  10: ['Q2_K', 'Q2_K'],
  11: ['Q3_K_S', 'Q3_K'],
  12: ['Q3_K_M', 'Q3_K'],
  13: ['Q3_K_L', 'Q3_K'],
  14: ['Q4_K_S', 'Q4_K'],
  15: ['Q4_K_M', 'Q4_K'],
  16: ['Q5_K_S', 'Q5_K'],
  17: ['Q5_K_M', 'Q5_K'],
  18: ['Q6_K', 'Q6_K'],
  19: ['IQ2_XXS', 'IQ2_XXS'],
  20: ['IQ2_XS', 'IQ2_XS'],
  21: ['Q2_K_S', 'Q2_K'],
  22: ['IQ3_XS', 'IQ3_S'],
  23: ['IQ3_XXS', 'IQ3_XXS'],
  24: ['IQ1_S', 'IQ1_S'],
  25: ['IQ4_NL', 'IQ4_NL'],
  26: ['IQ3_S', 'IQ3_S'],
  27: ['IQ3_M', 'IQ3_S'],
  28: ['IQ2_S', 'IQ2_XS'],
  29: ['IQ2_M', 'IQ2_S'],
  30: ['IQ4_XS', 'IQ4_XS'],
  31: ['IQ1_M', 'IQ1_M'],
  32: ['BF16', 'BF16'],
  36: ['TQ1_0', 'TQ1_0'],
  37: ['TQ2_0', 'TQ2_0'],
  38: ['MXFP4 MoE', 'MXFP4'],
  39: ['NVFP4', 'NVFP4'],
  40: ['Q1_0', 'Q1_0'],
  41: ['Q2_0', 'Q2_0'],
};

const fallbacks: Partial<Readonly<Record<Dtype, Dtype>>> = {
  TQ1_0: 'Q4_0',
  TQ2_0: 'Q4_0',
  Q2_K: 'IQ4_NL',
  Q3_K: 'IQ4_NL',
  IQ1_S: 'IQ4_NL',
  IQ1_M: 'IQ4_NL',
  IQ2_XXS: 'IQ4_NL',
  IQ2_XS: 'IQ4_NL',
  IQ2_S: 'IQ4_NL',
  IQ3_XXS: 'IQ4_NL',
  IQ3_S: 'IQ4_NL',
  IQ4_XS: 'IQ4_NL',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
};

/** Set in the value where a tool guessed it (LLAMA_FTYPE_GUESSED). */
const guessed = 1024;

/** What a `general.file_type` says; undefined for one that was removed or never given. */
export function fileTypeOf(value: number): FileType | undefined {
  const found = fileTypes[value & ~guessed];
  return found && { name: found[0], dtype: found[1] };
}

/** What stands for `dtype` where rows are no whole blocks of it. */
export function fallbackOf(dtype: Dtype): Dtype | undefined {
  return fallbacks[dtype];
}
