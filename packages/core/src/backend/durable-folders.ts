import { dirname, join } from 'node:path';

import { errnoOf, type LocalFileSystem } from './local-file-system.ts';

/** Only the user of the repository looks into it. */
const folderMode = 0o700;

const closedErrnos: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);

/** What keeps the names of folders on the disk; remembers what it has seen done. */
export interface DurableFolders {
  /** Makes `folder`, below or at the root, and all above it; afterwards they survive a power cut. */
  ensure(folder: string): void;
  /** Makes `folder`, a child of the root whose content nobody misses. */
  ensureFleeting(folder: string): void;
  /** Brings the names in `folder` to the disk. */
  sync(folder: string): void;
  /** Makes the next `ensure` look again. */
  forget(): void;
}

/**
 * The folders of a repository at `root`, an absolute path.
 *
 * That a folder is there does not make its name durable: whoever made it may have died, or not yet come to the fsync. So
 * each folder's parent is fsynced once by every process, also when the folder was found.
 */
export function durableFolders(fs: LocalFileSystem, root: string): DurableFolders {
  const durable = new Set<string>();
  let rootSeen = false;

  return { ensure, ensureFleeting, sync, forget: () => durable.clear() };

  function ensure(folder: string): void {
    if (durable.has(folder)) return;
    if (folder === root) return ensureRoot();
    const parent = dirname(folder);
    ensure(parent);
    make(folder);
    // The siblings that are there before the fsync are durable after it: 256 folders of packs cost one fsync, not 256.
    const siblings = fs.readdirSync(parent).filter((item) => item.kind === 'folder');
    sync(parent);
    for (const { name } of siblings) durable.add(join(parent, name));
    durable.add(folder);
  }

  /** A root that is gone again is a disk that was unmounted: nothing is written to what lies below its mount point. */
  function ensureRoot(): void {
    if (!rootSeen) ensureFromTop(root);
    rootSeen = true;
  }

  /** All folders down to the root, which may be new for the same reasons. */
  function ensureFromTop(folder: string): void {
    const parent = dirname(folder);
    if (parent === folder) return;
    ensureFromTop(parent);
    const found = fs.statSync(folder) !== undefined;
    if (!found) make(folder);
    try {
      sync(parent);
    } catch (error) {
      // What lies above may be closed to this user; then others made it.
      if (!found || !closedErrnos.has(errnoOf(error) ?? '')) throw error;
    }
  }

  function ensureFleeting(folder: string): void {
    ensure(root);
    make(folder);
  }

  function make(folder: string): void {
    try {
      fs.mkdirSync(folder, folderMode);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }

  function sync(folder: string): void {
    try {
      fs.syncFolderSync(folder);
    } catch (error) {
      // Filesystems that keep names durable by themselves refuse to fsync a folder with this one error.
      if (errnoOf(error) !== 'EINVAL') throw error;
    }
  }
}
