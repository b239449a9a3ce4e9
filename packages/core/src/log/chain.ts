/**
 * The chain, read from its newest entry down (docs/format.md, The log).
 *
 * Every entry but the newest is proved twice: by its own tags and signature, and by the hash that its successor has for
 * it. So a local copy may stand for any of them, and one that is damaged in the storage is named and read past.
 */
import type { Backend } from '../backend/backend.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError } from '../errors.ts';
import { limits } from '../format/limits.ts';
import { logKey } from '../format/log-entry.ts';
import type { EntryCache } from './entry-cache.ts';
import type { LogPlace } from './log-memory.ts';
import { readBounded, type Unread } from '../backend/read-bounded.ts';
import { openEntry, type LogEntry } from './sealed-entry.ts';

/** Where a log is read from. */
export interface LogSource {
  readonly backend: Backend;
  readonly keys: Keys;
  readonly cache: EntryCache;
  readonly signal?: AbortSignal | undefined;
}

/** What is wrong with the storage's log. */
export interface LogDamage {
  /** Number of the entry that is concerned. */
  readonly n: number;
  /** Its key, or that of a state. */
  readonly key: string;
  readonly reason: DamageReason;
  /** One sentence. */
  readonly text: string;
  /** Whether nobody may append before `repair log` settled it. */
  readonly blocksWriters: boolean;
}

export type DamageReason =
  | Unread
  /** Its bytes do not authenticate. */
  | 'damaged'
  /** It is authentic and holds what the format does not allow. */
  | 'invalid'
  /** It is authentic, and not the entry that its successor follows. */
  | 'replaced'
  /** A key above the head that continues nothing. */
  | 'stray'
  /** A state that says something else than the entries it folds. */
  | 'state-forged'
  /** What this host remembers cannot be compared, because older entries are damaged. */
  | 'unproven';

export type Link = SoundLink | BrokenLink;

export interface SoundLink {
  readonly n: number;
  readonly hash: string;
  readonly entry: LogEntry;
  /** What is wrong with the bytes in the storage when only the local copy was good; that copy. */
  readonly healed?: { readonly reason: DamageReason; readonly text: string; readonly bytes: Uint8Array } | undefined;
}

export interface BrokenLink {
  readonly n: number;
  /** The hash that the chain has for it: from its successor, else of the bytes that are there. */
  readonly hash: string | undefined;
  /** Whether that hash is its successor's. */
  readonly proved: boolean;
  readonly entry: undefined;
  readonly healed?: undefined;
  readonly reason: DamageReason;
  readonly text: string;
  readonly bytes: Uint8Array | undefined;
}

export interface LinkRange {
  readonly newest: number;
  readonly oldest: number;
  /** The link of number `newest + 1`, if that was read. */
  readonly successor?: Link | undefined;
  /** A place that is known from elsewhere, by which a local copy of the head can be proved. */
  readonly remembered?: LogPlace | undefined;
  /** Read every entry from the storage, and use local copies only for those that are damaged there. */
  readonly fromStorage?: boolean | undefined;
}

/** Entries that are asked for at once. */
const window = 16;

/** The links of a range, oldest first. Passes on `operation-unknown` and what the backend throws. */
export async function readLinks(source: LogSource, range: LinkRange): Promise<Link[]> {
  const { newest, oldest, remembered, fromStorage = false } = range;
  const fetched = new Map<number, Uint8Array | Unread>();
  const links: Link[] = [];
  let successor = range.successor;
  for (let n = newest; n >= oldest; n -= 1) {
    const proof = successor?.entry?.previous;
    const link =
      (proof === undefined || fromStorage ? undefined : await readCopy(source, n, proof)) ??
      (await readStored(source, n, await take(n), { proof, remembered }));
    links.push(link);
    successor = link;
  }
  return links.reverse();

  /** The stored bytes of entry n, asked for together with those below it. */
  async function take(n: number): Promise<Uint8Array | Unread> {
    if (!fetched.has(n)) {
      // The newest comes alone: it says whether the local copies of the others are right.
      const numbers = Array.from(
        { length: n === newest ? 1 : Math.min(window, n - oldest + 1) },
        (_, index) => n - index,
      );
      const results = await Promise.all(numbers.map((one) => fetchEntry(source, one)));
      fetched.clear();
      numbers.forEach((one, index) => fetched.set(one, results[index] ?? 'absent'));
    }
    const bytes = fetched.get(n) ?? 'absent';
    fetched.delete(n);
    return bytes;
  }
}

/** For messages. */
export function entryName(n: number): string {
  return `log entry ${n}`;
}

function fetchEntry({ backend, keys, signal }: LogSource, n: number): Promise<Uint8Array | Unread> {
  return readBounded(backend, logKey(keys.repository, n), limits.logEntryBytes, signal);
}

async function readCopy(source: LogSource, n: number, hash: string): Promise<SoundLink | undefined> {
  const bytes = await source.cache.read(logKey(source.keys.repository, n), hash, limits.logEntryBytes);
  if (bytes === undefined) return undefined;
  const link = judge(source, n, bytes, hash);
  return link.entry === undefined ? undefined : link;
}

async function readStored(
  source: LogSource,
  n: number,
  first: Uint8Array | Unread,
  { proof, remembered }: { readonly proof: string | undefined; readonly remembered: LogPlace | undefined },
): Promise<Link> {
  const key = logKey(source.keys.repository, n);
  let link = judge(source, n, first, proof);
  if (link.entry === undefined && link.reason !== 'absent') {
    // A read may go wrong once; the verdict falls on the second.
    link = judge(source, n, await fetchEntry(source, n), proof);
  }
  if (link.entry !== undefined) {
    await source.cache.write(key, link.bytes);
    return { n, hash: link.hash, entry: link.entry };
  }
  const known = proof ?? (remembered?.n === n ? remembered.hash : undefined);
  const copy = known === undefined ? undefined : await source.cache.read(key, known, limits.logEntryBytes);
  const healed = copy === undefined ? undefined : judge(source, n, copy, known);
  if (copy === undefined || healed?.entry === undefined) return link;
  return { n, hash: healed.hash, entry: healed.entry, healed: { reason: link.reason, text: link.text, bytes: copy } };
}

/** What the bytes at number n are worth; `proof` is the hash that the successor has for them. */
function judge(
  source: LogSource,
  n: number,
  bytes: Uint8Array | Unread,
  proof: string | undefined,
): (SoundLink & { readonly bytes: Uint8Array }) | BrokenLink {
  const what = entryName(n);
  const broken = (reason: DamageReason, text: string, hash: string | undefined, found?: Uint8Array): BrokenLink => ({
    n,
    hash: proof ?? hash,
    proved: proof !== undefined,
    entry: undefined,
    reason,
    text,
    bytes: found,
  });
  if (bytes === 'absent') return broken(bytes, `${what} is not in the storage`, undefined);
  if (bytes === 'oversized') return broken(bytes, `${what} is larger than any log entry`, undefined);
  if (bytes === 'short') return broken(bytes, `${what} is shorter than the storage says`, undefined);
  const hash = sha256Hex(bytes);
  try {
    const entry = openEntry(bytes, n, source.keys, what);
    if (proof !== undefined && hash !== proof) {
      return broken('replaced', `${what} is authentic, and not the entry that entry ${n + 1} follows`, hash, bytes);
    }
    return { n, hash, entry, bytes };
  } catch (error) {
    if (isMbkError(error, 'entry-damaged')) return broken('damaged', error.message, hash, bytes);
    if (isMbkError(error, 'value-invalid'))
      return broken('invalid', `${what} is authentic and not valid: ${error.message}`, hash, bytes);
    throw error;
  }
}
