/** `mbk snapshot --dry-run`: what a snapshot would take and what of it would be read, by one walk that reads no file. */
import type { ByteString } from '../format/byte-name.ts';
import type { Repository } from '../repository.ts';
import type { SourceProblem } from '../snapshot/source-facts.ts';
import type { CollectionRef } from '../snapshot/stat-cache.ts';
import { walk, walkOptionsOf } from '../snapshot/walk.ts';
import { isReusable, openStatCacheOf, type SnapshotRequest } from './snapshot.ts';

export interface PlannedCollection extends CollectionRef {
  readonly files: number;
  readonly symlinks: number;
  readonly bytes: number;
  /** Files that are new or may have changed: they would be read. */
  readonly readFiles: number;
  readonly readBytes: number;
}

export interface SnapshotPlan {
  /** Sorted by domain, then collection. */
  readonly collections: readonly PlannedCollection[];
  readonly problems: readonly SourceProblem[];
}

type Tally = { -readonly [Field in keyof PlannedCollection]: PlannedCollection[Field] };

/** Errors: those of the walk (`interrupted`), and of the system if the root cannot be read. */
export async function planSnapshot(repository: Repository, request: SnapshotRequest): Promise<SnapshotPlan> {
  const { root, assign, wants, force } = request;
  const statCache = openStatCacheOf(repository, request);
  const tallies = new Map<string, Tally>();
  const problems: SourceProblem[] = [];
  const tallyOf = (path: ByteString): Tally | undefined => {
    const ref = assign(path);
    if (!wants(ref)) return undefined;
    const key = `${ref.domain} ${ref.collection}`;
    const tally = tallies.get(key) ?? { ...ref, files: 0, symlinks: 0, bytes: 0, readFiles: 0, readBytes: 0 };
    tallies.set(key, tally);
    return tally;
  };
  try {
    for (const event of walk(root, walkOptionsOf({ ...request, signal: repository.signal }))) {
      if (event.type === 'problem') problems.push(event.problem);
      if (event.type !== 'file' && event.type !== 'symlink') continue;
      const tally = tallyOf(event.path);
      if (tally === undefined) continue;
      if (event.type === 'symlink') {
        tally.symlinks += 1;
        continue;
      }
      const { size } = event.facts;
      tally.files += 1;
      tally.bytes += size;
      const known = force === true ? undefined : statCache.lookup(event.path, event.facts);
      if (known !== undefined && isReusable(repository, known.capture)) continue;
      tally.readFiles += 1;
      tally.readBytes += size;
    }
  } finally {
    statCache.close();
  }
  const keys = [...tallies.keys()].sort();
  return { collections: keys.flatMap((key) => tallies.get(key) ?? []), problems };
}
