/** How much a folder holds, and whether two hold the same. */

import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';

export interface FolderFacts {
  readonly files: number;
  /** Sizes of files, not what the file system takes for them. */
  readonly bytes: number;
}

export function folderFacts(folder: string): FolderFacts {
  let files = 0;
  let bytes = 0;
  for (const { isFolder, size } of entriesBelow(folder)) {
    if (isFolder) continue;
    files += 1;
    bytes += size;
  }
  return { files, bytes };
}

/**
 * Throws unless both folders hold the same names with the same bytes, modes and whole seconds of time. What a restored
 * folder holds is worth a time only then.
 */
export function requireSameTree(is: string, should: string): void {
  const found = describeTree(is);
  const wanted = describeTree(should);
  for (const [path, facts] of wanted) {
    const got = found.get(path);
    if (got !== facts) throw new Error(`${join(is, path)} is ${got ?? 'missing'} and should be ${facts}`);
  }
  if (found.size > wanted.size) {
    const more = [...found.keys()].find((path) => !wanted.has(path));
    throw new Error(`${is} holds ${more ?? 'more'}, which ${should} does not`);
  }
}

interface Entry {
  /** Relative to the folder. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly facts: string;
}

function describeTree(folder: string): ReadonlyMap<string, string> {
  const described = new Map<string, string>();
  for (const { facts, isFolder, path } of entriesBelow(folder))
    described.set(path, isFolder ? facts : `${facts} ${contentOf(join(folder, path))}`);
  return described;
}

function* entriesBelow(folder: string, under = ''): Generator<Entry> {
  for (const name of readdirSync(join(folder, under))) {
    const path = under === '' ? name : `${under}/${name}`;
    const { mode, mtimeMs, size } = lstatSync(join(folder, path));
    const isFolder = (mode & 0o170000) === 0o040000;
    const seconds = isFolder ? '' : ` ${Math.floor(mtimeMs / 1000)} ${size}`;
    yield { path, isFolder, size, facts: `${mode.toString(8)}${seconds}` };
    if (isFolder) yield* entriesBelow(folder, path);
  }
}

const buffer = new Uint8Array(1 << 20);

function contentOf(path: string): string {
  if (lstatSync(path).isSymbolicLink()) return readlinkSync(path);
  const handle = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    for (let length = readSync(handle, buffer); length > 0; length = readSync(handle, buffer))
      hash.update(buffer.subarray(0, length));
    return hash.digest('hex');
  } finally {
    closeSync(handle);
  }
}
