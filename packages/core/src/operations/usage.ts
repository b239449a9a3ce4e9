/**
 * `mbk usage`: how much was taken, how much of it is distinct, and what it takes in the storage.
 *
 * Raw: plain bytes of the files of every capture that still has its files, each capture whole, as if every run had made a
 * full copy. Deduplicated: plain bytes of the distinct blobs that these captures need, each counted once in its group.
 * Stored: the part of packs that these blobs take: a blob's part of its frame is its part of the frame's plain bytes. A
 * blob that two groups need counts in both, and once in their sum; so groups add up to more than their sum.
 *
 * Reads every distinct tree and chunk list once for each collection that has it. Memory: 27 bytes or more, 53 at most, for
 * each distinct blob.
 */
import { linesOf } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { isBadContent } from './bad-content.ts';
import { requireDomain } from './history.ts';
import { livenessFrom, type Liveness } from './liveness.ts';
import { blobCounter } from './usage/blob-counter.ts';
import { groupCaptures, type UsageProblem } from './usage/group-captures.ts';
import { periodsOf, type PeriodUsage } from './usage/periods.ts';
import { storageOf, type StorageUsage } from './usage/storage.ts';

export type { UsageProblem } from './usage/group-captures.ts';
export type { PeriodUsage } from './usage/periods.ts';
export type { StorageUsage } from './usage/storage.ts';

/** Sizes in bytes; see above. */
export interface Usage {
  readonly raw: number;
  readonly deduplicated: number;
  readonly stored: number;
}

export interface CollectionUsage extends Usage {
  readonly collection: string;
  /** Captures that still have their files, and those that retention gave up. */
  readonly captures: number;
  readonly expired: number;
  /** Of its newest capture. */
  readonly files: number;
  readonly newest: number;
}

export interface DomainUsage extends Usage {
  readonly domain: string;
  readonly snapshots: number;
  /** Sorted by name. */
  readonly collections: readonly CollectionUsage[];
}

export interface UsageReport extends Usage {
  readonly snapshots: number;
  /** Sorted by name. */
  readonly domains: readonly DomainUsage[];
  /** Oldest first; periods without a snapshot are left out. */
  readonly periods: readonly PeriodUsage[];
  /** Bytes of entries by their kind, as the storage lists them, and what no kind knows. */
  readonly storage: StorageUsage;
  /** What must stay and what may go; null where only one domain was looked at. */
  readonly liveness: LivenessUsage | null;
  /** What could not be read, and is not counted. */
  readonly problems: readonly UsageProblem[];
}

/** `Liveness` in numbers: packs that may go, and their bytes. */
export type LivenessUsage = Omit<Liveness, 'mayGo' | 'stays'> & {
  readonly mayGo: { readonly packs: number; readonly bytes: number };
};

export interface UsageRequest {
  /** Only this domain. */
  readonly domain?: string | undefined;
  /** Parts of time of `periods`; months unless given. */
  readonly by?: 'day' | 'month' | undefined;
}

export interface UsageOptions {
  /** Called before each collection. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Errors: `name-invalid`, `revision-unknown` for a domain without snapshots, `interrupted`, those of the backend. */
export async function usageOf(
  repository: Repository,
  { domain, by = 'month' }: UsageRequest = {},
  { onProgress }: UsageOptions = {},
): Promise<UsageReport> {
  const { fold } = repository.log;
  if (domain !== undefined) requireDomain(fold, domain);
  const lines = linesOf(fold, domain);
  const problems: UsageProblem[] = [];
  const groups = await groupCaptures(repository, lines, problems);
  const count = await blobCounter(repository);
  const domains: DomainUsage[] = [];
  const collectionsInAll = groups.reduce((sum, group) => sum + group.collections.length, 0);
  let done = 0;
  for (const { name, collections } of groups) {
    count.beginDomain();
    const rows: CollectionUsage[] = [];
    for (const { collection, live, expired, raw, files, newest } of collections) {
      onProgress?.(done, collectionsInAll);
      done += 1;
      count.beginCollection();
      for (const { commit, state } of live) {
        try {
          await count.capture(state);
        } catch (error) {
          if (!isBadContent(error)) throw error;
          problems.push({ commit, collection, message: error.message });
        }
      }
      rows.push({ collection, captures: live.length, expired, raw, ...count.collection(), files, newest });
    }
    domains.push({
      domain: name,
      snapshots: lines.filter((line) => line.domain === name).length,
      raw: rows.reduce((sum, row) => sum + row.raw, 0),
      ...count.domain(),
      collections: rows,
    });
  }
  const live = domain === undefined ? await livenessFrom(repository, count.met, problems.length === 0) : undefined;
  return {
    snapshots: lines.length,
    raw: domains.reduce((sum, row) => sum + row.raw, 0),
    ...count.all(),
    domains,
    periods: periodsOf(lines, repository.timezone, by),
    storage: await storageOf(repository),
    liveness: live === undefined ? null : inNumbers(live),
    problems,
  };
}

function inNumbers({ broken, idleBytes, isComplete, mayGo, needed, pinned }: Liveness): LivenessUsage {
  const bytes = mayGo.reduce((sum, { size }) => sum + size, 0);
  return { isComplete, needed, pinned, broken, mayGo: { packs: mayGo.length, bytes }, idleBytes };
}
