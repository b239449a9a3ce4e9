/** docs/gguf.md: `general.alignment`, a u32, 32 unless given. llama.cpp takes powers of two only. */

import type { GgufKeyValue } from './header.ts';

export const defaultAlignment = 32;

/** The alignment that this key-value gives, or undefined if it is none. */
export function alignmentIn({ scalar, type }: GgufKeyValue): number | undefined {
  const alignment = type === 'u32' ? Number(scalar) : 0;
  return alignment > 0 && Number.isInteger(Math.log2(alignment)) ? alignment : undefined;
}
