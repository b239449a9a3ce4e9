import { memoryBackend } from '../../src/backend/memory.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import type { Keys } from '../../src/crypto/keyset.ts';
import { utf8 } from '../../src/format/bytes.ts';
import {
  asBlobId,
  asCommitId,
  asEntryId,
  asGitObjectId,
  asPackId,
  asSegmentId,
  type CommitId,
  type PackId,
} from '../../src/format/ids.ts';
import { logKey } from '../../src/format/log-entry.ts';
import type {
  Actor,
  AdvanceOperation,
  HeadLine,
  KnownOperation,
  Role,
  SegmentRow,
} from '../../src/format/log-operations.ts';
import { applyEntry } from '../../src/log/apply-entry.ts';
import type { Fold } from '../../src/log/fold.ts';
import { genesis } from '../../src/log/genesis.ts';
import { openLog, type Log, type OpenLogOptions } from '../../src/log/open-log.ts';
import { openEntry, sealEntry, type EntryDraft, type LogEntry } from '../../src/log/sealed-entry.ts';
import { seededBytes, testKeys } from '../pack/test-keys.ts';

export const startOfTime = Date.UTC(2025, 0, 1);
export const tool = 'mbk test';

export const hex = (name: string, digits = 64): string => sha256Hex(utf8(name)).slice(0, digits);
export const commit = (name: string): CommitId => asCommitId(hex(name, 40));
export const pack = (name: string): PackId => asPackId(hex(name));
export const segment = (name: string): SegmentRow => ({ id: asSegmentId(hex(name)), blobs: 1, bytes: 100 });

export function head(domain: string, from: string | null, to: string, tag: string | null = null): HeadLine {
  return {
    domain,
    from: from === null ? null : commit(from),
    to: commit(to),
    bundle: asEntryId(hex(`bundle ${to}`)),
    tag,
    tagObject: tag === null ? null : asGitObjectId(hex(`tag ${tag}`, 40)),
    line: {
      takenAt: startOfTime,
      message: `snapshot ${to}`,
      host: 'host',
      plan: null,
      run: hex(`run ${to}`, 32),
      files: 1,
      bytes: 10,
      added: 10,
      stored: 5,
      flags: [],
      captures: [{ collection: 'models/checkpoint', tree: asBlobId(hex(`tree ${to}`)), files: 1, bytes: 10 }],
      carried: [],
    },
  };
}

export function advance(...heads: readonly HeadLine[]): AdvanceOperation {
  return { op: 'advance', heads };
}

export function tag(name: string, to = name): KnownOperation {
  const domain = name.split('/')[0] ?? '';
  return {
    op: 'tag',
    domain,
    name,
    commit: commit(to),
    object: asGitObjectId(hex(`tag ${name}`, 40)),
    bundle: asEntryId(hex(`bundle ${name}`)),
  };
}

const nothing = { packs: [], segments: [], bundles: [] };

export function condemn(...packs: readonly PackId[]): KnownOperation {
  return { op: 'condemn', ...nothing, packs };
}

export function remove(condemned: number, ...packs: readonly PackId[]): KnownOperation {
  return { op: 'delete', ...nothing, packs, spared: [], condemned };
}

export function actorOf(keys: Keys, role: Role, more: Partial<Actor> = {}): Actor {
  return {
    signing: keys.actor.id,
    agreement: hex(`agreement ${keys.actor.id}`),
    name: role,
    role,
    kind: 'key-file',
    ...more,
  };
}

export const owner = testKeys();
export const writer = testKeys({ actor: 'writer' });
export const reader = testKeys({ actor: 'reader' });
export const auditor = testKeys({ actor: 'auditor' });
export const stranger = testKeys({ actor: 'stranger' });

/** The founder, a writer of domain `lab`, a reader and an auditor. */
export const actors: readonly Actor[] = [
  actorOf(owner, 'owner'),
  actorOf(writer, 'writer', { domains: ['lab'] }),
  actorOf(reader, 'reader'),
  actorOf(auditor, 'auditor'),
];

export function firstEntry(keys = owner): ReturnType<typeof genesis> {
  const grants = [{ grant: asEntryId(hex('grant')), actor: keys.actor.id, keysets: [keys.shared.id] }];
  return genesis({
    keys,
    actors,
    grants,
    timezone: 'Europe/Berlin',
    at: startOfTime,
    tool,
    random: seededBytes('genesis'),
  });
}

/** An entry right behind `fold`, sealed by `keys` and opened again. */
export function nextEntry(
  fold: Fold,
  ops: readonly KnownOperation[],
  keys = owner,
  more: Partial<EntryDraft> = {},
): LogEntry {
  const n = fold.n + 1;
  const draft = { n, previous: fold.hash, at: startOfTime + n, tool, ops, ...more };
  return openEntry(sealEntry(draft, keys, seededBytes(`entry ${n}`)), n, keys, `entry ${n}`);
}

/** The fold after entries of the founder, one for each list of operations. */
export function foldAfter(fold: Fold, ...entries: readonly (readonly KnownOperation[])[]): Fold {
  return entries.reduce((before, ops) => applyEntry(before, nextEntry(before, ops)).fold, fold);
}

let opened = 0;
/** Opens a log with what tests give everywhere: nothing sleeps, no cache, no memory. */
export function open(backend: Backend, more: Partial<OpenLogOptions> = {}): Promise<Log> {
  opened += 1;
  return openLog({
    backend,
    keys: owner,
    random: seededBytes(`log ${opened}`),
    now: () => startOfTime,
    tool,
    sleep: async () => {},
    ...more,
  });
}

/** A backend that holds entry 1. */
export async function newLog(): Promise<Backend> {
  let time = startOfTime;
  const backend = memoryBackend({ now: () => (time += 1000) });
  const { key, bytes } = firstEntry();
  await backend.put(key, [bytes]);
  return backend;
}

/** Appends entries that are told apart by the segment that each adds. */
export async function fill(log: Log, count: number, name = 'segment'): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await log.append((fold) => ({ ops: [{ op: 'index', add: [segment(`${name} ${fold.n + 1}`)], drop: [] }] }));
  }
}

export async function replaceEntry(
  backend: Backend,
  n: number,
  change: (bytes: Uint8Array) => Uint8Array,
): Promise<void> {
  const key = logKey(owner.repository, n);
  const bytes = await backend.get(key);
  await backend.delete(key);
  await backend.put(key, [change(bytes)]);
}

export function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
}

/** All entries of a backend. */
export async function copyOf(backend: Backend): Promise<ReadonlyMap<string, Uint8Array>> {
  const copy = new Map<string, Uint8Array>();
  for await (const { key } of backend.list('')) copy.set(key, await backend.get(key));
  return copy;
}
