/**
 * What a storage must do to hold a repository: write-once keys → bytes. It knows nothing of content.
 *
 * Every backend passes `backendConformance` (`@mbk/core/testing`), which tries each sentence below.
 *
 * - **Keys** are checked with `checkKey`: a bad one is a `TypeError`, never a visit to another place. Callers never
 *   use a key as the folder of another (`a` beside `a/b`): a folder cannot hold both.
 * - **Write-once.** Nothing changes the bytes of a stored entry. `put` never replaces; all change is a new key.
 * - **Whole or not at all.** No reader, at any moment and after any crash, sees a part of an entry.
 * - **Durable.** When `put` resolves, the entry survives a power cut, and when it resolves to 'exists' so does the entry
 *   that was there. When `delete` resolves, the entry does not come back.
 * - **Concurrency.** Any number of processes may call anything at any time. Of concurrent puts of one key exactly one
 *   resolves to 'stored'. Readers never wait for writers.
 * - **Freshness.** `get` and `stat` of a key see every put that resolved before the call. `list` may be stale: it may
 *   miss entries put, and still name entries deleted, shortly before.
 * - **Errors** are `MbkError`s: 'entry-absent', 'backend-read-short', 'backend-full', 'backend-read-only',
 *   'backend-denied', 'backend-no-hard-links', 'backend-failed' and 'interrupted'. Only 'backend-failed' may go away
 *   when the call is repeated. A failed `put` is *in doubt*: the entry may be stored, whole, or not. Repeating it with
 *   the same bytes is safe; on 'exists' the caller compares (the wrapper `retrying` does, and cannot tell its own bytes
 *   from the equal bytes of another).
 * - **Cancellation.** An aborted signal makes the call fail with 'interrupted'. A put that is interrupted has either
 *   stored nothing or is in doubt like any failed one.
 * - A backend is a plain object of closures: its functions need no `this`, and wrappers spread it.
 */
export interface Backend {
  /** For messages, e.g. `folder /srv/backups`; without secrets. */
  readonly name: string;

  /**
   * Stores the concatenation of `bytes` under `key`, unless the key is there: then it changes nothing and says 'exists'.
   *
   * Reads the parts until it settles and keeps none of them; the caller leaves them unchanged until then.
   */
  readonly put: (key: string, bytes: readonly Uint8Array[], options?: CallOptions) => Promise<PutResult>;

  /**
   * The bytes of an entry, whole, or exactly the `length` bytes from `offset` (to the end when `length` is left out).
   *
   * The array belongs to the caller; it may be a view of the start of `into`. Absent: 'entry-absent'; a
   * range that passes the end: 'backend-read-short'.
   * A whole read allocates what the storage claims to hold: bound it with `length` where that is not to be trusted.
   */
  readonly get: (key: string, options?: GetOptions) => Promise<Uint8Array>;

  /** The size of an entry, `undefined` when absent. */
  readonly stat: (key: string, options?: CallOptions) => Promise<EntryStat | undefined>;

  /**
   * The entries whose keys start with `prefix` (any start of a key, also within a name; '' for all), in ascending
   * order of the keys' bytes, each at most once, at most `limit` of them.
   *
   * Nothing is read before the first entry is asked for. An entry that is put or deleted meanwhile may or may not be
   * among them. No match, or no storage there at all: an empty list. What is no entry (foreign files) is left out.
   */
  readonly list: (prefix: string, options?: ListOptions) => AsyncIterable<Entry>;

  /** Removes an entry; that it is absent is fine. */
  readonly delete: (key: string, options?: CallOptions) => Promise<void>;

  /** The storage's own clock in whole milliseconds since 1970, by a fresh probe: it needs to be writable. */
  readonly now: (options?: CallOptions) => Promise<number>;

  /**
   * Removes leftovers of interrupted puts that are older than `olderThanMs` by the storage's clock; returns how many.
   *
   * Only on backends that leave any. A put that has been under way for longer than that fails, in doubt.
   */
  readonly sweepTemporaries?: (olderThanMs: number, options?: CallOptions) => Promise<number>;

  /**
   * Opens an entry that is a file of this machine, for threads of this process to read by themselves; whoever asked closes
   * it, when none of them reads any more. Only on backends that have such files; what reads it falls back on `get`, which
   * alone repeats and explains. Absent: 'entry-absent'.
   */
  readonly open?: ((key: string, options?: CallOptions) => Promise<OpenedEntry>) | undefined;

  /** Bytes that may still be stored, `undefined` where the storage does not say. Only on backends that can be full. */
  readonly freeBytes?: (options?: CallOptions) => Promise<number | undefined>;

  /** Gives up connections. Nothing is called after it; what `put` acknowledged is stored without it. */
  readonly close?: () => Promise<void>;
}

export type PutResult = 'stored' | 'exists';

export interface EntryStat {
  readonly size: number;
}

export interface Entry extends EntryStat {
  readonly key: string;
}

export interface OpenedEntry extends EntryStat {
  readonly fd: number;
  close(): void;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends CallOptions {
  /** First byte, from 0 (default). */
  readonly offset?: number | undefined;
  /** Number of bytes; the rest when left out. */
  readonly length?: number | undefined;
  /**
   * Memory of the caller that the backend may put the bytes into, where they fit, in place of new memory; what else is in
   * it is lost. The backend does not keep it.
   */
  readonly into?: Uint8Array | undefined;
}

export interface ListOptions extends CallOptions {
  /** At least 1. */
  readonly limit?: number | undefined;
}
