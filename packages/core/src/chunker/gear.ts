/**
 * The keyed table of the rolling gear hash that finds where content says "cut here" (docs/format.md, Chunking).
 *
 * Without the key nobody can tell from the sizes of chunks which file they come from. The hash itself, h = 2h +
 * table[byte] modulo 2^32, is a kernel.
 */
import type { GearTable } from '@mbk/kernels';
import { hkdf } from '../crypto/hash.ts';
import { viewOf } from '../format/bytes.ts';

export { gearScanner, gearWindow, type GearScanner, type GearTable } from '@mbk/kernels';

/** The gear table of a keyset's `chunker` subkey. */
export function gearTable(chunkerKey: Uint8Array): GearTable {
  const view = viewOf(hkdf(chunkerKey, new Uint8Array(0), 'mbk/1 gear', 1024));
  return Int32Array.from({ length: 256 }, (_, i) => view.getInt32(i * 4, true));
}
