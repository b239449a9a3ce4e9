/** A folder of files in memory, for tests. */

import { createHash } from 'node:crypto';
import type { Folder, FolderFile } from './folder.ts';
import type { JsonObject } from './json.ts';
import { memoryReader } from './reader.ts';

/** A file of such a folder, with what a plugin is said to have found in it. */
export interface MemoryFolderFile {
  readonly bytes: Uint8Array;
  readonly kind?: string;
  readonly facts?: JsonObject;
}

/** The folder at `path` with these files, by relative path. */
export function memoryFolder(path: string, files: Readonly<Record<string, MemoryFolderFile>>): Folder {
  const prefix = path === '' ? '' : `${path}/`;
  return {
    path,
    async *files(): AsyncGenerator<FolderFile> {
      for (const name of Object.keys(files).toSorted()) {
        const file = files[name];
        if (file === undefined) continue;
        const { bytes, facts, kind } = file;
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const more = { ...(kind === undefined ? {} : { kind }), ...(facts === undefined ? {} : { facts }) };
        yield { path: name, size: bytes.length, sha256, ...more };
      }
    },
    async open(name, { signal } = {}) {
      signal?.throwIfAborted();
      const found = Object.hasOwn(files, name) ? files[name] : undefined;
      return found && memoryReader(prefix + name, found.bytes);
    },
  };
}
