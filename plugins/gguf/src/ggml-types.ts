/** The type ids of ggml (ggml.h, enum ggml_type); their blocks stand in the plugin contract's table of dtypes. */

import { blockOf, type Dtype } from '@mbk/plugin-sdk';

const dtypes: Readonly<Record<number, Dtype>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
  41: 'Q1_0',
  42: 'Q2_0',
};

/** Types that files once had and no reader knows any more; the last six were interleaved forms of Q4_0 and IQ4_NL. */
const removed: Readonly<Record<number, string>> = {
  4: 'Q4_2',
  5: 'Q4_3',
  31: 'Q4_0_4_4',
  32: 'Q4_0_4_8',
  33: 'Q4_0_8_8',
  36: 'IQ4_NL_4_4',
  37: 'IQ4_NL_4_8',
  38: 'IQ4_NL_8_8',
};

/** The dtype of a ggml type id; undefined for one that was removed or never given. */
export function ggmlDtype(typeId: number): Dtype | undefined {
  return dtypes[typeId];
}

/** The name of a type that was removed. */
export function removedGgmlType(typeId: number): string | undefined {
  return removed[typeId];
}

/** Whether elements share blocks with scales. */
export function isQuantised(dtype: Dtype): boolean {
  return blockOf(dtype).elements > 1;
}
