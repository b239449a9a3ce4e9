/**
 * Writes a checkout into a folder, and never anything outside of it, whatever the names, links and folders of the
 * snapshot are, and whatever somebody puts in the way meanwhile.
 *
 * Files and links appear whole, with owner, mode and time; folders get theirs when all is written. All calls block.
 * Paths are names joined by `/`, from the target on; any other is 'target-unsafe'. Calls that the file system refuses
 * are 'target-failed'.
 */
import fs from 'node:fs';
import { errnoOf } from '../backend/local-file-system.ts';
import type { Random } from '../crypto/hash.ts';
import { bufferOfBytes, isName, joinBytes, type ByteString } from '../format/byte-name.ts';
import { toHex } from '../format/bytes.ts';
import type { FileTime } from '../format/tree.ts';
import { timeOfMs } from './file-time.ts';
import { hasFolderHandles } from './folder-handles.ts';
import { foldsNames, nameGuard } from './folded-names.ts';
import { mayReplace, type Overwrite } from './place-file.ts';
import { splitPath, targetDirectories, type HeldFolder, type UsedFolder } from './target-directories.ts';
import { checkInside, inTarget, inTheWay, notRestored } from './target-error.ts';
import { setFacts, setLinkFacts, type OnRefusedFact, type SetFactsOptions, type TargetFacts } from './target-facts.ts';
import { newFile, type TargetContent, type TargetWriter } from './target-file.ts';
import { targetFiles } from './target-files.ts';

export interface TargetOptions {
  readonly overwrite: Overwrite;
  /** Whether a file or link may also replace a folder with all that is in it; no unless given. */
  readonly replaceFolders?: boolean;
  /** Whether owners are restored; only root can. */
  readonly owners: boolean;
  /** Whether all is on the disk itself when `finish` returns; no unless given. */
  readonly fsync?: boolean;
  /** For the names of unfinished files. */
  readonly random: Random;
  /** Hears which fact of which path the file system refused; what was restored is whole all the same. */
  readonly onRefused?: (path: ByteString, ...refused: Parameters<OnRefusedFact>) => void;
  /** Whether upper and lower case are the same to the file system; found out unless given. */
  readonly foldsNames?: boolean;
  /** Whether folders are used by handle; where the system can unless given. */
  readonly handles?: boolean;
}

export interface TargetItem extends TargetFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Bytes of a file. */
  readonly size: number;
}

/** A file while it is written. */
export interface TargetFile extends TargetWriter {
  /** For threads that write and read parts of it, until it is finished or aborted. */
  readonly fd: number;
  /** Gives it its size, facts and name. */
  finish(): void;
  /** Removes it; what had its name stays. */
  abort(): void;
}

/** A path that was claimed, and its folder, held for whichever thread runs `placeFile`. */
export interface ReservedFile {
  /** Where `locateHeld` finds the folder. */
  readonly place: ByteString;
  readonly name: ByteString;
  readonly temporary: ByteString;
  /** Whether the folder is one that this run made, so that nothing of it can be in the way. */
  readonly isFree: boolean;
  /** Call it once, when that thread is done with it; `isPlaced` where it wrote the file. */
  settle(isPlaced: boolean): void;
  /** The same where it is not known how far it came: removes what is unfinished. */
  abort(): void;
}

export interface TargetFolder {
  /** How `locateHeld` finds the folders of reserved files. */
  readonly root: ByteString;
  readonly handles: boolean;
  /** What is at `path` now, undefined if nothing; links are not followed. */
  look(path: ByteString): TargetItem | undefined;
  /** Opens the file at `path` for reading; undefined if no file is there. The caller closes it. */
  open(path: ByteString): number | undefined;
  /** Names in the folder at `path` (`''` is the target), sorted by their bytes. */
  list(path: ByteString): ByteString[];
  /**
   * Makes the folder unless it is there; `finish` sets its facts, unless it was there and nothing may be replaced.
   * What stands in the way is replaced if all may be, else it is 'target-unsafe' (a link) or 'target-failed'.
   */
  directory(path: ByteString, facts: TargetFacts): void;
  /** Begins a file, and makes the folders that lead to it; undefined when what is there stays. */
  file(path: ByteString, facts: TargetFacts & TargetContent): TargetFile | undefined;
  /** Claims `path` for a file and makes the folders that lead to it. What is there is left to `placeFile`. */
  reserve(path: ByteString): ReservedFile;
  /** Makes a symbolic link; false when what is there stays. */
  symlink(path: ByteString, target: ByteString, facts: TargetFacts): boolean;
  /** Makes `path` another name of the file at `existing`; false when what is there stays. */
  link(path: ByteString, existing: ByteString): boolean;
  /** Removes all in the folder at `path` but the names to keep, folders with all that is in them; gives their paths. */
  removeExtra(path: ByteString, keep: (name: ByteString) => boolean): ByteString[];
  /** Gives the folders their facts, inner ones first; after it, only `close`. */
  finish(): void;
  /** Removes unfinished files. */
  close(): void;
}

/** Opens the target at the absolute path `root`, and makes it when it is not there. */
export function openTarget(root: ByteString, options: TargetOptions): TargetFolder {
  const { overwrite, replaceFolders = false, owners, fsync = false, random, handles = hasFolderHandles() } = options;
  const directories = inTarget('', 'opening', () => {
    fs.mkdirSync(bufferOfBytes(root), { recursive: true });
    return targetDirectories(root, handles);
  });
  const files = targetFiles(directories);
  const claim = nameGuard(options.foldsNames ?? inTarget('', 'writing into', () => foldsNames(root, random)));
  /** Facts of folders, to be set when nothing more is written into them, and of those that were made here which they are. */
  const unset = new Map<ByteString, { readonly facts: TargetFacts; readonly made: MadeFolder | undefined }>();
  /** Folders whose names are not yet on the disk. */
  const unsynced = new Set<ByteString>();
  /** Removes each unfinished file. */
  const unfinished = new Set<() => void>();

  /** Runs `call` for a path that was checked; system errors say what was being done. */
  const at = <T>(path: ByteString, doing: string, call: () => T): T => {
    checkInside(path);
    return inTarget(path, doing, call);
  };

  const settings = (path: ByteString): SetFactsOptions => {
    return { owners, onRefused: (fact, errno) => options.onRefused?.(path, fact, errno) };
  };

  /** Whether the folder at `path` is the very one that was made here, and not another that took its place. */
  const isMadeHere = (path: ByteString): boolean => {
    const made = unset.get(path)?.made;
    return handles && made !== undefined && directories.use(path, ({ fd }) => isSameFolder(made, fs.fstatSync(fd)));
  };

  const held = new Map<ByteString, HeldPlace>();
  /** Holds the folder at `directory`, which is made with those that lead to it; the same one while it is held. */
  const hold = (path: ByteString, directory: ByteString): HeldPlace => {
    const known = held.get(directory);
    if (known !== undefined) {
      known.holders += 1;
      return known;
    }
    for (const made of files.makeParents(path)) unsynced.add(splitPath(made).directory);
    const { place, release } = directories.hold(directory);
    const one = {
      place,
      isFree: isMadeHere(directory),
      holders: 1,
      release() {
        one.holders -= 1;
        if (one.holders > 0) return;
        held.delete(directory);
        release();
      },
    };
    held.set(directory, one);
    return one;
  };

  /** Makes way for something new; false when what is there stays. */
  const mayPlace = (path: ByteString, mtime: FileTime): boolean => {
    claim(path);
    for (const made of files.makeParents(path)) unsynced.add(splitPath(made).directory);
    const existing = files.look(path);
    if (existing === undefined) return true;
    if (existing.isDirectory() && !replaceFolders) throw inTheWay(path, 'folder');
    return mayReplace(existing, mtime, overwrite);
  };

  /** In hex, drawn for many names at once: a call for each takes as long as making the file. */
  let drawn = '';
  const temporaryName = (): ByteString => {
    if (drawn === '') drawn = toHex(random(8 * 256));
    const name = `.mbk-unfinished-${drawn.slice(0, 16)}`;
    drawn = drawn.slice(16);
    return name;
  };

  const temporaryFor = (path: ByteString): ByteString => joinBytes(splitPath(path).directory, temporaryName());

  const giveName = (temporary: ByteString, path: ByteString): void => {
    try {
      files.rename(temporary, path);
    } catch (error) {
      if (!replaceFolders || errnoOf(error) !== 'EISDIR') throw error;
      files.removeAll(path);
      files.rename(temporary, path);
    }
    unsynced.add(splitPath(path).directory);
  };

  /** Makes a link under a temporary name, then gives it its own. */
  const placeLink = (path: ByteString, make: (temporary: ByteString) => void): void => {
    const temporary = temporaryFor(path);
    try {
      make(temporary);
      giveName(temporary, path);
    } finally {
      // It is still there after an error, and when both names were of one file: then a rename does nothing.
      files.remove(temporary);
    }
  };

  const beginFile = (
    path: ByteString,
    { size, sparse, mode, owner, mtime }: TargetFacts & TargetContent,
  ): TargetFile => {
    const temporary = temporaryFor(path);
    const file = newFile(files.locate(temporary), { size, sparse });
    const abort = (): void => {
      if (!unfinished.delete(abort)) return;
      file.drop();
      files.remove(temporary);
    };
    unfinished.add(abort);
    return {
      fd: file.fd,
      write: (bytes, position) => inTarget(path, 'writing', () => file.write(bytes, position)),
      zeros: (position, length) => inTarget(path, 'writing', () => file.zeros(position, length)),
      finish() {
        if (!unfinished.has(abort)) throw new TypeError('expected a file that was not finished or aborted');
        try {
          inTarget(path, 'writing', () => {
            file.seal({ mode, owner, mtime }, { ...settings(path), fsync });
            giveName(temporary, path);
          });
          unfinished.delete(abort);
        } finally {
          abort();
        }
      },
      abort: () => inTarget(path, 'removing the unfinished', abort),
    };
  };

  return {
    root,
    handles,

    look(path) {
      const stats = at(path, 'looking at', () => files.look(path));
      return stats === undefined ? undefined : itemOf(stats);
    },

    open: (path) => at(path, 'reading', () => files.open(path)),

    list(path) {
      if (path !== '') checkInside(path);
      return inTarget(path, 'listing', () => files.list(path));
    },

    directory(path, facts) {
      at(path, 'making the folder', () => {
        claim(path);
        for (const made of files.makeParents(path)) unsynced.add(splitPath(made).directory);
        const existing = files.look(path);
        let made: MadeFolder | undefined;
        if (existing?.isDirectory() === true) {
          if (overwrite === 'never') return;
          files.openToOwner(path);
        } else {
          if (existing !== undefined) {
            if (overwrite !== 'always') throw inTheWay(path, existing.isSymbolicLink() ? 'link' : 'file');
            files.remove(path);
          }
          files.makeFolder(path, 0o700);
          made = directories.use(path, ({ fd }) => madeFolder(fs.fstatSync(fd)));
          unsynced.add(splitPath(path).directory);
        }
        unset.set(path, { facts, made });
      });
    },

    file: (path, facts) => {
      return at(path, 'writing', () => (mayPlace(path, facts.mtime) ? beginFile(path, facts) : undefined));
    },

    reserve(path) {
      const { directory, name } = splitPath(path);
      // The path of a folder that is held was checked already.
      const isChecked = held.has(directory) && isName(name) && path === joinBytes(directory, name);
      if (!isChecked) checkInside(path);
      return inTarget(path, 'writing', () => {
        claim(path);
        const folder = hold(path, directory);
        const temporary = temporaryName();
        const abort = (): void => {
          if (!unfinished.delete(abort)) return;
          try {
            files.remove(joinBytes(directory, temporary));
          } finally {
            folder.release();
          }
        };
        unfinished.add(abort);
        return {
          place: folder.place,
          name,
          temporary,
          isFree: folder.isFree,
          settle(isPlaced) {
            if (!unfinished.delete(abort)) throw new TypeError('expected a file that was not settled or aborted');
            if (isPlaced) unsynced.add(directory);
            folder.release();
          },
          abort: () => inTarget(path, 'removing the unfinished', abort),
        };
      });
    },

    symlink(path, target, facts) {
      return at(path, 'making the link', () => {
        if (!mayPlace(path, facts.mtime)) return false;
        placeLink(path, (temporary) => {
          files.makeSymlink(temporary, target);
          setLinkFacts(files.locate(temporary), facts, settings(path));
        });
        return true;
      });
    },

    link(path, existing) {
      checkInside(existing);
      return at(path, 'linking', () => {
        const file = files.look(existing);
        if (file?.isFile() !== true) throw notRestored(path, existing);
        if (!mayPlace(path, timeOfMs(file.mtimeMs))) return false;
        placeLink(path, (temporary) => files.makeLink(temporary, existing));
        return true;
      });
    },

    removeExtra(path, keep) {
      if (path !== '') checkInside(path);
      return inTarget(path, 'removing what is not in the snapshot from', () => {
        const extra = files
          .list(path)
          .filter((name) => !keep(name))
          .map((name) => joinBytes(path, name));
        if (extra.length > 0) files.openToOwner(path);
        for (const item of extra) files.removeAll(item);
        if (extra.length > 0) unsynced.add(path);
        return extra;
      });
    },

    finish() {
      const sync = ({ fd }: UsedFolder): void => (fsync ? fs.fsyncSync(fd) : undefined);
      for (const path of fsync ? unsynced : []) {
        if (!unset.has(path)) inTarget(path, 'syncing', () => directories.use(path, sync));
      }
      // In reverse order: what is in a folder comes before the folder, which may close itself even to its owner.
      for (const [path, { facts }] of [...unset].sort(([a], [b]) => (a < b ? 1 : -1))) {
        inTarget(path, 'setting mode and time of', () => {
          directories.use(path, (folder) => {
            setFacts(folder.fd, facts, settings(path));
            sync(folder);
          });
        });
      }
    },

    close() {
      for (const abort of unfinished) inTarget('', 'removing an unfinished file of', abort);
      directories.close();
    },
  };
}

interface HeldPlace extends HeldFolder {
  readonly isFree: boolean;
  holders: number;
}

/** What a folder is known by, whatever its path. */
interface MadeFolder {
  readonly dev: number;
  readonly ino: number;
}

function madeFolder({ dev, ino }: fs.Stats): MadeFolder {
  return { dev, ino };
}

function isSameFolder(a: MadeFolder, b: MadeFolder): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

function itemOf(stats: fs.Stats): TargetItem {
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other';
  const { size, mode, uid, gid, mtimeMs } = stats;
  return { kind, size, mode: mode & 0o7777, owner: [uid, gid], mtime: timeOfMs(mtimeMs) };
}
