/**
 * The number of the newest entry (docs/format.md, The log): the first key of a LIST, then upward until absent.
 */
import type { Backend } from '../backend/backend.ts';
import type { RepositoryId } from '../format/ids.ts';
import { logKey, logNumberOf, logPrefix } from '../format/log-entry.ts';

export interface Head {
  /** Number of the newest entry; 0 when there is none. */
  readonly n: number;
  /** Keys above it that belong to no chain: nothing stands for a long way below them. */
  readonly strays: readonly number[];
}

/** A key with so many absent numbers right below it continues no log, whoever put it there. */
const longestHole = 16;

/** Finds the head; a list that is stale, or that names entries deleted since, does no harm. */
export async function findHead(backend: Backend, repository: RepositoryId, signal?: AbortSignal): Promise<Head> {
  const strays: number[] = [];
  const exists = async (n: number): Promise<boolean> =>
    (await backend.stat(logKey(repository, n), { signal })) !== undefined;
  for await (const listed of listNumbers(backend, repository, signal)) {
    if (!(await exists(listed))) continue;
    const n = await climb(listed, exists);
    if (await continuesChain(n, exists)) return { n, strays };
    strays.push(n);
  }
  return { n: 0, strays };
}

/** The newest number from `n`, which exists, upward. */
export async function climb(n: number, exists: (n: number) => Promise<boolean>): Promise<number> {
  let head = n;
  while (await exists(head + 1)) head += 1;
  return head;
}

async function continuesChain(n: number, exists: (n: number) => Promise<boolean>): Promise<boolean> {
  if (n === 1) return true;
  for (let below = n - 1; below >= Math.max(1, n - longestHole); below -= 1) if (await exists(below)) return true;
  return false;
}

/** Numbers of the log's keys, newest first: of one key, and only when that was not enough, of all. */
async function* listNumbers(backend: Backend, repository: RepositoryId, signal?: AbortSignal): AsyncGenerator<number> {
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
