/**
 * Where a log may end (docs/format.md, The log): the first key of a LIST, then upward until absent.
 */
import type { Backend } from '../backend/backend.ts';
import type { RepositoryId } from '../format/ids.ts';
import { logKey, logNumberOf, logPrefix } from '../format/log-entry.ts';

/**
 * Numbers that the head may have, the likeliest first; each exists. Nearly always the first is it.
 *
 * A list that is stale, or that names entries deleted since, does no harm. The later ones are for a storage that somebody
 * put keys into that continue no log.
 */
export async function* headCandidates(
  backend: Backend,
  repository: RepositoryId,
  signal?: AbortSignal,
): AsyncGenerator<number> {
  const exists = async (n: number): Promise<boolean> =>
    (await backend.stat(logKey(repository, n), { signal })) !== undefined;
  let isFirst = true;
  for await (const listed of listNumbers(backend, repository, signal)) {
    if (!(await exists(listed))) continue;
    yield isFirst ? await climb(listed, exists) : listed;
    isFirst = false;
  }
}

/** The newest number from `n`, which exists, upward. */
export async function climb(n: number, exists: (n: number) => Promise<boolean>): Promise<number> {
  let head = n;
  while (head < Number.MAX_SAFE_INTEGER && (await exists(head + 1))) head += 1;
  return head;
}

/** Numbers of the log's keys, newest first: of one key, and only when that was not enough, of all. */
async function* listNumbers(
  backend: Backend,
  repository: RepositoryId,
  signal: AbortSignal | undefined,
): AsyncGenerator<number> {
  let first: number | undefined;
  for await (const { key } of backend.list(logPrefix(repository), { limit: 1, signal })) {
    first = logNumberOf(repository, key);
    if (first !== undefined) yield first;
  }
  for await (const { key } of backend.list(logPrefix(repository), { signal })) {
    const n = logNumberOf(repository, key);
    if (n !== undefined && n !== first) yield n;
  }
}
