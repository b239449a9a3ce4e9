/** `mbk show`: everything that one snapshot says of itself. */
import { MbkError } from '../errors.ts';
import type { CommitId } from '../format/ids.ts';
import type { CollectionState, SnapshotManifest } from '../format/snapshot-manifest.ts';
import { isExpired } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { historyRow, type HistoryRow } from './history.ts';

/** Sizes in bytes, times RFC 3339; what is not said here is as in `snapshot.json`. */
export interface ShownSnapshot {
  readonly commit: CommitId;
  readonly domain: string;
  readonly parent: CommitId | null;
  readonly tags: readonly string[];
  readonly takenAt: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly message: string;
  readonly host: string;
  readonly plan: string | null;
  readonly run: string;
  readonly actor: SnapshotManifest['actor'];
  readonly tool: string;
  readonly source: SnapshotManifest['source'];
  readonly flags: readonly string[];
  readonly totals: SnapshotManifest['totals'];
  readonly collections: readonly ShownCollection[];
  readonly notes: SnapshotManifest['notes'];
  readonly notesOmitted: number;
  readonly manifestSha256: string;
  /** Why the commit before it could not be compared with what this one says of it; null when all is well. */
  readonly parentProblem: string | null;
  /** Number of the log entry that holds it. */
  readonly entry: number;
}

/** A collection of a snapshot, and whether retention gave up its files. */
export type ShownCollection = CollectionState & { readonly expired: boolean };

/** Errors: `revision-unknown`, `revision-ambiguous`, and those of reading the catalogue. */
export async function showSnapshot(repository: Repository, revision: string): Promise<ShownSnapshot> {
  const { log, signal } = repository;
  const { commit: id } = repository.resolve(revision);
  const row = knownRow(repository, id);
  const { commit, manifest, parentProblem } = await repository.catalogue().readSnapshot(id, { signal });
  const { startedAt, finishedAt, message, host, plan, run, actor, tool, source, totals, notes, notesOmitted } =
    manifest;
  return {
    commit: id,
    domain: row.domain,
    parent: row.parent,
    tags: row.tags,
    takenAt: row.takenAt,
    startedAt,
    finishedAt,
    message,
    host,
    plan,
    run,
    actor,
    tool,
    source,
    flags: row.flags,
    totals,
    collections: manifest.collections.map((collection) => ({
      ...collection,
      expired: isExpired(log.fold, collection.commit ?? id, collection.name),
    })),
    notes,
    notesOmitted,
    manifestSha256: commit.manifestSha256,
    parentProblem: parentProblem?.message ?? null,
    entry: row.entry,
  };
}

function knownRow({ log }: Repository, commit: CommitId): HistoryRow {
  const row = historyRow(log.fold, commit);
  if (row === undefined) throw new MbkError('revision-unknown', `the log knows no commit ${commit}`);
  return row;
}
