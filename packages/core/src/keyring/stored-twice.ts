/**
 * Entries that are stored twice: mbk.json, slots, grants. One damaged copy locks nobody out
 * (docs/format.md, Entries).
 */
import type { Backend } from '../backend/backend.ts';
import { readBounded } from '../backend/read-bounded.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { asEntryId, isHex, type EntryId } from '../format/ids.ts';
import { copyPrefix } from '../format/repository-file.ts';

/** Stores `bytes` under `key` and once more as its copy; the copy last. */
export async function putTwice(backend: Backend, key: string, bytes: Uint8Array): Promise<'stored' | 'exists'> {
  const outcome = await backend.put(key, [bytes]);
  await backend.put(copyPrefix + key, [bytes]);
  return outcome;
}

/** Removes both copies of `key`; the first last, so that a crash in between leaves an entry and no stray copy. */
export async function deleteTwice(backend: Backend, key: string): Promise<void> {
  await backend.delete(copyPrefix + key);
  await backend.delete(key);
}

export interface StoredTwice {
  readonly id: EntryId;
  /** Bytes that match the name, or undefined if both copies are damaged. */
  readonly bytes: Uint8Array | undefined;
  /** Keys whose bytes are absent or do not match their name. */
  readonly damaged: readonly string[];
}

/** No entry of these kinds comes near this; more is not read. */
export const maxKeyEntryBytes: number = 16 * 1024 * 1024;

/** Entries that are read at once. */
const window = 8;

/** Every entry under `folder` (`slots`, `grants`), in either copy, sorted by id. */
export async function* listStoredTwice(backend: Backend, folder: string): AsyncGenerator<StoredTwice> {
  const ids = new Set<string>();
  for (const prefix of [`${folder}/`, `${copyPrefix}${folder}/`]) {
    for await (const { key } of backend.list(prefix)) {
      const name = key.slice(prefix.length);
      if (isHex(name, 32)) ids.add(name);
    }
  }
  const sorted = [...ids].sort();
  for (let at = 0; at < sorted.length; at += window) {
    const some = sorted.slice(at, at + window);
    yield* await Promise.all(some.map((id) => readStoredTwice(backend, folder, asEntryId(id))));
  }
}

async function readStoredTwice(backend: Backend, folder: string, id: EntryId): Promise<StoredTwice> {
  const damaged: string[] = [];
  let good: Uint8Array | undefined;
  for (const key of [`${folder}/${id}`, `${copyPrefix}${folder}/${id}`]) {
    const bytes = await readBounded(backend, key, maxKeyEntryBytes);
    if (bytes instanceof Uint8Array && sha256Hex(bytes) === id) good ??= bytes;
    else damaged.push(key);
  }
  return { id, bytes: good, damaged };
}
