/**
 * What every snapshot needs and no key: loaded while the key is derived from the passphrase, which leaves this thread
 * idle for a fifth of a second.
 */
import { calendarOf } from '../catalogue/calendar.ts';
import { loadSchemaCheck, type SchemaCheck } from '../catalogue/catalogue-schemas.ts';
import { writeGitObjects } from '../catalogue/write-git-objects.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { utf8 } from '../format/bytes.ts';
import type { ByteString } from '../format/byte-name.ts';
import type { RepositoryId } from '../format/ids.ts';
import { startThreads, type Threads } from '../pool/threads.ts';
import { captureJobs, captureTaskName } from '../snapshot/pipeline/file-taker.ts';
import { hasStatCache } from '../snapshot/stat-cache.ts';

/** For one snapshot; `snapshot` ends the threads. */
export interface SnapshotTools {
  readonly check: SchemaCheck;
  /** Undefined where it is not known yet whether there is enough to do. */
  readonly threads: Threads | undefined;
}

export interface PrepareSnapshotOptions {
  /** Folder of what this host remembers, as `openRepository` has it. */
  readonly stateFolder: string;
  readonly repository: RepositoryId;
  /** Absolute path of the source root. */
  readonly root: ByteString;
  /** As of the snapshot. */
  readonly jobs?: number | undefined;
  readonly timezone: string;
}

/** Loads the tools. Threads are started where the source was never read by this host, so that all of it will be. */
export async function prepareSnapshot(options: PrepareSnapshotOptions): Promise<SnapshotTools> {
  const { stateFolder, repository, root, timezone } = options;
  const jobs = captureJobs(options.jobs);
  const isFirst = !hasStatCache(statCachePlace(`${stateFolder}/${repository}`, root));
  const threads = jobs > 1 && isFirst ? startThreads(captureTaskName, jobs) : undefined;
  try {
    const check = await loadSchemaCheck();
    // The first use of each loads what the next ones find loaded.
    calendarOf(timezone);
    await writeGitObjects((git) => git.blob(new Uint8Array(0)));
    return { check, threads };
  } catch (error) {
    await threads?.close();
    throw error;
  }
}

/** Where the stat cache of a source root is, below the state folder of a repository. */
export function statCachePlace(
  stateFolder: string,
  root: ByteString,
): { readonly folder: string; readonly name: string } {
  return { folder: `${stateFolder}/stat`, name: sha256Hex(utf8(root)).slice(0, 32) };
}
