/** What this host has verified of a repository so far, for `mbk status`. */
import fs from 'node:fs';
import { timeText } from '../format/snapshot-manifest.ts';
import { isDeleted, isLost } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { openVerifyMemory, verifyMemoryPath, type VerifyRun } from './verify/verify-memory.ts';

/** Times RFC 3339. */
export interface LastVerification {
  /** The newest run over all snapshots; null when this host never verified. */
  readonly last: VerifiedRun | null;
  /** Packs of the repository, and those of them that this host has read whole and found right. */
  readonly packs: number;
  readonly verifiedPacks: number;
  /** When the one of them was read that was not read for longest; null unless all packs were. */
  readonly allSince: string | null;
}

/** A run; `at` is when it ended. */
export interface VerifiedRun extends Omit<VerifyRun, 'at' | 'isPartial'> {
  readonly at: string;
}

/** Of a memory that is absent or cannot be read there is nothing to tell. */
export async function lastVerification(repository: Repository): Promise<LastVerification> {
  const { log, stateFolder } = repository;
  const rows = [...(await repository.index()).packs()].filter(
    ({ id }) => !isDeleted(log.fold, id) && !isLost(log.fold, id),
  );
  const none = { last: null, packs: rows.length, verifiedPacks: 0, allSince: null };
  if (!fs.existsSync(verifyMemoryPath(stateFolder))) return none;
  let memory;
  try {
    memory = openVerifyMemory(stateFolder);
    const run = memory.runs(100).find(({ isPartial }) => !isPartial);
    const verifiedAt = memory.verifiedAt();
    const times = rows.flatMap(({ id }) => verifiedAt.get(id) ?? []);
    const isAll = rows.length > 0 && times.length === rows.length;
    const oldest = times.reduce((least, at) => Math.min(least, at), Infinity);
    return {
      last: run === undefined ? null : shown(run),
      packs: rows.length,
      verifiedPacks: times.length,
      allSince: isAll ? timeText(oldest) : null,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    repository.notice(`what was verified here is not known: ${why}`);
    return none;
  } finally {
    memory?.close();
  }
}

function shown({ at, level, n, packs, packBytes, errors, warnings }: VerifyRun): VerifiedRun {
  return { at: timeText(at), level, n, packs, packBytes, errors, warnings };
}
