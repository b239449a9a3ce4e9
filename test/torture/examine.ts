/** Whether a repository still holds everything that was finished, and gives it back as it was. */
import {
  executeCheckout,
  isMbkError,
  readRepositoryId,
  verifyRepository,
  type Backend,
  type Repository,
} from '@mbk/core';
import { rmSync } from 'node:fs';
import { describeFolder, differenceOf, newFolder, partOf, type Description } from './describe-folder.ts';
import { openSite, type Site } from './site.ts';
import { storyOf, type Tally } from './tally.ts';

/** What each finished snapshot must give back: commit → what its domain looked like. */
export type Ledger = Map<string, Description>;

export interface ExamineOptions {
  readonly tally: Tally;
  /** Names the point in stories. */
  readonly where: string;
  readonly ledger: Ledger;
  /** What snapshots that the ledger does not know must give back: the source as it was while they were taken. */
  readonly current: Description;
  /** Folder to restore into. */
  readonly scratch: string;
  /** Whether every byte is read. */
  readonly data?: boolean;
  /** Whether all snapshots are restored; else those that the ledger does not know and the newest of each domain. */
  readonly all?: boolean;
}

export interface Examined {
  /** Newest snapshot of each domain. */
  readonly heads: ReadonlyMap<string, string>;
  readonly tags: ReadonlySet<string>;
  /** Names of the keys that open it. */
  readonly actors: ReadonlySet<string>;
  /** Newest log entry. */
  readonly n: number;
}

/** Opens, verifies, restores and compares; new snapshots that are sound enter the ledger. Undefined if it cannot be opened. */
export async function examine(site: Site, options: ExamineOptions): Promise<Examined | undefined> {
  const { tally, where, ledger } = options;
  let repository: Repository;
  try {
    repository = await openSite(site);
  } catch (error) {
    tally.fault('lost', `${where}: the repository cannot be opened: ${storyOf(error)}`);
    return undefined;
  }
  try {
    await verifySite(repository, options);
    await restoreAll(repository, options);
    const { fold } = repository.log;
    for (const commit of ledger.keys()) {
      if (!fold.lineOfCommit.has(commit as never))
        tally.fault('lost', `${where}: snapshot ${commit.slice(0, 12)} is not in the log`);
    }
    return {
      heads: new Map([...fold.lines.values()].map(({ domain, to }) => [domain, to])),
      tags: new Set(fold.tags.keys()),
      actors: new Set(
        [...fold.actors.values()].filter(({ removedAt }) => removedAt === undefined).map(({ name }) => name),
      ),
      n: fold.n,
    };
  } finally {
    await repository.close();
  }
}

/** Whether there is no repository: an init that was killed left nothing that counts. */
export async function isAbsent(backend: Backend): Promise<boolean> {
  try {
    await readRepositoryId(backend);
    return false;
  } catch (error) {
    if (isMbkError(error, 'repository-absent')) return true;
    throw error;
  }
}

async function verifySite(repository: Repository, { tally, where, data = true }: ExamineOptions): Promise<void> {
  try {
    const report = await verifyRepository(repository, { revisions: [], data });
    for (const { severity, code, message } of report.findings) {
      if (severity === 'error') tally.fault('amiss', `${where}: verify objects: ${code}: ${message}`);
    }
  } catch (error) {
    tally.fault('amiss', `${where}: verify ended with ${storyOf(error)}`);
  }
}

async function restoreAll(repository: Repository, options: ExamineOptions): Promise<void> {
  const { ledger, current, all = true } = options;
  const lines = [...repository.log.fold.lines.values()];
  const newest = new Set(new Map(lines.map(({ domain, to }) => [domain, to])).values());
  for (const { domain, to } of lines) {
    const known = ledger.get(to);
    if (known !== undefined && !all && !newest.has(to)) continue;
    const expected = known ?? partOf(current, domain);
    if ((await restoresAs(repository, to, expected, options)) && known === undefined) ledger.set(to, expected);
  }
}

async function restoresAs(
  repository: Repository,
  commit: string,
  expected: Description,
  options: ExamineOptions,
): Promise<boolean> {
  const { tally, where, scratch } = options;
  const folder = newFolder(scratch, 'restored');
  try {
    const target = Buffer.from(folder).toString('latin1');
    const { failures } = await executeCheckout(repository, { revision: commit, paths: [], target, owners: false });
    const [failure] = failures;
    if (failure !== undefined) {
      tally.fault('lost', `${where}: ${commit.slice(0, 12)}: ${JSON.stringify(failure.path)}: ${failure.message}`);
      return false;
    }
    const difference = differenceOf(expected, describeFolder(folder));
    if (difference !== undefined) tally.fault('wrong', `${where}: ${commit.slice(0, 12)}: ${difference}`);
    return difference === undefined;
  } catch (error) {
    tally.fault('lost', `${where}: ${commit.slice(0, 12)} cannot be restored: ${storyOf(error)}`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
