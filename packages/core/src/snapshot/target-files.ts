/**
 * The few file system calls of a checkout, by paths inside the target: none of them follows a link, whoever puts one in
 * the way (see `target-directories.ts`). They throw what `node:fs` throws, and 'target-unsafe'.
 */
import fs from 'node:fs';
import { errnoOf } from '../backend/local-file-system.ts';
import { bufferOfBytes, joinBytes, type ByteString } from '../format/byte-name.ts';
import { splitPath, type TargetDirectories } from './target-directories.ts';

export interface TargetFiles {
  /** What is at `path`, undefined if nothing. */
  look(path: ByteString): fs.Stats | undefined;
  /** Opens the file at `path` for reading; undefined if no file is there. */
  open(path: ByteString): number | undefined;
  /** Names in the folder at `path`, sorted by their bytes. */
  list(path: ByteString): ByteString[];
  makeFolder(path: ByteString, mode: number): void;
  /** Makes the folders that lead to `path`; gives those that it made. */
  makeParents(path: ByteString): ByteString[];
  /** Makes a symbolic link. */
  makeSymlink(path: ByteString, target: ByteString): void;
  /** Makes `path` another name of the file at `existing`. */
  makeLink(path: ByteString, existing: ByteString): void;
  /** Gives what is at `from` the name `to` in the same folder, in place of a file or link that has it. */
  rename(from: ByteString, to: ByteString): void;
  /** Removes the file or link at `path`, if there is one. */
  remove(path: ByteString): void;
  /** Removes what is at `path`, a folder with all that is in it. */
  removeAll(path: ByteString): void;
  /** Makes sure that the owner of the folder at `path` may read and change it. */
  openToOwner(path: ByteString): void;
  /** Where calls find `path`, until the next call here. */
  locate(path: ByteString): ByteString;
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

export function targetFiles(directories: TargetDirectories): TargetFiles {
  const locate = (path: ByteString): ByteString => {
    const { directory, name } = splitPath(path);
    return `${directories.locate(directory)}/${name}`;
  };

  const files: TargetFiles = {
    locate,

    // Most often nothing is there, and making an error of that costs more than the call.
    look: (path) => orAbsent(() => fs.lstatSync(bufferOfBytes(locate(path)), { throwIfNoEntry: false })),

    open(path) {
      // Without O_NONBLOCK a pipe that took the file's place would make the checkout wait for ever.
      const fd = orAbsent(() => fs.openSync(bufferOfBytes(locate(path)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
      if (fd === undefined || fs.fstatSync(fd).isFile()) return fd;
      fs.closeSync(fd);
      return undefined;
    },

    list(path) {
      return fs.readdirSync(bufferOfBytes(directories.locate(path)), { encoding: 'latin1' }).sort();
    },

    makeFolder: (path, mode) => fs.mkdirSync(bufferOfBytes(locate(path)), { mode }),

    makeParents(path) {
      const { directory } = splitPath(path);
      if (directory === '' || orAbsent(() => directories.locate(directory)) !== undefined) return [];
      const made = files.makeParents(directory);
      files.makeFolder(directory, 0o777);
      return [...made, directory];
    },

    makeSymlink: (path, target) => fs.symlinkSync(bufferOfBytes(target), bufferOfBytes(locate(path))),

    makeLink(path, existing) {
      const { directory, name } = splitPath(existing);
      directories.use(directory, ({ location }) => {
        fs.linkSync(bufferOfBytes(`${location}/${name}`), bufferOfBytes(locate(path)));
      });
    },

    rename(from, to) {
      // One folder, found once: nobody can put another between the two names.
      const { directory, name } = splitPath(from);
      const location = directories.locate(directory);
      fs.renameSync(bufferOfBytes(`${location}/${name}`), bufferOfBytes(`${location}/${splitPath(to).name}`));
    },

    remove: (path) => orAbsent(() => fs.unlinkSync(bufferOfBytes(locate(path)))),

    removeAll(path) {
      if (files.look(path)?.isDirectory() !== true) {
        files.remove(path);
        return;
      }
      files.openToOwner(path);
      for (const name of files.list(path)) files.removeAll(joinBytes(path, name));
      directories.forget(path);
      fs.rmdirSync(bufferOfBytes(locate(path)));
    },

    openToOwner(path) {
      directories.use(path, ({ fd }) => {
        const { mode } = fs.fstatSync(fd);
        if ((mode & 0o700) !== 0o700) fs.fchmodSync(fd, (mode & 0o7777) | 0o700);
      });
    },
  };
  return files;
}

/** What `call` gives, undefined when what it is about is not there. */
function orAbsent<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
