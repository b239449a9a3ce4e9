/** What the storage holds, by kinds of entries: one listing. */
import { copyPrefix } from '../../format/repository-file.ts';
import type { Repository } from '../../repository.ts';

/** The folders of a repository; `keys` are slots, grants and `mbk.json`. */
export type StorageKind = 'packs' | 'meta' | 'index' | 'catalogue' | 'log' | 'state' | 'keys' | 'other';
/** Bytes of entries. */
export type StorageUsage = Readonly<Record<StorageKind, number>> & { readonly total: number };

const kindOfFolder: Readonly<Record<string, StorageKind>> = {
  packs: 'packs',
  meta: 'meta',
  index: 'index',
  catalogue: 'catalogue',
  log: 'log',
  state: 'state',
  slots: 'keys',
  grants: 'keys',
  'mbk.json': 'keys',
};

/** Errors: those of the backend. */
export async function storageOf({ backend, signal }: Repository): Promise<StorageUsage> {
  const bytes = { packs: 0, meta: 0, index: 0, catalogue: 0, log: 0, state: 0, keys: 0, other: 0, total: 0 };
  for await (const { key, size } of backend.list('', { signal })) {
    bytes[kindOfFolder[folderOf(key)] ?? 'other'] += size;
    bytes.total += size;
  }
  return bytes;
}

/** The first part of a key; a copy is of the kind of what it is a copy of. */
function folderOf(key: string): string {
  return (key.startsWith(copyPrefix) ? key.slice(copyPrefix.length) : key).split('/')[0] ?? '';
}
