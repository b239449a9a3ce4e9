/** The captures of each collection of each domain, every one once: by the commit whose run took it. */
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import type { CommitId } from '../../format/ids.ts';
import type { Line } from '../../format/log-state.ts';
import type { CollectionState } from '../../format/snapshot-manifest.ts';
import { isExpired } from '../../log/fold.ts';
import type { Repository } from '../../repository.ts';
import { isBadContent } from '../bad-content.ts';

/** What could not be read, and is not counted. */
export interface UsageProblem {
  readonly commit: CommitId;
  /** Null where not even the commit could be read. */
  readonly collection: string | null;
  readonly message: string;
}

/** A domain; sorted by name, as its collections are. */
export interface CaptureGroup {
  readonly name: string;
  readonly collections: readonly {
    readonly collection: string;
    readonly live: readonly { readonly commit: CommitId; readonly state: CollectionState }[];
    readonly expired: number;
    readonly raw: number;
    readonly files: number;
    readonly newest: number;
  }[];
}

/** Reads every commit of `lines`, which are in the order of the log; what cannot be read is added to `problems`. */
export async function groupCaptures(
  repository: Repository,
  lines: readonly Line[],
  problems: UsageProblem[],
): Promise<CaptureGroup[]> {
  const { log, signal } = repository;
  const domains = new Map<
    string,
    Map<string, { live: { commit: CommitId; state: CollectionState }[]; expired: number }>
  >();
  for (const { to: commit, domain } of lines) {
    throwIfInterrupted(signal, 'reading the history');
    const collections = domains.get(domain) ?? new Map();
    domains.set(domain, collections);
    let states: readonly CollectionState[];
    try {
      states = (await repository.catalogue().readSnapshot(commit, { signal })).manifest.collections;
    } catch (error) {
      if (!isBadContent(error)) throw error;
      problems.push({ commit, collection: null, message: error.message });
      continue;
    }
    for (const state of states) {
      if (state.commit !== null) continue; // carried from the run that took it
      const group = collections.get(state.name) ?? { live: [], expired: 0 };
      collections.set(state.name, group);
      if (isExpired(log.fold, commit, state.name)) group.expired += 1;
      else group.live.push({ commit, state });
    }
  }
  return [...domains].sort(byName).map(([name, collections]) => ({
    name,
    collections: [...collections].sort(byName).map(([collection, { live, expired }]) => ({
      collection,
      live,
      expired,
      raw: live.reduce((sum, { state }) => sum + state.bytes, 0),
      files: live.at(-1)?.state.files ?? 0,
      newest: live.at(-1)?.state.bytes ?? 0,
    })),
  }));
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
