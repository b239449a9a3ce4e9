/**
 * States in the storage: the fold as a sealed document (docs/format.md, State).
 */
import { sha256Hex, type Random } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { openDocument, sealDocument, type SealOptions } from '../crypto/sealed-document.ts';
import type { Backend } from '../backend/backend.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { asEntryId, type EntryId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { decodeLogState, encodeLogState } from '../format/log-state.ts';
import type { LogSource } from './chain.ts';
import type { Fold } from './fold.ts';
import { foldOfState, stateOfFold } from './fold-state.ts';
import { readBounded } from '../backend/read-bounded.ts';
import type { LogEntry } from './sealed-entry.ts';

/** Key of a state in the backend. */
export function stateKey(id: EntryId): string {
  return `state/${id}`;
}

/** A body of 256 MiB and what sealing adds at most: header, prelude, tag, and Padmé's 12 %. */
export const maxStateBytes: number = limits.documentBytes + limits.documentBytes / 8;

/** Puts the state of `fold` and gives its id; the entry that names it comes after. */
export async function writeState(
  fold: Fold,
  {
    backend,
    keys,
    random,
    signal,
  }: {
    readonly backend: Backend;
    readonly keys: Keys;
    readonly random: Random;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<EntryId> {
  const bytes = sealState(encodeLogState(stateOfFold(fold)), keys, random);
  const id = asEntryId(sha256Hex(bytes));
  // Its name is the hash of bytes with fresh randomness: when the key exists, these bytes are what is there.
  await backend.put(stateKey(id), [bytes], { signal });
  return id;
}

/** The document of a state with that body. `role-denied` for keys that were not granted the log. */
export function sealState(
  body: Uint8Array,
  keys: Keys,
  random: Random,
  options: Pick<SealOptions, 'isCompressed'> = {},
): Uint8Array {
  const { log: subkey, id: keyset } = keys.shared;
  if (subkey === undefined) throw new MbkError('role-denied', 'this key was not granted the log');
  return sealDocument({ magic: 'mbkS', repository: keys.repository, keyset, subkey, body, random, ...options });
}

/** The body in a document of `sealState`. Errors: those of `openDocument`. */
export function openState(bytes: Uint8Array, keys: Keys, what: string): Uint8Array {
  const { body } = openDocument(bytes, {
    magic: 'mbkS',
    repository: keys.repository,
    subkeyOf: (keyset) => keys.keysets.get(keyset)?.log,
    what,
  });
  return body;
}

/** The fold in the state that `carrier` names; a sentence saying what is wrong when it cannot be used. */
export async function readState(source: LogSource, id: EntryId, carrier: LogEntry): Promise<Fold | string> {
  const key = stateKey(id);
  const copy = await source.cache.read(key, id, maxStateBytes);
  const bytes = copy ?? (await readStored(source, key, id));
  if (typeof bytes === 'string') return bytes;
  try {
    const state = decodeLogState(openState(bytes, source.keys, key), key);
    if (state.n !== carrier.n - 1 || state.hash !== carrier.previous)
      return `${key} folds entry ${state.n}, not the one before entry ${carrier.n}`;
    if (copy === undefined) await source.cache.write(key, bytes);
    return foldOfState(state);
  } catch (error) {
    if (isMbkError(error, 'entry-damaged', 'value-invalid', 'role-denied', 'format-unsupported')) return error.message;
    throw error;
  }
}

async function readStored({ backend, signal }: LogSource, key: string, id: EntryId): Promise<Uint8Array | string> {
  // A read may go wrong once; the verdict falls on the second.
  for (const last of [false, true]) {
    const bytes = await readBounded(backend, key, maxStateBytes, signal);
    if (bytes instanceof Uint8Array && sha256Hex(bytes) === id) return bytes;
    if (last)
      return bytes instanceof Uint8Array
        ? `${key} is damaged: its bytes do not match its name`
        : `${key} cannot be read: ${bytes}`;
  }
  return `${key} cannot be read`;
}
