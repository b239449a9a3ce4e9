/**
 * A file system in memory, as much of one as isomorphic-git needs to write objects.
 *
 * Git objects pass through it on their way into a sealed bundle, so nothing of a catalogue ever lies on a disk in the
 * clear. Folders exist as soon as a file below them does; making and removing them by hand is therefore nothing to do.
 */

/** Files by path, and the `fs` client over them. */
export interface MemoryFs {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly client: { readonly promises: MemoryFsPromises };
}

interface Stat {
  readonly size: number;
  readonly mode: number;
  readonly mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

interface MemoryFsPromises {
  readFile(path: string, options?: string | { readonly encoding?: string }): Promise<Uint8Array | string>;
  writeFile(path: string, data: Uint8Array | string): Promise<void>;
  unlink(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  mkdir(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  stat(path: string): Promise<Stat>;
  lstat(path: string): Promise<Stat>;
  readlink(path: string): Promise<never>;
  symlink(target: string, path: string): Promise<never>;
}

/** An empty file system; paths are absolute and separated by `/`. */
export function memoryFs(): MemoryFs {
  const files = new Map<string, Uint8Array>();

  const namesIn = (folder: string): string[] => {
    const prefix = folder.endsWith('/') ? folder : `${folder}/`;
    const names = new Set<string>();
    for (const path of files.keys()) {
      if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('/', 1)[0] ?? '');
    }
    return [...names];
  };
  const stat = async (path: string): Promise<Stat> => {
    const file = files.get(path);
    if (file === undefined && namesIn(path).length === 0) throw failure('ENOENT', path);
    return {
      size: file?.byteLength ?? 0,
      mode: file === undefined ? 0o40755 : 0o100644,
      mtimeMs: 0,
      isFile: () => file !== undefined,
      isDirectory: () => file === undefined,
      isSymbolicLink: () => false,
    };
  };

  const promises: MemoryFsPromises = {
    async readFile(path, options) {
      // isomorphic-git probes with no path at all whether the client speaks promises.
      const file = files.get(path);
      if (file === undefined) throw failure('ENOENT', String(path));
      const encoding = typeof options === 'string' ? options : options?.encoding;
      return encoding === undefined ? file.slice() : new TextDecoder().decode(file);
    },
    async writeFile(path, data) {
      files.set(path, typeof data === 'string' ? new TextEncoder().encode(data) : data.slice());
    },
    async unlink(path) {
      if (!files.delete(path)) throw failure('ENOENT', path);
    },
    async readdir(path) {
      const names = namesIn(path);
      if (names.length === 0) throw failure('ENOENT', path);
      return names;
    },
    async mkdir() {},
    async rmdir() {},
    stat,
    lstat: stat,
    async readlink(path) {
      throw failure('ENOENT', path);
    },
    async symlink(_target, path) {
      throw failure('EPERM', path);
    },
  };
  return { files, client: { promises } };
}

function failure(code: 'ENOENT' | 'EPERM', path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
