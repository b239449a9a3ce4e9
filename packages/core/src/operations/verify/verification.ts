/** What the steps of a verification share. */
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import type { Fold } from '../../log/fold.ts';
import type { Repository } from '../../repository.ts';
import type { FindingLog, VerifyEvent, VerifyPhase } from './findings.ts';

export interface Verification {
  readonly repository: Repository;
  /** The log's fold when the verification began. */
  readonly fold: Fold;
  readonly found: FindingLog;
  readonly counts: VerifyCounts;
  readonly signal: AbortSignal | undefined;
  /** Size of every entry that the storage listed, by its key; an entry that is missed here is asked for once more. */
  readonly listed: ReadonlyMap<string, number>;
  /** `totalBytes` of packs that are to be read whole. Errors: `interrupted`. */
  progress(phase: VerifyPhase, done: number, total: number, totalBytes?: number): void;
}

export interface VerifyCounts {
  logEntries: number;
  states: number;
  segments: number;
  packs: number;
  /** Bytes of packs that were read and checked. */
  packBytes: number;
  /** Packs that the log says are deleted, and that may be in the storage still. */
  deletedPacks: number;
  snapshots: number;
  tags: number;
  captures: number;
  expiredCaptures: number;
  trees: number;
  files: number;
  chunkLists: number;
}

export function verification(
  repository: Repository,
  options: {
    readonly found: FindingLog;
    readonly listed: ReadonlyMap<string, number>;
    readonly onEvent: (event: VerifyEvent) => void;
    readonly signal: AbortSignal | undefined;
  },
): Verification {
  const { found, listed, onEvent, signal } = options;
  const counts: VerifyCounts = {
    logEntries: 0,
    states: 0,
    segments: 0,
    packs: 0,
    packBytes: 0,
    deletedPacks: 0,
    snapshots: 0,
    tags: 0,
    captures: 0,
    expiredCaptures: 0,
    trees: 0,
    files: 0,
    chunkLists: 0,
  };
  return {
    repository,
    fold: repository.log.fold,
    found,
    counts,
    signal,
    listed,
    progress(phase, done, total, totalBytes = 0) {
      throwIfInterrupted(signal, 'verifying');
      onEvent({ type: 'progress', phase, done, total, bytes: counts.packBytes, totalBytes, errors: found.errorsSoFar });
    },
  };
}

/** Whether the storage holds the entry, by the listing or, where that is stale, by asking for it; its size. */
export async function sizeInStorage(
  { repository, listed, signal }: Verification,
  key: string,
): Promise<number | undefined> {
  return listed.get(key) ?? (await repository.backend.stat(key, { signal }))?.size;
}
