/**
 * An open repository: the one place that wires backend, keys, log, index, blobs and catalogue together.
 *
 * Everything ambient is an argument. What is expensive (index, catalogue) is opened when it is first asked for.
 */
import { join } from 'node:path';
import type { Backend } from './backend/backend.ts';
import { viewOfFold } from './catalogue/catalogue-view.ts';
import { openCatalogue, type Catalogue } from './catalogue/open-catalogue.ts';
import { resolveRevision, type ResolvedRevision } from './catalogue/resolve-revision.ts';
import type { Random } from './crypto/hash.ts';
import type { Keys } from './crypto/keyset.ts';
import type { Secret } from './crypto/slot.ts';
import { MbkError } from './errors.ts';
import type { ActorId, EntryId, PackId } from './format/ids.ts';
import { packKindOf } from './format/ids.ts';
import { limits } from './format/limits.ts';
import type { Line } from './format/log-state.ts';
import { openKeys } from './keyring/open-keys.ts';
import {
  isCondemned,
  isDeleted,
  isLost,
  isTrustedActor,
  isTrustedPack,
  liveSegments,
  roleOf,
  wasOwner,
  type Fold,
} from './log/fold.ts';
import { logMemory, type LogPlace } from './log/log-memory.ts';
import { openLog, type Log } from './log/open-log.ts';
import { blobReader, type BlobReader } from './pack/blob-reader.ts';
import { cachedGet, entryCache, type EntryCache } from './pack/entry-cache.ts';
import { indexSet, type IndexSet, type SegmentInfo } from './pack/index-set.ts';
import { packReader, type PackReader } from './pack/pack-reader.ts';
import type { ReadBlob } from './snapshot/blobs.ts';

export interface OpenOptions {
  readonly backend: Backend;
  readonly secret: Secret;
  /** Folder of local copies, one below it for each repository; without one nothing is kept. Absolute. */
  readonly cacheFolder: string | undefined;
  /** Folder of what this host remembers: newest log entry, stat cache, pack journal. Absolute. */
  readonly stateFolder: string;
  /** This machine's clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly random: Random;
  /** Name and version of the program, `mbk 0.1.0`. */
  readonly tool: string;
  /** A place that the log must have, for hosts without a memory. */
  readonly expectHead?: LogPlace | undefined;
  /** Tells what an interrupted run left from what a running one still works on; without it all counts as left. */
  readonly processes?: Processes | undefined;
  /** Called when the key is being derived by another thread of the system: a good time for other work. */
  readonly onDeriving?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The processes of this host. */
export interface Processes {
  /** Number of this one. */
  readonly self: number;
  /** Whether another process of that number is running. */
  readonly isRunning: (pid: number) => boolean;
}

export interface Repository {
  readonly backend: Backend;
  readonly keys: Keys;
  /** The slot that was opened. */
  readonly slot: EntryId;
  readonly log: Log;
  readonly now: () => number;
  readonly random: Random;
  readonly tool: string;
  readonly signal: AbortSignal | undefined;
  readonly processes: Processes;
  /** IANA name of the zone that dates are in. */
  readonly timezone: string;
  /** Folders of this repository alone. */
  readonly cacheFolder: string | undefined;
  readonly stateFolder: string;
  readonly packs: PackReader;
  /** What is wrong and was got round, a sentence each; on opening and since. */
  readonly notices: readonly string[];
  /** Adds to `notices`. */
  notice(text: string): void;
  /** Bytes of an entry that is named by its SHA-256, from the cache or the backend. */
  get(key: string): Promise<Uint8Array>;
  /** Index of the live segments as of the log's fold; damaged ones are left out and told in `notices`. */
  index(): Promise<IndexSet>;
  /** Blobs as of the log's fold, checked against their ids. */
  blobs(): Promise<BlobReader>;
  readBlob: ReadBlob;
  /** History as of the log's fold. */
  catalogue(): Catalogue;
  /** The snapshot that a revision means. Errors: `revision-unknown`, `revision-ambiguous`. */
  resolve(revision: string): ResolvedRevision<Line>;
  close(): Promise<void>;
}

/**
 * Opens the repository in `backend`.
 *
 * Errors: `repository-absent`, `secret-wrong`, `slot-damaged`, `role-denied` (the slot was removed), `log-rolled-back`,
 * `log-damaged`, `format-unsupported`, `operation-unknown`, and those of the backend.
 */
export async function openRepository(options: OpenOptions): Promise<Repository> {
  const { backend, secret, now, random, tool, signal } = options;
  const { keys, slot, grantSigners, damaged } = await openKeys(backend, secret, options.onDeriving);
  const cacheFolder = options.cacheFolder === undefined ? undefined : join(options.cacheFolder, keys.repository);
  const stateFolder = join(options.stateFolder, keys.repository);
  const memory = logMemory(options.stateFolder, keys.repository, random);
  const notices = damaged.map((key) => `${key} is absent or damaged; its other copy served`);
  const onMemoryProblem = ({ message }: MbkError): void => {
    notices.push(`${message}; a storage that is rolled back from here on would not be noticed`);
  };
  const { expectHead } = options;
  const log = await openLog({
    backend,
    keys,
    random,
    now,
    tool,
    memory,
    onMemoryProblem,
    cache: cacheFolder,
    expectHead,
    signal,
  });
  checkActor(log.fold, keys, grantSigners);
  notices.push(...log.damage.map(({ text }) => text));
  if (log.cacheProblem !== undefined) notices.push(log.cacheProblem.message);
  const cache = cacheFolder === undefined ? undefined : entryCache(cacheFolder, { random });
  const packs = packReader({ backend, keys });
  const index = lazyIndex({ backend, keys, cache, log, notices, signal });
  let reader: BlobReader | undefined;
  let catalogue: { readonly fold: Fold; readonly value: Catalogue } | undefined;

  const repository: Repository = {
    backend,
    keys,
    slot,
    log,
    now,
    random,
    tool,
    signal,
    processes: options.processes ?? { self: 0, isRunning: () => false },
    timezone: log.fold.features?.timezone ?? 'UTC',
    cacheFolder,
    stateFolder,
    packs,
    notices,
    notice: (text) => void notices.push(text),
    get: (key) => cachedGet(backend, cache, key, { signal, maxBytes: limits.documentBytes }),
    index: index.get,
    async blobs() {
      // The set stays the same; asking for it brings it up to the fold.
      const set = await index.get();
      return (reader ??= blobReader({
        backend,
        reader: packs,
        index: set,
        prefers: (pack) => isReadable(log.fold, pack),
      }));
    },
    readBlob: async (id, type) => (await repository.blobs()).readBlob(packKindOf(type), id, { signal }),
    catalogue() {
      if (catalogue?.fold !== log.fold) {
        catalogue = { fold: log.fold, value: openCatalogue({ get: repository.get, keys, view: viewOfFold(log.fold) }) };
      }
      return catalogue.value;
    },
    resolve: (revision) =>
      resolveRevision(viewOfFold(log.fold), revision, { timezone: repository.timezone, now: now() }),
    async close() {
      index.close();
      await backend.close?.();
    },
  };
  return repository;
}

/**
 * Whether blobs of a pack count as known to deduplication: docs/format.md, The protocol.
 *
 * Who signed a pack, and what is in it, is known from the segment that names it: whoever named that is trusted too, or
 * a stolen writer's key could pass off as stored what is not. `namedBy` is undefined where the footer itself was read.
 */
export function isUsable(fold: Fold, keys: Keys, pack: PackId, actor: ActorId, namedBy: ActorId | undefined): boolean {
  const self = keys.actor.id;
  return (
    isReadable(fold, pack) &&
    !isCondemned(fold, pack) &&
    isTrustedPack(fold, pack, actor, self) &&
    (namedBy === undefined || isTrustedActor(fold, namedBy, self))
  );
}

function isReadable(fold: Fold, pack: PackId): boolean {
  return !isDeleted(fold, pack) && !isLost(fold, pack);
}

function checkActor(fold: Fold, keys: Keys, grantSigners: ReadonlySet<ActorId>): void {
  if (roleOf(fold, keys.actor.id) === undefined) {
    throw new MbkError('role-denied', 'the slot that was opened was removed from this repository', {
      details: { actor: keys.actor.id },
    });
  }
  for (const signer of grantSigners) {
    if (!wasOwner(fold, signer)) {
      throw new MbkError(
        'role-denied',
        `a grant of this slot was signed by ${signer.slice(0, 8)}, who never was an owner`,
        {
          details: { signer },
          remedy: 'Somebody tampered with the storage: find out who before going on.',
        },
      );
    }
  }
}

interface LazyIndexOptions {
  readonly backend: Backend;
  readonly keys: Keys;
  readonly cache: EntryCache | undefined;
  readonly log: Log;
  readonly notices: string[];
  readonly signal: AbortSignal | undefined;
}

/** The index set, opened once and brought up to the log's fold whenever it is asked for. */
function lazyIndex({ backend, keys, cache, log, notices, signal }: LazyIndexOptions): {
  get: () => Promise<IndexSet>;
  close: () => void;
} {
  const set = indexSet({ backend, keys, cache });
  let at: Fold | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const onDamaged = ({ id }: SegmentInfo, error: MbkError): void => {
    notices.push(
      `index segment ${id.slice(0, 8)} cannot be used (${error.message}); \`mbk repair index\` rebuilds it from the packs`,
    );
  };
  const update = async (): Promise<IndexSet> => {
    const { fold } = log;
    if (at !== fold) {
      await set.setLive(liveSegments(fold), { onDamaged, signal });
      at = fold;
    }
    return set;
  };
  return {
    get() {
      const next = turn.then(update);
      turn = next.catch(() => undefined); // its caller is told
      return next;
    },
    close: () => set.close(),
  };
}
