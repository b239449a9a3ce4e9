/**
 * `mbk checkout`: writes the files of a snapshot into a folder, and never anything outside of it.
 *
 * Plan, then execute. Files appear whole, with their times and modes, or not at all; what is damaged is reported and the
 * rest is restored. What was there is replaced only as far as `overwrite` says.
 */
import { displayBytes, encodeByteText, type ByteString, type ByteText } from '../format/byte-name.ts';
import type { CommitId } from '../format/ids.ts';
import type { FileEntry } from '../format/tree.ts';
import type { Repository } from '../repository.ts';
import { isSameMetadata } from '../snapshot/compare-trees.ts';
import { openTarget, type TargetFolder } from '../snapshot/target-folder.ts';
import { isUnionDirectory, type BrokenFolder, type UnionEntry } from '../snapshot/union-tree.ts';
import { MbkError } from '../errors.ts';
import { isBadContent } from './bad-content.ts';
import { fail, newOutcome, noteFact, noteKept, type Outcome } from './checkout/outcome.ts';
import { planCheckout, type CheckoutPlan, type PlannedPath } from './checkout/plan.ts';
import { fileRestorer, type FileRestorer } from './checkout/restore-files.ts';
import { openSelection, type LinkGroupOf, type Selection } from './checkout/selection.ts';
import type { FileFate } from './checkout/waiting-file.ts';
import type { Threads } from '../pool/threads.ts';

export { planCheckout };
export type { CheckoutPlan, PlannedPath };
export type { CheckoutFailure, FactProblem } from './checkout/outcome.ts';

export interface CheckoutRequest {
  /** `REV` or `REV:PATH`; a folder that is named becomes the target itself. */
  readonly revision: string;
  /** Paths below it, which keep their place; everything without any. */
  readonly paths: readonly string[];
  /** Absolute path of the folder to write into; made when it is not there. */
  readonly target: ByteString;
  /** What in the target may be replaced. Without it the target must be empty. */
  readonly overwrite?: 'never' | 'newer' | 'always' | undefined;
  /** Whether what is not in the snapshot is removed from the folders that are checked out. */
  readonly delete?: boolean | undefined;
  /** Whether every file is read again once it is written. */
  readonly verify?: boolean | undefined;
  /** Whether owners are restored; only root can. */
  readonly owners: boolean;
  /** Whether all is on the disk itself at the end. */
  readonly fsync?: boolean | undefined;
  /** Threads, `defaultJobs()` unless given; with 1 there are none beside this one. */
  readonly jobs?: number | undefined;
  /** Bytes, or 256 files, from which threads are started; 16 MiB unless given. */
  readonly threadsFrom?: number | undefined;
  /** Threads that `prepareThreads` started. */
  readonly threads?: Threads | undefined;
}

/** How far a checkout is: files that are done with, bytes of these and of those under way, and the path that came last. */
export interface CheckoutProgress {
  readonly files: number;
  readonly bytes: number;
  readonly path: ByteString;
}

export interface CheckoutReport extends Readonly<Outcome> {
  readonly commit: CommitId;
  readonly domain: string;
  readonly target: ByteText;
  /** Collections that retention gave up: their files were not restored. */
  readonly expired: readonly string[];
  /** Whether nothing was removed because not everything could be restored. */
  readonly deleteSkipped: boolean;
}

/**
 * Carries out what `planCheckout` planned; it looks again at everything it replaces.
 *
 * Damage is in the report. Errors: those of opening the selection, `target-failed` (no room, a read-only target),
 * `interrupted`, those of the backend.
 */
export async function executeCheckout(
  repository: Repository,
  request: CheckoutRequest,
  { onProgress }: { readonly onProgress?: ((progress: CheckoutProgress) => void) | undefined } = {},
): Promise<CheckoutReport> {
  const selection = await openSelection(repository, request.revision, request.paths);
  const outcome = newOutcome();
  const done = { files: 0, bytes: 0 };
  const { overwrite = 'never', fsync = false } = request;
  const target = openTarget(request.target, {
    overwrite,
    replaceFolders: request.delete === true && request.overwrite === 'always',
    owners: request.owners,
    fsync,
    random: repository.random,
    onRefused: (path, fact, errno) => noteFact(outcome, path, fact, errno),
  });
  try {
    const files = fileRestorer({
      repository,
      target,
      outcome,
      overwrite,
      owners: request.owners,
      fsync,
      verify: request.verify ?? false,
      jobs: request.threads?.workers.length ?? request.jobs,
      threads: request.threads,
      threadsFrom: request.threadsFrom,
      onProgress({ path, bytes, files }) {
        done.files += files;
        done.bytes += bytes;
        onProgress?.({ ...done, path });
      },
    });
    try {
      await restoreAll(selection, { target, files, outcome });
    } finally {
      await files.close();
    }
    const isComplete = outcome.damaged === 0 && outcome.refused === 0;
    if (request.delete === true && isComplete) await removeExtra(selection, target, outcome);
    target.finish();
    return {
      ...outcome,
      commit: selection.commit,
      domain: selection.domain,
      target: encodeByteText(request.target),
      expired: selection.expired,
      deleteSkipped: request.delete === true && !isComplete,
    };
  } finally {
    target.close();
  }
}

interface Restoring {
  readonly target: TargetFolder;
  readonly files: FileRestorer;
  readonly outcome: Outcome;
}

async function restoreAll(selection: Selection, restoring: Restoring): Promise<void> {
  const { target, files, outcome } = restoring;
  const links = await linkRestorer(selection, restoring);
  const onBroken = ({ path, collection, error }: BrokenFolder): void =>
    fail(outcome, path, folderError(path, collection, error));
  for await (const entries of selection.entries(onBroken)) {
    for (const one of entries) {
      const { path, entry } = one;
      if (entry.type !== 'file') attempt(outcome, path, () => restoreOther(target, one, outcome));
      else if (!links.takes(path, entry)) {
        const full = files.add(path, entry, links.fateOf(path, entry));
        if (full !== undefined) await full;
      }
    }
  }
  await files.flush();
  await links.finish();
}

function restoreOther(target: TargetFolder, one: UnionEntry, outcome: Outcome): void {
  const { path, entry } = one;
  if (isUnionDirectory(one)) {
    target.directory(path, one.entry);
    outcome.directories += 1;
  } else if (entry.type === 'symlink') {
    if (target.symlink(path, entry.target, entry)) outcome.symlinks += 1;
    else noteKept(outcome, path);
  }
}

interface LinkRestorer {
  /** Whether the file is a further name of one that came before: `finish` makes it. */
  takes(path: ByteString, entry: FileEntry): boolean;
  /** Hears what became of the first name of a file. */
  fateOf(path: ByteString, entry: FileEntry): ((fate: FileFate) => void) | undefined;
  finish(): Promise<void>;
}

/** The name of a group whose file stands in the target as the snapshot has it. */
interface FirstName {
  readonly entry: FileEntry;
  path: ByteString | undefined;
}

/**
 * Hard links: the first name is a file like any other, the rest become links to it. Where that one could not be restored,
 * or the record speaks of files that are not the same, each is written by itself.
 */
async function linkRestorer(selection: Selection, { target, files, outcome }: Restoring): Promise<LinkRestorer> {
  const groups = await readLinks(selection, outcome);
  const firsts = new Map<LinkGroupOf, FirstName>();
  const further: { readonly path: ByteString; readonly entry: FileEntry; readonly group: LinkGroupOf }[] = [];

  const restoreAsFile = async (path: ByteString, entry: FileEntry, group: LinkGroupOf): Promise<void> => {
    const first: FirstName = { entry, path: undefined };
    firsts.set(group, first);
    await files.add(path, entry, (fate) => {
      if (fate === 'written' || fate === 'unchanged') first.path = path;
    });
    await files.flush();
  };

  return {
    takes(path, entry) {
      const group = groups.get(path);
      if (group === undefined || !firsts.has(group)) return false;
      further.push({ path, entry, group });
      return true;
    },
    fateOf(path, entry) {
      const group = groups.get(path);
      if (group === undefined) return undefined;
      const first: FirstName = { entry, path: undefined };
      firsts.set(group, first);
      return (fate) => {
        if (fate === 'written' || fate === 'unchanged') first.path = path;
      };
    },
    async finish() {
      for (const { path, entry, group } of further) {
        const first = firsts.get(group);
        const isSame =
          first !== undefined &&
          first.entry.sha256 === entry.sha256 &&
          first.entry.size === entry.size &&
          isSameMetadata(first.entry, entry);
        const existing = first?.path;
        if (!isSame) await files.add(path, entry);
        else if (existing === undefined) await restoreAsFile(path, entry, group);
        else {
          attempt(outcome, path, () => {
            if (target.link(path, existing)) outcome.links += 1;
            else outcome.kept += 1;
          });
        }
      }
      await files.flush();
    },
  };
}

/** Without a record of links that can be read, every name gets a file of its own. */
async function readLinks(selection: Selection, outcome: Outcome): Promise<ReadonlyMap<ByteString, LinkGroupOf>> {
  try {
    return await selection.readLinks();
  } catch (error) {
    if (!isBadContent(error)) throw error;
    fail(
      outcome,
      '',
      new MbkError(
        error.code,
        `which files are hard links is not known; each is restored by itself: ${error.message}`,
        { cause: error },
      ),
    );
    return new Map();
  }
}

async function removeExtra(selection: Selection, target: TargetFolder, outcome: Outcome): Promise<void> {
  /** Folders of which a part cannot be read, so that it is not known what belongs into them. */
  const unsure = new Set<ByteString>();
  for await (const { path, names } of selection.folders((broken) => unsure.add(broken.path))) {
    if (!unsure.has(path))
      attempt(
        outcome,
        path,
        () => void (outcome.removed += target.removeExtra(path, (name) => names.has(name)).length),
      );
  }
}

function attempt(outcome: Outcome, path: ByteString, work: () => void): void {
  try {
    work();
  } catch (error) {
    fail(outcome, path, error);
  }
}

function folderError(path: ByteString, collection: string, error: MbkError): MbkError {
  const shown = displayBytes(path) || 'the root of the snapshot';
  return new MbkError(error.code, `some of what ${collection} has in ${shown} cannot be restored: ${error.message}`, {
    details: error.details,
    cause: error,
  });
}
