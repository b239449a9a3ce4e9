/**
 * The next entry, made and tried before it is stored (docs/format.md, The log and State).
 */
import type { Backend } from '../backend/backend.ts';
import type { Random } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { stateInterval } from '../format/limits.ts';
import { logKey } from '../format/log-entry.ts';
import type { AuditPin, KnownOperation } from '../format/log-operations.ts';
import { applyEntry, type Applied } from './apply-entry.ts';
import { entryName } from './chain.ts';
import type { Fold } from './fold.ts';
import { openEntry, sealEntry, type LogEntry, type SectionDraft } from './sealed-entry.ts';
import { writeState } from './state-entry.ts';

/** What an entry is to say. */
export interface Draft {
  readonly ops: readonly KnownOperation[];
  readonly audit?: readonly AuditPin[] | undefined;
  /** Operations of isolated domains, each under its own keyset. */
  readonly sections?: readonly SectionDraft[] | undefined;
}

export interface SealNextOptions {
  readonly backend: Backend;
  readonly keys: Keys;
  readonly random: Random;
  /** Name and version of the program, `mbk 0.1.0`. */
  readonly tool: string;
  /** Name a state also where none is due. */
  readonly withState?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface NextEntry {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly entry: LogEntry;
  /** What it will do once it is stored right behind the fold. */
  readonly applied: Applied;
}

/**
 * The entry right behind `fold`, opened and applied again: what is written can be read, and does what it should.
 *
 * Every 256th names the state of what comes before it, which is put here. Its time is the storage's, by a fresh probe.
 */
export async function sealNext(fold: Fold, draft: Draft, options: SealNextOptions): Promise<NextEntry> {
  const { backend, keys, random, tool, withState = false, signal } = options;
  const n = fold.n + 1;
  const ops = [...draft.ops];
  if (withState || n % stateInterval === 0) {
    ops.push({ op: 'state', id: await writeState(fold, { backend, keys, random, signal }), through: fold.n });
  }
  const at = await backend.now({ signal });
  const { audit, sections } = draft;
  const bytes = sealEntry({ n, previous: fold.hash, at, tool, audit, ops, sections }, keys, random);
  const entry = openEntry(bytes, n, keys, entryName(n));
  return { key: logKey(keys.repository, n), bytes, entry, applied: applyEntry(fold, entry) };
}
