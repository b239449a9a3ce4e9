/** The type ids of ggml (ggml.h, enum ggml_type); their blocks stand in the plugin contract's table of dtypes. */

import type { Dtype } from '@mbk/plugin-sdk';

const dtypes: Readonly<Record<number, Dtype>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  // 4 and 5 were Q4_2 and Q4_3.
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
  // 31 to 33 were interleaved forms of Q4_0, 36 to 38 of IQ4_NL.
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
  41: 'Q1_0',
  42: 'Q2_0',
};

/** The dtype of a ggml type id; undefined for one that was removed or never given. */
export function ggmlDtype(typeId: number): Dtype | undefined {
  return dtypes[typeId];
}
