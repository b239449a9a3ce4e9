import type { Backend } from './backend.ts';
import { isMbkError } from '../errors.ts';

/** Why no bytes came: nothing is there, or more than any entry of its kind may have, or less than the storage claimed. */
export type Unread = 'absent' | 'oversized' | 'short';

/** The bytes under `key`, unless they are more than `limit`: its size is asked for before anything is allocated. */
export async function readBounded(
  backend: Backend,
  key: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array | Unread> {
  const status = await backend.stat(key, { signal });
  if (status === undefined) return 'absent';
  if (status.size > limit) return 'oversized';
  try {
    const bytes = await backend.get(key, { offset: 0, length: status.size, signal });
    return bytes.byteLength === status.size ? bytes : 'short';
  } catch (error) {
    if (isMbkError(error, 'entry-absent')) return 'absent';
    if (isMbkError(error, 'backend-read-short')) return 'short';
    throw error;
  }
}
