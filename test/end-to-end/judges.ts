/** Whether two folders are the same, said by programs that know nothing of mbk, and by what the system says of each path. */

import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { shell } from './site.ts';

/** Times are equal within so many nanoseconds: Node cannot set them more precisely than about 250. */
const toleranceNs = 1000n;

/**
 * Expects that `copy` has what `original` has and nothing else: content by `diff -r` and `sha256sum -c` (and rsync where
 * it is installed); types, modes, owners, times, sizes, targets and hard links by lstat.
 */
export function expectSameTree(copy: string, original: string): void {
  expect(factDifferences(copy, original)).toEqual([]);
  expect(shell(`diff -r --no-dereference -- "${original}" "${copy}" 2>&1 | head -n 50`, '/')).toBe('');
  expectSums(copy, sumsOf(original));
  if (hasRsync()) expect(shell(`rsync -nlrc --delete --itemize-changes "${original}/" "${copy}/"`, '/')).toBe('');
}

/** SHA-256 of every file, as `sha256sum` prints it. */
export function sumsOf(folder: string): string {
  return shell('find . -type f -print0 | sort -z | xargs -0 -r sha256sum --', folder);
}

/** Expects that `sha256sum -c` accepts `folder`. */
export function expectSums(folder: string, sums: string): void {
  if (sums === '') return;
  const { status, stdout } = spawnSync('sha256sum', ['--check', '--quiet', '--strict', '-'], {
    cwd: folder,
    input: Buffer.from(sums, 'latin1'),
    encoding: 'latin1',
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
}

/** What differs between two folders in what lstat says, a line each. */
export function factDifferences(copy: string, original: string): string[] {
  const [is, should] = [pathsIn(copy), pathsIn(original)];
  const differences: string[] = [];
  for (const path of should) if (!is.has(path)) differences.push(`${printable(path)} is missing`);
  for (const path of is) {
    if (!should.has(path)) differences.push(`${printable(path)} should not be there`);
    else differences.push(...differencesAt(path, copy, original));
  }
  return [...differences, ...linkDifferences(is, copy, original)];
}

function differencesAt(path: string, copy: string, original: string): string[] {
  const [is, should] = [statOf(copy, path), statOf(original, path)];
  const distance = is.mtimeNs > should.mtimeNs ? is.mtimeNs - should.mtimeNs : should.mtimeNs - is.mtimeNs;
  const differences = [
    ...(is.mode === should.mode ? [] : [`mode ${is.mode.toString(8)}, should be ${should.mode.toString(8)}`]),
    ...(is.uid === should.uid && is.gid === should.gid
      ? []
      : [`owner ${is.uid}:${is.gid}, should be ${should.uid}:${should.gid}`]),
    ...(distance <= toleranceNs ? [] : [`mtime ${is.mtimeNs}, should be ${should.mtimeNs}`]),
    ...(is.isDirectory() || is.size === should.size ? [] : [`size ${is.size}, should be ${should.size}`]),
    ...(is.isSymbolicLink() && targetOf(copy, path) !== targetOf(original, path) ? ['another target'] : []),
  ];
  return differences.map((difference) => `${printable(path)}: ${difference}`);
}

/** Names that are one file in one folder and not in the other. */
function linkDifferences(paths: ReadonlySet<string>, copy: string, original: string): string[] {
  const groupsIn = (folder: string): string[] => {
    const groups = new Map<bigint, string[]>();
    for (const path of paths) {
      const stats = statOrUndefined(folder, path);
      if (stats?.isFile() === true && stats.nlink > 1n) groups.set(stats.ino, [...(groups.get(stats.ino) ?? []), path]);
    }
    return [...groups.values()].map((group) => group.map(printable).toSorted().join(' = ')).toSorted();
  };
  const [is, should] = [groupsIn(copy), groupsIn(original)];
  return is.join('\n') === should.join('\n') ? [] : [`hard links are ${is.join('; ')}, should be ${should.join('; ')}`];
}

/** Paths below a folder, their bytes as latin1. */
function pathsIn(folder: string): Set<string> {
  const paths = new Set<string>();
  const walk = (path: string): void => {
    for (const name of readdirSync(locationOf(folder, path), { encoding: 'latin1' })) {
      const inner = path === '' ? name : `${path}/${name}`;
      paths.add(inner);
      if (statOf(folder, inner).isDirectory()) walk(inner);
    }
  };
  walk('');
  return paths;
}

/** Bytes of a path below a folder. */
export function locationOf(folder: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from(`/${path}`, 'latin1')]);
}

function statOf(folder: string, path: string): BigIntStats {
  return lstatSync(locationOf(folder, path), { bigint: true });
}

function statOrUndefined(folder: string, path: string): BigIntStats | undefined {
  return lstatSync(locationOf(folder, path), { bigint: true, throwIfNoEntry: false });
}

function targetOf(folder: string, path: string): string {
  return readlinkSync(locationOf(folder, path), { encoding: 'latin1' });
}

const printable = (path: string): string => JSON.stringify(path);

let rsync: boolean | undefined;
function hasRsync(): boolean {
  return (rsync ??= spawnSync('rsync', ['--version']).status === 0);
}

/** Files below a folder, by path. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
