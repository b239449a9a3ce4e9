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
  /** Files of the source that belong to it, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Null before the first snapshot. */
  readonly newest: { readonly commit: CommitId; readonly tag: string | null; readonly takenAt: string } | null;
  /** What differs from the newest snapshot; null before the first. */
  readonly changes: DiffReport | null;
}

export interface StatusReport {
  /** Sorted by domain: those of the source, and those of the repository that the source has no file of. */
  readonly domains: readonly DomainStatus[];
  /** Number of the newest log entry, and its hash: what `MBK_EXPECT_HEAD` takes. */
  readonly head: { readonly n: number; readonly hash: string };
}

/** Reads what size and time cannot decide. Errors: as `planSnapshot` and `diffSnapshots`. */
export async function statusOf(repository: Repository, request: SnapshotRequest): Promise<StatusReport> {
  const { fold, n, hash } = repository.log;
  const { collections } = await planSnapshot(repository, request);
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
      files,
      bytes,
      newest,
      changes: newest === null ? null : await changesOf(repository, request, domain),
    });
  }
  return { domains, head: { n, hash } };
}

function changesOf(
  repository: Repository,
  { root, exclude, assign }: SnapshotRequest,
  domain: string,
): Promise<DiffReport> {
  const after = { root, exclude, isPart: (path: string) => assign(path).domain === domain };
  return diffSnapshots(repository, { before: domain, after, paths: [] });
}
