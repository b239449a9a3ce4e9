/**
 * Catalogue bundles as entries of the backend: sealed Git objects under the SHA-256 of their bytes
 * (docs/format.md, Entries, Sealing, Catalogue).
 */
import { sha256Hex, type Random } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { openDocument, sealDocument } from '../crypto/sealed-document.ts';
import { MbkError } from '../errors.ts';
import { decodeBundle, encodeBundle, type GitObject } from '../format/catalogue-bundle.ts';
import { asEntryId, type EntryId, type GitObjectId } from '../format/ids.ts';

/** An entry that is ready to be put. */
export interface SealedBundle {
  readonly id: EntryId;
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** Key of a bundle in the backend. */
export function bundleKey(id: EntryId): string {
  return `catalogue/${id}`;
}

/** Seals `objects` into one entry. Errors: `role-denied` if the keys hold no catalogue key. */
export function sealBundle(
  objects: readonly GitObject[],
  { keys, random }: { readonly keys: Keys; readonly random: Random },
): SealedBundle {
  const { id: keyset, catalogue: subkey } = keys.shared;
  if (subkey === undefined) throw new MbkError('role-denied', 'The key that was used may not write to the catalogue');
  const body = encodeBundle(objects);
  const bytes = sealDocument({ magic: 'mbkC', repository: keys.repository, keyset, subkey, body, random });
  const id = asEntryId(sha256Hex(bytes));
  return { id, key: bundleKey(id), bytes };
}

/**
 * The objects in the bytes of bundle `id`, each checked against its SHA-1 id.
 *
 * Errors: `entry-damaged`, `format-unsupported`, `role-denied`, `value-invalid`.
 */
export function openBundle(
  bytes: Uint8Array,
  { id, keys }: { readonly id: EntryId; readonly keys: Keys },
): Map<GitObjectId, GitObject> {
  const what = `catalogue bundle ${id}`;
  if (sha256Hex(bytes) !== id)
    throw new MbkError('entry-damaged', `${what} does not have that SHA-256`, { details: { key: bundleKey(id) } });
  const subkeyOf: Parameters<typeof openDocument>[1]['subkeyOf'] = (keyset) => keys.keysets.get(keyset)?.catalogue;
  const { body } = openDocument(bytes, { magic: 'mbkC', repository: keys.repository, subkeyOf, what });
  return decodeBundle(body, what);
}
