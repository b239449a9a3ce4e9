import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filePlacer, type Overwrite, type Placed } from '../../src/snapshot/place-file.ts';
import { locateHeld } from '../../src/snapshot/target-directories.ts';
import { openTarget, type ReservedFile, type TargetFolder } from '../../src/snapshot/target-folder.ts';
import { seededRandom } from '../backend/random.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { makeFolder } from './bytes-on-disk.ts';

const newFolder = temporaryFolders();
const next = seededRandom(1);
const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => next() * 256);
const own = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0] as const;

interface PlaceOptions {
  readonly overwrite?: Overwrite;
  readonly seconds?: number;
}

/** What a thread does with a path that the target reserved. */
function place(
  { root, handles }: Pick<TargetFolder, 'root' | 'handles'>,
  { place: at, name, temporary, isFree }: ReservedFile,
  content: string,
  { overwrite = 'never', seconds = 1_600_000_000 }: PlaceOptions = {},
): Placed {
  const bytes = Buffer.from(content);
  return filePlacer({ overwrite, owners: false, fsync: false })(
    locateHeld(root, handles)(at),
    { name, temporary, isFree, mode: 0o640, owner: own, mtime: [seconds, 0] },
    bytes,
    () => undefined,
  );
}

const names = (root: string): string[] => fs.readdirSync(root).sort();
const read = (path: string): string => fs.readFileSync(path, 'utf8');

/** With folders by handle, and as on systems that have none. */
describe.each([[true], [false]])('a file that is placed, by handle: %s', (handles) => {
  const open = (root: string): TargetFolder => openTarget(root, { overwrite: 'never', owners: false, random, handles });

  test('is there whole, with its facts, in folders that were made for it', () => {
    const root = newFolder();
    const folder = open(root);
    const file = folder.reserve('a/b/c');
    expect(place(folder, file, 'whole')).toBe('written');
    file.settle(true);
    expect(() => file.settle(true)).toThrow(TypeError);
    file.abort();
    folder.finish();
    folder.close();
    expect(read(`${root}/a/b/c`)).toBe('whole');
    expect(names(`${root}/a/b`)).toEqual(['c']);
    const { mode, mtimeMs } = fs.statSync(`${root}/a/b/c`);
    expect([mode & 0o7777, mtimeMs]).toEqual([0o640, 1_600_000_000_000]);
  });

  test('replaces nothing, what is older, or all; a folder and what is not in it are left alone', () => {
    const root = newFolder();
    makeFolder(root);
    const outside = newFolder();
    fs.writeFileSync(outside, 'outside');
    const folder = open(root);
    const rounds: readonly (readonly [Overwrite, number, Placed])[] = [
      ['never', 1_700_000_000, 'kept'],
      ['newer', 1_500_000_000, 'kept'],
      ['newer', 1_700_000_000, 'written'],
      ['always', 1_500_000_000, 'written'],
    ];
    for (const [overwrite, seconds, placed] of rounds) {
      fs.writeFileSync(`${root}/f`, 'there');
      fs.utimesSync(`${root}/f`, 1_600_000_000, 1_600_000_000);
      const file = folder.reserve('f');
      expect(place(folder, file, 'new', { overwrite, seconds })).toBe(placed);
      file.settle(placed === 'written');
      expect(read(`${root}/f`)).toBe(placed === 'written' ? 'new' : 'there');
    }
    fs.symlinkSync(outside, `${root}/link`);
    expect(place(folder, folder.reserve('link'), 'new', { overwrite: 'always' })).toBe('written');
    fs.mkdirSync(`${root}/d`);
    expect(place(folder, folder.reserve('d'), 'new', { overwrite: 'always' })).toBe('left');
    folder.close();
    expect([read(outside), read(`${root}/link`)]).toEqual(['outside', 'new']);
    expect(names(root)).toEqual(['d', 'f', 'link']);
  });

  test('does not take the folder that stands there, nor a file in a folder that was not made here', () => {
    const root = newFolder();
    const facts = { mode: 0o755, owner: own, mtime: [0, 0] as const };
    makeFolder(root);
    fs.mkdirSync(`${root}/there`);
    const folder = open(root);
    folder.directory('made', facts);
    folder.directory('there', facts);
    const [inMade, other, inThere] = [folder.reserve('made/f'), folder.reserve('made/g'), folder.reserve('there/f')];
    expect([inMade.isFree, inThere.isFree]).toEqual([handles, false]);
    // Somebody else fills the folders meanwhile.
    fs.mkdirSync(`${root}/made/f`);
    fs.writeFileSync(`${root}/there/f`, 'theirs');
    expect([place(folder, inMade, 'x'), place(folder, other, 'y'), place(folder, inThere, 'z')]).toEqual([
      'left',
      'written',
      'kept',
    ]);
    for (const file of [inMade, other, inThere]) file.settle(false);
    expect([names(`${root}/made`), read(`${root}/made/g`), read(`${root}/there/f`)]).toEqual([
      ['f', 'g'],
      'y',
      'theirs',
    ]);
    folder.close();
  });

  test('in a folder that took the place of one made here replaces nothing', () => {
    const root = newFolder();
    const folder = open(root);
    folder.directory('d', { mode: 0o755, owner: own, mtime: [0, 0] });
    folder.reserve('d/first').settle(false);
    fs.renameSync(`${root}/d`, `${root}/moved`);
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, 'theirs');
    // As when so many other folders were used meanwhile that its handle was closed.
    for (let i = 0; i < 100; i += 1) folder.reserve(`other-${i}/f`).settle(false);
    const file = folder.reserve('d/f');
    expect(file.isFree).toBe(false);
    expect(place(folder, file, 'new')).toBe('kept');
    file.settle(false);
    expect(read(`${root}/d/f`)).toBe('theirs');
    folder.close();
  });

  test('that nobody finished is removed when the target closes', () => {
    const root = newFolder();
    const folder = open(root);
    const { temporary } = folder.reserve('d/f');
    fs.writeFileSync(`${root}/d/${temporary}`, 'half');
    folder.close();
    expect(names(`${root}/d`)).toEqual([]);
  });

  test('that could not be written leaves nothing', () => {
    const root = newFolder();
    const folder = open(root);
    const file = folder.reserve('f');
    const long = { ...file, name: 'x'.repeat(300) };
    expect(() => place(folder, long, 'y')).toThrow(expect.objectContaining({ code: 'ENAMETOOLONG' }));
    expect(names(root)).toEqual([]);
    folder.close();
  });

  test('never goes through a link that took the place of its folder', () => {
    const outside = newFolder();
    makeFolder(outside);
    const root = newFolder();
    const folder = open(root);
    const file = folder.reserve('d/f');
    fs.renameSync(`${root}/d`, `${root}/moved`);
    fs.symlinkSync(outside, `${root}/d`);
    if (handles) expect(place(folder, file, 'x')).toBe('written');
    else expect(() => place(folder, file, 'x')).toThrow(expect.objectContaining({ code: 'target-unsafe' }));
    expect(names(outside)).toEqual([]);
    expect(names(`${root}/moved`)).toEqual(handles ? ['f'] : []);
    fs.unlinkSync(`${root}/d`);
    fs.renameSync(`${root}/moved`, `${root}/d`);
    folder.close();
  });
});

test('folders stay open while files of them are reserved, also when they are removed, and none at the end', () => {
  const root = newFolder();
  const before = names('/proc/self/fd').length;
  const folder = openTarget(root, { overwrite: 'always', replaceFolders: true, owners: false, random });
  const first = folder.reserve('first/f');
  folder.symlink('first', 'elsewhere', { mode: 0o777, owner: own, mtime: [0, 0] });
  const files = Array.from({ length: 200 }, (_, i) => folder.reserve(`d${i}/f`));
  // The number of the folder that is gone has not become that of another.
  expect(() => place(folder, first, 'x', { overwrite: 'always' })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  for (const file of files) {
    expect(place(folder, file, 'y')).toBe('written');
    file.settle(true);
  }
  first.settle(false);
  expect(names('/proc/self/fd').length - before).toBeLessThan(80);
  folder.finish();
  folder.close();
  expect(names('/proc/self/fd').length).toBe(before);
  expect(names(root)).toHaveLength(201);
});
