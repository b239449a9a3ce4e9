/** `mbk status`: how the source stands against the newest snapshot of each of its domains. */
import type { CommitId } from '../format/ids.ts';
import { timeText } from '../format/snapshot-manifest.ts';
import { headOf, lineOf } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { diffSnapshots, type DiffReport } from './diff.ts';
import { planSnapshot } from './plan-snapshot.ts';
import type { SnapshotRequest } from './snapshot.ts';

export interface DomainStatus {
  readonly domain: string;
  /** Files of the source that belong to it, and their bytes; null where there is no source. */
  readonly files: number | null;
  readonly bytes: number | null;
  /** Null before the first snapshot. */
  readonly newest: { readonly commit: CommitId; readonly tag: string | null; readonly takenAt: string } | null;
  /** What differs from the newest snapshot; null before the first, and without a source. */
  readonly changes: DiffReport | null;
}

export interface StatusReport {
  /** Sorted by domain: those of the source, and those of the repository that the source has no file of. */
  readonly domains: readonly DomainStatus[];
  /** Number of the newest log entry, and its hash: what `MBK_EXPECT_HEAD` takes. */
  readonly head: { readonly n: number; readonly hash: string };
}

/**
 * Reads what size and time cannot decide. Without a request there is no source, and the newest snapshots are told.
 * Errors: as `planSnapshot` and `diffSnapshots`.
 */
export async function statusOf(repository: Repository, request: SnapshotRequest | undefined): Promise<StatusReport> {
  const { fold, n, hash } = repository.log;
  const collections = request === undefined ? [] : (await planSnapshot(repository, request)).collections;
  const names = [...new Set([...collections.map(({ domain }) => domain), ...fold.heads.keys()])].sort();
  const domains: DomainStatus[] = [];
  for (const domain of names) {
    const own = collections.filter((one) => one.domain === domain);
    const files = own.reduce((sum, one) => sum + one.files, 0);
    const bytes = own.reduce((sum, one) => sum + one.bytes, 0);
    const commit = headOf(fold, domain);
    const line = commit === null ? undefined : lineOf(fold, commit);
    const newest = line === undefined ? null : { commit: line.to, tag: line.tag, takenAt: timeText(line.line.takenAt) };
    domains.push({
      domain,
      files: request === undefined ? null : files,
      bytes: request === undefined ? null : bytes,
      newest,
      changes: newest === null || request === undefined ? null : await changesOf(repository, request, domain),
    });
  }
  return { domains, head: { n, hash } };
}

function changesOf(
  repository: Repository,
  { root, exclude, assign, wants }: SnapshotRequest,
  domain: string,
): Promise<DiffReport> {
  const after = {
    root,
    exclude,
    isPart: (path: string) => assign(path).domain === domain,
    holds: (collection: string) => wants({ domain, collection }),
  };
  return diffSnapshots(repository, { before: domain, after, paths: [] });
}
