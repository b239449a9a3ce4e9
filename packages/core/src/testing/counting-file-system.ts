import type { LocalFileSystem } from '../backend/local-file-system.ts';

/** A filesystem call that is about to be made. */
export interface FileSystemCall {
  /** How many calls were begun, this one included, over everything that shares the counter. */
  readonly count: number;
  readonly name: keyof LocalFileSystem;
  /** The path or paths of the call; empty for one on an open file. */
  readonly paths: readonly string[];
}

/**
 * The same filesystem, which tells `onCall` of each call before it is made.
 *
 * `onCall` may throw (see `errnoError`): then the call is not made. It may kill the process. And it may return a
 * function, which runs once the call was made and may throw: then the call has its effect and fails. To count over
 * several threads give them all one `counter`, the first element of an array in shared memory.
 */
export function countingFileSystem(
  fs: LocalFileSystem,
  onCall: (call: FileSystemCall) => void | (() => void),
  counter: Int32Array = new Int32Array(new SharedArrayBuffer(4)),
): LocalFileSystem {
  function counted<T>(name: keyof LocalFileSystem, paths: readonly string[], call: () => T): T {
    const after = onCall({ count: Atomics.add(counter, 0, 1) + 1, name, paths });
    const result = call();
    if (typeof after === 'function') after();
    return result;
  }

  return {
    createSync: (path, mode) => counted('createSync', [path], () => fs.createSync(path, mode)),
    openSync: (path) => counted('openSync', [path], () => fs.openSync(path)),
    writeSync: (fd, bytes, offset, length) => counted('writeSync', [], () => fs.writeSync(fd, bytes, offset, length)),
    readSync: (fd, bytes, offset, length, position) =>
      counted('readSync', [], () => fs.readSync(fd, bytes, offset, length, position)),
    fsyncSync: (fd) => counted('fsyncSync', [], () => fs.fsyncSync(fd)),
    syncFolderSync: (path) => counted('syncFolderSync', [path], () => fs.syncFolderSync(path)),
    closeSync: (fd) => counted('closeSync', [], () => fs.closeSync(fd)),
    fstatSync: (fd) => counted('fstatSync', [], () => fs.fstatSync(fd)),
    statSync: (path) => counted('statSync', [path], () => fs.statSync(path)),
    linkSync: (path, newPath) => counted('linkSync', [path, newPath], () => fs.linkSync(path, newPath)),
    unlinkSync: (path) => counted('unlinkSync', [path], () => fs.unlinkSync(path)),
    mkdirSync: (path, mode) => counted('mkdirSync', [path], () => fs.mkdirSync(path, mode)),
    readdirSync: (path) => counted('readdirSync', [path], () => fs.readdirSync(path)),
  };
}
