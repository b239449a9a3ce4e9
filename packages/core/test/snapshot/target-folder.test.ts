import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isMbkError } from '../../src/errors.ts';
import { bufferOfBytes } from '../../src/format/byte-name.ts';
import type { FileTime } from '../../src/format/tree.ts';
import { isSameTime, timeOfMs } from '../../src/snapshot/file-time.ts';
import type { TargetFacts } from '../../src/snapshot/target-facts.ts';
import { openTarget, type TargetFolder, type TargetOptions } from '../../src/snapshot/target-folder.ts';
import { seededRandom } from '../backend/random.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { hostileNames, makeFolder, openFolder, symlink, withoutPrivileges, write } from './bytes-on-disk.ts';

const newFolder = temporaryFolders();
const next = seededRandom(1);
const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => next() * 256);

const mtime: FileTime = [1_600_000_000, 123_456_789];
const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const facts: TargetFacts = { mode: 0o640, owner: [own.uid, own.gid], mtime };

function target(root: string, options: Partial<TargetOptions> = {}): TargetFolder {
  return openTarget(root, { overwrite: 'never', owners: false, random, ...options });
}

function put(folder: TargetFolder, path: string, content: string, changes: Partial<TargetFacts> = {}): boolean {
  const bytes = Buffer.from(content);
  const file = folder.file(path, { ...facts, ...changes, size: bytes.length, sparse: false });
  if (file === undefined) return false;
  file.write(bytes, 0);
  file.finish();
  return true;
}

const read = (root: string, path: string): string => fs.readFileSync(bufferOfBytes(`${root}/${path}`), 'utf8');
const names = (root: string): string[] => fs.readdirSync(bufferOfBytes(root), { encoding: 'latin1' }).sort();

/** A program that gives the name `d` to a folder and to a link to the outside in turn, as fast as it can. */
const swapForEver = `
  const fs = require('node:fs');
  const [root, outside] = process.argv.slice(1);
  const at = (name) => root + '/' + name;
  fs.symlinkSync(outside, at('link'));
  fs.writeSync(1, 'x');
  for (;;) {
    try {
      fs.renameSync(at('d'), at('folder'));
      fs.renameSync(at('link'), at('d'));
      fs.renameSync(at('d'), at('link'));
      fs.renameSync(at('folder'), at('d'));
    } catch {
      // The checkout made a folder where none was for a moment.
      if (fs.existsSync(at('folder'))) fs.rmSync(at('folder'), { recursive: true });
      if (!fs.existsSync(at('link'))) fs.symlinkSync(outside, at('link'));
      if (!fs.existsSync(at('d'))) fs.mkdirSync(at('d'));
    }
  }`;

/** The tests run with folders by handle, and as on systems that have none. */
describe.each([[true], [false]])('a target folder, by handle: %s', (handles) => {
  const open = (root: string, options: Partial<TargetOptions> = {}): TargetFolder =>
    target(root, { handles, ...options });

  test('has files, links and folders with their modes and times, folders last', () => {
    const root = `${newFolder()}/not/yet`;
    const folder = open(root);
    folder.directory('d', { ...facts, mode: 0o750 });
    folder.directory('d/closed', { ...facts, mode: 0o500, mtime: [-5, 250_000_000] });
    put(folder, 'd/closed/f', 'inside', { mode: 0o4711 });
    put(folder, 'd/empty', '');
    folder.symlink('d/link', '../\xff nowhere', { ...facts, mtime: [-1, 999_999_000] });
    folder.finish();
    folder.close();
    expect(names(root)).toEqual(['d']);
    expect(names(`${root}/d`)).toEqual(['closed', 'empty', 'link']);
    expect(read(root, 'd/closed/f')).toBe('inside');
    const expected: [string, number, FileTime][] = [
      ['d', 0o750, mtime],
      ['d/closed', 0o500, [-5, 250_000_000]],
      ['d/closed/f', 0o4711, mtime],
      ['d/empty', 0o640, mtime],
    ];
    for (const [path, mode, time] of expected) {
      const stats = fs.lstatSync(`${root}/${path}`);
      expect([path, stats.mode & 0o7777]).toEqual([path, mode]);
      expect(isSameTime(timeOfMs(stats.mtimeMs), time)).toBe(true);
    }
    expect(fs.readlinkSync(`${root}/d/link`, { encoding: 'latin1' })).toBe('../\xff nowhere');
    expect(isSameTime(timeOfMs(fs.lstatSync(`${root}/d/link`).mtimeMs), [-1, 999_999_000])).toBe(true);
  });

  test('takes every name as its bytes are', () => {
    const root = newFolder();
    const folder = open(root);
    for (const name of hostileNames) {
      folder.directory(name, facts);
      put(folder, `${name}/${name}`, name);
    }
    folder.finish();
    folder.close();
    expect(names(root)).toEqual([...hostileNames].sort());
    for (const name of hostileNames) expect(read(root, `${name}/${name}`)).toBe(name);
  });

  test.each(['../out', '/etc/x', 'a/../../out', '.', '..', '', 'a//b', 'a/', 'a\0b', 'x'.repeat(256)])(
    'refuses the path %j',
    (path) => {
      const root = newFolder();
      const folder = open(root);
      const unsafe = expect.objectContaining({ code: 'target-unsafe' });
      expect(() => folder.directory(path, facts)).toThrow(unsafe);
      expect(() => folder.file(path, { ...facts, size: 1, sparse: false })).toThrow(unsafe);
      expect(() => folder.symlink(path, 'x', facts)).toThrow(unsafe);
      expect(() => folder.reserve(path)).toThrow(unsafe);
      const held = [folder.reserve('file'), folder.reserve('a/file')];
      expect(() => folder.reserve(path)).toThrow(unsafe);
      for (const one of held) one.settle(false);
      put(folder, 'f', '');
      expect(() => folder.link(path, 'f')).toThrow(unsafe);
      expect(() => folder.link('g', path)).toThrow(unsafe);
      expect(() => folder.look(path)).toThrow(unsafe);
      if (path !== '') expect(() => folder.removeExtra(path, () => false)).toThrow(unsafe);
      expect(names(root)).toEqual(['a', 'f']);
      folder.close();
    },
  );

  test('writes nothing through a link that was there before, nor removes or reads through it', () => {
    const outside = newFolder();
    makeFolder(outside);
    write(outside, 'kept', 'kept');
    const root = newFolder();
    makeFolder(root, 'real');
    symlink(root, 'link', outside);
    symlink(root, 'real/link', '..');
    const folder = open(root, { overwrite: 'newer', replaceFolders: true });
    const unsafe = expect.objectContaining({ code: 'target-unsafe' });
    for (const path of ['link', 'real/link']) {
      expect(() => put(folder, `${path}/f`, 'x')).toThrow(unsafe);
      expect(() => folder.symlink(`${path}/f`, 'x', facts)).toThrow(unsafe);
      expect(() => folder.directory(`${path}/f`, facts)).toThrow(unsafe);
      expect(() => folder.directory(path, facts)).toThrow(unsafe);
      expect(() => folder.list(path)).toThrow(unsafe);
      expect(() => folder.removeExtra(path, () => false)).toThrow(unsafe);
      expect(() => folder.look(`${path}/kept`)).toThrow(unsafe);
    }
    expect(() => folder.link('stolen', 'link/kept')).toThrow(unsafe);
    folder.finish();
    folder.close();
    expect(names(outside)).toEqual(['kept']);
    expect(names(root)).toEqual(['link', 'real']);
  });

  test('replaces a link by a file or a folder without touching what it leads to, if all may be replaced', () => {
    const outside = newFolder();
    makeFolder(outside);
    write(outside, 'f', 'kept');
    const root = newFolder();
    makeFolder(root);
    symlink(root, 'file', `${outside}/f`);
    symlink(root, 'folder', outside);
    const folder = open(root, { overwrite: 'always' });
    put(folder, 'file', 'new');
    folder.directory('folder', facts);
    put(folder, 'folder/g', 'in');
    folder.finish();
    folder.close();
    expect([read(outside, 'f'), read(root, 'file'), read(root, 'folder/g')]).toEqual(['kept', 'new', 'in']);
    expect(names(outside)).toEqual(['f']);
  });

  test('overwrites nothing, what is older, or all', () => {
    const older: FileTime = [mtime[0] - 1, mtime[1]];
    const later: FileTime = [mtime[0] + 1, mtime[1]];
    const cases: [TargetOptions['overwrite'], string[]][] = [
      ['never', []],
      ['newer', ['newer']],
      ['always', ['newer', 'older', 'same']],
    ];
    for (const [overwrite, replaced] of cases) {
      const root = newFolder();
      const first = open(root);
      for (const name of ['newer', 'older', 'same']) put(first, name, 'before');
      first.close();
      const folder = open(root, { overwrite });
      expect(put(folder, 'newer', 'after', { mtime: later })).toBe(replaced.includes('newer'));
      expect(put(folder, 'older', 'after', { mtime: older })).toBe(replaced.includes('older'));
      expect(put(folder, 'same', 'after')).toBe(replaced.includes('same'));
      expect(put(folder, 'absent', 'after')).toBe(true);
      expect(names(root).filter((name) => read(root, name) === 'after')).toEqual(['absent', ...replaced]);
      folder.close();
    }
  });

  test('replaces a folder by a file or link only if it is told to', () => {
    const root = newFolder();
    makeFolder(root, 'd/e');
    makeFolder(root, 'l');
    write(root, 'd/e/f');
    fs.chmodSync(`${root}/d/e`, 0o500);
    const careful = open(root, { overwrite: 'always' });
    expect(() => put(careful, 'd', 'file')).toThrow(
      expect.objectContaining({ code: 'target-failed', message: expect.stringContaining('folder is at d') }),
    );
    expect(() => careful.symlink('l', 'x', facts)).toThrow(expect.objectContaining({ code: 'target-failed' }));
    careful.close();
    const folder = open(root, { overwrite: 'always', replaceFolders: true });
    put(folder, 'd', 'file');
    folder.symlink('l', 'x', facts);
    folder.finish();
    folder.close();
    expect(read(root, 'd')).toBe('file');
    expect(fs.readlinkSync(`${root}/l`)).toBe('x');
    expect(names(root)).toEqual(['d', 'l']);
  });

  test('leaves a folder that is there as it is when nothing may be replaced', () => {
    const root = newFolder();
    makeFolder(root, 'd');
    fs.chmodSync(`${root}/d`, 0o711);
    const folder = open(root);
    folder.directory('d', { ...facts, mode: 0o700 });
    put(folder, 'd/f', '');
    folder.finish();
    folder.close();
    expect(fs.statSync(`${root}/d`).mode & 0o777).toBe(0o711);
    const other = open(root, { overwrite: 'newer' });
    other.directory('d', { ...facts, mode: 0o700 });
    other.finish();
    other.close();
    expect(fs.statSync(`${root}/d`).mode & 0o777).toBe(0o700);
  });

  test('links names to one file', () => {
    const root = newFolder();
    const folder = open(root, { overwrite: 'always' });
    put(folder, 'a/b/first', 'content');
    put(folder, 'x/y/third', 'was another file');
    expect(folder.link('x/y/second', 'a/b/first')).toBe(true);
    expect(folder.link('x/y/third', 'a/b/first')).toBe(true);
    // Again: both names are of one file already.
    expect(folder.link('x/y/third', 'a/b/first')).toBe(true);
    expect(() => folder.link('z', 'a/b')).toThrow(expect.objectContaining({ code: 'target-failed' }));
    expect(() => folder.link('z', 'a/none')).toThrow(expect.objectContaining({ code: 'target-failed' }));
    folder.finish();
    folder.close();
    expect(fs.statSync(`${root}/a/b/first`).nlink).toBe(3);
    expect([names(`${root}/a/b`), names(`${root}/x/y`)]).toEqual([['first'], ['second', 'third']]);
  });

  test('does not write into a file that has another name outside', () => {
    const root = newFolder();
    makeFolder(root);
    write(root, 'outside', 'kept');
    fs.linkSync(`${root}/outside`, `${root}/inside`);
    const folder = open(root, { overwrite: 'always' });
    put(folder, 'inside', 'new');
    folder.close();
    expect([read(root, 'outside'), read(root, 'inside')]).toEqual(['kept', 'new']);
  });

  test('writes pieces in any order, with holes in sparse files only', () => {
    const root = newFolder();
    const folder = open(root);
    const size = 8 * 1_048_576;
    for (const sparse of [true, false]) {
      const file = folder.file(String(sparse), { ...facts, size, sparse });
      file?.zeros(4 * 1_048_576, 4 * 1_048_576);
      file?.write(Buffer.from('second'), 1_048_576);
      file?.zeros(6, 1_048_576 - 6);
      file?.write(Buffer.from('first '), 0);
      file?.zeros(1_048_582, 3 * 1_048_576 - 6);
      file?.finish();
    }
    folder.finish();
    folder.close();
    const expected = Buffer.alloc(size);
    expected.write('first ');
    expected.write('second', 1_048_576);
    expect(fs.readFileSync(`${root}/true`).equals(expected)).toBe(true);
    expect(fs.readFileSync(`${root}/false`).equals(expected)).toBe(true);
    expect(fs.statSync(`${root}/true`).blocks * 512).toBeLessThan(100_000);
    expect(fs.statSync(`${root}/false`).blocks * 512).toBeGreaterThanOrEqual(size);
  });

  test('shows a file only when it is whole, and removes what was not finished', () => {
    const root = newFolder();
    makeFolder(root);
    write(root, 'f', 'before');
    const folder = open(root, { overwrite: 'always' });
    const file = folder.file('f', { ...facts, size: 5, sparse: false });
    file?.write(Buffer.from('aft'), 0);
    expect(read(root, 'f')).toBe('before');
    expect(() => file?.write(Buffer.from('more'), 3)).toThrow(RangeError);
    const [unfinished = ''] = names(root);
    expect(fs.statSync(`${root}/${unfinished}`).mode & 0o777).toBe(0o600);
    file?.abort();
    file?.abort();
    expect(() => file?.finish()).toThrow(TypeError);
    folder.file('g', { ...facts, size: 5, sparse: false });
    expect(names(root).length).toBe(2);
    folder.close();
    expect(names(root)).toEqual(['f']);
    expect(read(root, 'f')).toBe('before');
  });

  test('removes what is extra, links themselves and folders whole', () => {
    const outside = newFolder();
    makeFolder(outside);
    write(outside, 'kept');
    const root = newFolder();
    makeFolder(root, 'd/extra/deep/deeper');
    write(root, 'd/extra/deep/deeper/f');
    write(root, 'd/keep');
    write(root, 'd/\xff');
    symlink(root, 'd/extra/deep/link', outside);
    symlink(root, 'd/link', outside);
    fs.chmodSync(`${root}/d/extra/deep`, 0o500);
    const folder = open(root);
    expect(folder.list('d')).toEqual(['extra', 'keep', 'link', '\xff']);
    expect(folder.removeExtra('d', (name) => name === 'keep')).toEqual(['d/extra', 'd/link', 'd/\xff']);
    expect(folder.removeExtra('', () => true)).toEqual([]);
    folder.close();
    expect([names(`${root}/d`), names(outside)]).toEqual([['keep'], ['kept']]);
  });

  test('tells what is there', () => {
    const root = newFolder();
    const folder = open(root);
    put(folder, 'f', '12345');
    folder.symlink('l', 'f', facts);
    folder.directory('d', facts);
    expect(folder.look('f')).toMatchObject({ kind: 'file', size: 5, mode: 0o640, owner: facts.owner });
    expect(isSameTime(folder.look('f')?.mtime ?? [0, 0], mtime)).toBe(true);
    expect(folder.look('l')?.kind).toBe('symlink');
    expect(folder.look('d')?.kind).toBe('directory');
    expect(folder.look('none')).toBeUndefined();
    expect(folder.look('none/deeper')).toBeUndefined();
    folder.close();
  });

  test('two names that the file system takes for one are an error that names both', () => {
    const root = newFolder();
    const folder = open(root, { foldsNames: true, overwrite: 'always' });
    folder.directory('Models', facts);
    put(folder, 'Models/a', '');
    expect(() => folder.directory('models', facts)).toThrow('models and Models');
    expect(() => put(folder, 'Models/A', '')).toThrow(expect.objectContaining({ code: 'target-collision' }));
    folder.close();
    expect(names(`${root}/Models`)).toEqual(['a']);
  });

  test('with fsync does the same', () => {
    const root = newFolder();
    const folder = open(root, { fsync: true });
    folder.directory('d', { ...facts, mode: 0o500 });
    put(folder, 'd/f', 'x');
    put(folder, 'made/on/the/way', 'y');
    folder.finish();
    folder.close();
    expect([read(root, 'd/f'), read(root, 'made/on/the/way')]).toEqual(['x', 'y']);
  });

  test('gives up the rights of another user who cannot be made the owner', () => {
    const root = newFolder();
    const folder = open(root);
    put(folder, 'theirs', '', { mode: 0o6755, owner: [own.uid + 1, own.gid] });
    put(folder, 'ours', '', { mode: 0o6755 });
    folder.close();
    expect(fs.statSync(`${root}/theirs`).mode & 0o7777).toBe(0o755);
    expect(fs.statSync(`${root}/ours`).mode & 0o7777).toBe(0o6755);
  });

  test.runIf(own.uid === 0)('restores owners as root', () => {
    const root = newFolder();
    const folder = open(root, { owners: true });
    const theirs: TargetFacts = { ...facts, owner: [1234, 5678] };
    put(folder, 'f', '', { mode: 0o6755, owner: theirs.owner });
    folder.symlink('l', 'f', theirs);
    folder.directory('d', theirs);
    folder.finish();
    folder.close();
    for (const name of ['f', 'l', 'd']) {
      const { uid, gid } = fs.lstatSync(`${root}/${name}`);
      expect([name, uid, gid]).toEqual([name, 1234, 5678]);
    }
    expect(fs.statSync(`${root}/f`).mode & 0o7777).toBe(0o6755);
  });

  test('hears which facts were refused, and restores the rest', () => {
    const root = openFolder(newFolder());
    const refused: string[] = [];
    withoutPrivileges(root, () => {
      const folder = open(root, {
        owners: true,
        onRefused: (path, fact, errno) => refused.push(`${path} ${fact} ${errno}`),
      });
      put(folder, 'f', 'whole', { owner: [0, 0] });
      folder.close();
    });
    expect(refused).toEqual(own.uid === 0 ? ['f owner EPERM'] : expect.any(Array));
    expect(read(root, 'f')).toBe('whole');
  });

  test('says what it could not write, and to which path', () => {
    const root = openFolder(newFolder());
    makeFolder(root, 'closed');
    fs.chmodSync(`${root}/closed`, 0o555);
    withoutPrivileges(root, () => {
      const folder = open(root);
      expect(() => put(folder, 'closed/\xff', 'x')).toThrow(
        expect.objectContaining({
          code: 'target-failed',
          message: 'writing closed/\\xff failed: EACCES',
          details: { path: 'closed/\\xff', errno: 'EACCES' },
        }),
      );
      folder.close();
    });
    expect(() => open('/dev/null/x')).toThrow(expect.objectContaining({ code: 'target-failed' }));
  });

  test('opens to its owner what it must write into, and closes it again', () => {
    const root = openFolder(newFolder());
    withoutPrivileges(root, () => {
      const first = open(root);
      first.directory('d', { ...facts, mode: 0o500 });
      put(first, 'd/f', 'one');
      first.finish();
      first.close();
      const folder = open(root, { overwrite: 'always' });
      folder.directory('d', { ...facts, mode: 0o500 });
      put(folder, 'd/f', 'two');
      expect(folder.removeExtra('d', (name) => name === 'f')).toEqual([]);
      folder.finish();
      folder.close();
    });
    expect(read(root, 'd/f')).toBe('two');
    expect(fs.statSync(`${root}/d`).mode & 0o777).toBe(0o500);
  });
});

describe('a target folder by handle', () => {
  test('stays in the folder that it checked when somebody swaps it for a link', () => {
    const outside = newFolder();
    makeFolder(outside);
    const root = newFolder();
    const folder = target(root);
    folder.directory('d', facts);
    const file = folder.file('d/f', { ...facts, size: 1, sparse: false });
    const swap = (name: string, away: string): void => {
      fs.renameSync(`${root}/${name}`, `${root}/${away}`);
      fs.symlinkSync(outside, `${root}/${name}`);
    };
    swap('d', 'moved');
    file?.write(Buffer.from('x'), 0);
    file?.finish();
    put(folder, 'd/g', 'y');
    folder.symlink('d/l', 'z', facts);
    folder.finish();
    folder.close();
    expect(names(outside)).toEqual([]);
    expect(names(`${root}/moved`)).toEqual(['f', 'g', 'l']);
    // A run that begins after the swap refuses the link.
    const later = target(root, { overwrite: 'always' });
    expect(() => put(later, 'd/h', '')).toThrow(expect.objectContaining({ code: 'target-unsafe' }));
    later.close();
    expect(names(outside)).toEqual([]);
  });

  test('writes nothing outside while a program swaps folders and links all the time', async () => {
    const outside = newFolder();
    makeFolder(outside);
    const root = newFolder();
    makeFolder(root, 'd');
    const swapper = spawn(process.execPath, ['-e', swapForEver, root, outside], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(swapper.stdout, 'data');
    const refusals = new Set<string>();
    let written = 0;
    for (let i = 0; i < 20_000 && (written < 200 || refusals.size < 2); i += 1) {
      // A new one each time: it must find the folder anew.
      const folder = target(root, { overwrite: 'always', foldsNames: false });
      try {
        if (put(folder, `d/f${i % 7}`, 'x')) written += 1;
        folder.removeExtra('d', () => false);
      } catch (error) {
        refusals.add(isMbkError(error) ? error.code : String(error));
      }
      folder.close();
    }
    swapper.kill();
    await once(swapper, 'exit');
    expect(written).toBeGreaterThan(0);
    // The folder is a link, or away, for a moment: both were met, and neither led anywhere else.
    expect([...refusals].sort()).toEqual(['target-failed', 'target-unsafe']);
    expect(names(outside)).toEqual([]);
  });

  test('writes deeper than the longest path that calls take', () => {
    const root = newFolder();
    const folder = target(root);
    const name = 'n'.repeat(200);
    const path = Array(60).fill(name);
    for (let depth = 1; depth <= 60; depth += 1) folder.directory(path.slice(0, depth).join('/'), facts);
    put(folder, [...path, 'f'].join('/'), 'deep down');
    put(folder, 'top', '');
    folder.link([...path, 'l'].join('/'), 'top');
    folder.link('first', [...path, 'f'].join('/'));
    folder.finish();
    expect(folder.look([...path, 'f'].join('/'))).toMatchObject({ kind: 'file', size: 9 });
    expect(read(root, 'first')).toBe('deep down');
    folder.removeExtra('', () => false);
    folder.close();
    expect(names(root)).toEqual([]);
  });

  test('holds few handles, and none when it is closed', () => {
    const root = newFolder();
    const before = fs.readdirSync('/proc/self/fd').length;
    const folder = target(root);
    for (let i = 0; i < 300; i += 1) {
      folder.directory(`d${i}`, facts);
      put(folder, `d${i}/f`, '');
    }
    expect(fs.readdirSync('/proc/self/fd').length - before).toBeLessThan(80);
    folder.finish();
    folder.file('unfinished', { ...facts, size: 1, sparse: false });
    folder.close();
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});
