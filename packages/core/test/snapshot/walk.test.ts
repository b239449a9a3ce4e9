import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { bytesOfText } from '../../src/format/byte-name.ts';
import { walk, type WalkedFile, type WalkEvent, type WalkOptions } from '../../src/snapshot/walk.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { hostileNames, makeFolder, openFolder, symlink, withoutPrivileges, write } from './bytes-on-disk.ts';

const folder = temporaryFolders();

const shortly = (event: WalkEvent): string => {
  return event.type === 'problem'
    ? `problem ${event.problem.reason} ${event.problem.path}`
    : `${event.type} ${event.path}`;
};
const walked = (root: string, options?: WalkOptions): string[] => [...walk(root, options)].map(shortly);
const found = (root: string): Map<string, WalkEvent> => {
  return new Map(
    [...walk(root)].flatMap((event) =>
      event.type === 'problem' || event.type === 'leave' ? [] : [[event.path, event]],
    ),
  );
};

function newFolder(): string {
  const root = folder();
  makeFolder(root);
  return root;
}

describe('walk', () => {
  test('goes depth first, by the bytes of names', () => {
    const root = newFolder();
    makeFolder(root, 'a/b');
    makeFolder(root, 'empty');
    for (const path of ['a.txt', 'a/b/x', 'a/y', 'B', '\xff', '\xc3\xa4']) write(root, path);
    expect(walked(root)).toEqual([
      'enter ',
      'file B',
      'enter a',
      'enter a/b',
      'file a/b/x',
      'leave a/b',
      'file a/y',
      'leave a',
      'file a.txt',
      'enter empty',
      'leave empty',
      'file \xc3\xa4',
      'file \xff',
      'leave ',
    ]);
  });

  test('takes every name as its bytes are', () => {
    const root = newFolder();
    for (const name of hostileNames) {
      makeFolder(root, name);
      write(root, `${name}/${name}`, name);
    }
    const files = [...walk(root)].filter((event): event is WalkedFile => event.type === 'file');
    expect(files.map(({ path }) => path)).toEqual(hostileNames.map((name) => `${name}/${name}`).sort());
    for (const { location, name } of files) {
      expect(fs.readFileSync(Buffer.from(location, 'latin1'), 'utf8')).toBe(name);
    }
  });

  test('gives mode, owner, size and time as the file system has them', () => {
    const root = newFolder();
    write(root, 'f', '12345');
    fs.chmodSync(`${root}/f`, 0o4751);
    fs.utimesSync(`${root}/f`, '-5.25', '-5.25');
    expect(found(root).get('f')).toMatchObject({
      name: 'f',
      facts: { mode: 0o4751, size: 5, mtime: [-6, 750_000_000], links: 1 },
    });
    const { uid, gid } = fs.statSync(`${root}/f`);
    expect(found(root).get('f')).toMatchObject({ facts: { owner: [uid, gid], sparse: false } });
  });

  test('knows sparse files', () => {
    const root = newFolder();
    fs.closeSync(fs.openSync(`${root}/f`, 'w'));
    fs.truncateSync(`${root}/f`, 10_000_000);
    expect(found(root).get('f')).toMatchObject({ facts: { sparse: true, size: 10_000_000 } });
  });

  test('never goes through a symbolic link, wherever it leads', () => {
    const root = newFolder();
    makeFolder(root, 'd');
    write(root, 'd/f');
    const targets = { dangling: 'nowhere', absolute: '/etc', loop: 'loop', up: '..', folder: 'd', 'x\xff': 'd/\xff\n' };
    for (const [name, target] of Object.entries(targets)) symlink(root, name, target);
    const events = found(root);
    for (const [name, target] of Object.entries(targets))
      expect(events.get(name)).toMatchObject({ type: 'symlink', target });
    expect(events.size).toBe(Object.keys(targets).length + 3);
  });

  test('follows a symbolic link that is the root itself', () => {
    const root = newFolder();
    makeFolder(root, 'd');
    write(root, 'd/f');
    symlink(root, 'l', 'd');
    expect(walked(`${root}/l`)).toEqual(['enter ', 'file f', 'leave ']);
  });

  test('names of one file have one link, other files none or another', () => {
    const root = newFolder();
    for (const name of ['a', 'c', 'single']) write(root, name);
    fs.linkSync(`${root}/a`, `${root}/b`);
    fs.linkSync(`${root}/c`, `${root}/d`);
    const links = new Map(
      [...found(root)].map(([path, event]) => [path, event.type === 'file' ? event.link : undefined]),
    );
    expect(links.get('a')).toBe(links.get('b'));
    expect(links.get('c')).toBe(links.get('d'));
    expect(links.get('a')).not.toBe(links.get('c'));
    expect(links.get('single')).toBeUndefined();
    const { dev, ino } = fs.statSync(`${root}/a`, { bigint: true });
    expect(links.get('a')).toBe(`${dev}:${ino}`);
  });

  test('leaves out what is excluded, a folder with all that is in it', () => {
    const root = newFolder();
    makeFolder(root, 'out/deep');
    makeFolder(root, 'in');
    for (const path of ['out/deep/f', 'in/out', 'in/f', 'out2']) write(root, path);
    const asked: string[] = [];
    const exclude = (path: string, isDirectory: boolean): boolean => {
      asked.push(`${path} ${isDirectory}`);
      return path === 'out' || path === 'in/out';
    };
    expect(walked(root, { exclude })).toEqual(['enter ', 'enter in', 'file in/f', 'leave in', 'file out2', 'leave ']);
    expect(asked).toEqual(['in true', 'in/f false', 'in/out false', 'out true', 'out2 false']);
  });

  test('reports sockets, pipes and devices, and goes on', async () => {
    const root = newFolder();
    execFileSync('mkfifo', [`${root}/pipe`]);
    const server = createServer();
    // The path of a socket is short; the folder of the tests need not be.
    const before = process.cwd();
    process.chdir(root);
    await new Promise<void>((resolve) => server.listen('socket', resolve));
    process.chdir(before);
    write(root, 'z');
    expect(walked(root)).toEqual(['enter ', 'problem special pipe', 'problem special socket', 'file z', 'leave ']);
    await new Promise((resolve) => server.close(resolve));
    expect(walked('/dev', { exclude: (path) => path !== 'null' })).toEqual([
      'enter ',
      'problem special null',
      'leave ',
    ]);
  });

  test('reports what vanished since its folder was read', () => {
    const root = newFolder();
    makeFolder(root, 'b');
    for (const path of ['a', 'b/f', 'c', 'd']) write(root, path);
    const events: string[] = [];
    for (const event of walk(root)) {
      events.push(shortly(event));
      if (event.type === 'file' && event.path === 'a') {
        fs.rmSync(`${root}/b`, { recursive: true });
        fs.rmSync(`${root}/c`);
      }
    }
    expect(events).toEqual(['enter ', 'file a', 'problem vanished b', 'problem vanished c', 'file d', 'leave ']);
  });

  test('keeps a folder that cannot be read, empty and with a problem', () => {
    const root = openFolder(folder());
    withoutPrivileges(root, () => {
      fs.mkdirSync(`${root}/closed`);
      write(root, 'closed/f');
      write(root, 'z');
      fs.mkdirSync(`${root}/no-way-in`);
      write(root, 'no-way-in/g');
      fs.chmodSync(`${root}/closed`, 0o000);
      fs.chmodSync(`${root}/no-way-in`, 0o600);
      expect(walked(root)).toEqual([
        'enter ',
        'enter closed',
        'problem denied closed',
        'leave closed',
        'enter no-way-in',
        'problem denied no-way-in/g',
        'leave no-way-in',
        'file z',
        'leave ',
      ]);
      fs.chmodSync(`${root}/closed`, 0o700);
      fs.chmodSync(`${root}/no-way-in`, 0o700);
    });
  });

  test('goes deeper than the longest path that calls take, and its locations can be opened', () => {
    const root = newFolder();
    const name = 'n'.repeat(200);
    // 60 names of 200 bytes: three times as long as Linux takes.
    const before = process.cwd();
    process.chdir(root);
    for (let depth = 0; depth < 60; depth += 1) {
      fs.mkdirSync(name);
      process.chdir(name);
    }
    fs.writeFileSync('f', 'deep down');
    process.chdir(before);
    const openBefore = fs.readdirSync('/proc/self/fd').length;
    let read = '';
    let depth = 0;
    for (const event of walk(root)) {
      if (event.type === 'enter') depth += 1;
      if (event.type === 'problem') throw new Error(event.problem.message);
      if (event.type === 'file') {
        expect(event.path).toBe(`${`${name}/`.repeat(60)}f`);
        read = fs.readFileSync(event.location, 'utf8');
      }
    }
    expect(read).toBe('deep down');
    expect(depth).toBe(61);
    expect(fs.readdirSync('/proc/self/fd').length).toBe(openBefore);
    // Given up half way, it leaves no handle open either.
    for (const event of walk(root)) if (event.type === 'file') break;
    expect(fs.readdirSync('/proc/self/fd').length).toBe(openBefore);
  });

  test('stops when it is interrupted', () => {
    const root = newFolder();
    write(root, 'a');
    write(root, 'b');
    const controller = new AbortController();
    const events = walk(root, { signal: controller.signal });
    events.next();
    controller.abort();
    expect(() => events.next()).toThrow(expect.objectContaining({ code: 'interrupted' }));
  });

  test('on one file system leaves others empty', () => {
    // /proc is a file system of its own on every Linux.
    const others = walked('/', {
      oneFileSystem: true,
      exclude: (path) => path !== 'proc' && !path.startsWith('proc/'),
    });
    expect(others).toEqual(['enter ', 'enter proc', 'leave proc', 'leave ']);
  });

  test('a root that is not there, or is a file, is an error that names it', () => {
    const root = newFolder();
    write(root, bytesOfText('ä'));
    for (const path of [`${root}/none`, `${root}/${bytesOfText('ä')}`]) {
      expect(() => walk(path).next()).toThrow(expect.objectContaining({ code: 'source-absent' }));
    }
    expect(() => walk(`${root}/${bytesOfText('ä')}`).next()).toThrow('ä');
  });
});

describe('walk through links', () => {
  const follow = (root: string, options: WalkOptions = {}): string[] => walked(root, { dereference: true, ...options });

  test('takes files and folders that links lead to, also outside of the root', () => {
    const root = newFolder();
    const elsewhere = newFolder();
    write(elsewhere, 'blob', '12345');
    makeFolder(elsewhere, 'sub');
    write(elsewhere, 'sub/x');
    symlink(root, 'model.bin', `${elsewhere}/blob`);
    symlink(root, 'sub', `${elsewhere}/sub`);
    expect(follow(root)).toEqual(['enter ', 'file model.bin', 'enter sub', 'file sub/x', 'leave sub', 'leave ']);
    const [file] = [...walk(root, { dereference: true })].filter((event): event is WalkedFile => event.type === 'file');
    expect(file?.facts.size).toBe(5);
    expect(fs.readFileSync(file?.location ?? '', 'utf8')).toBe('12345');
    expect(walked(root)).toEqual(['enter ', 'symlink model.bin', 'symlink sub', 'leave ']);
  });

  test('leaves links that lead nowhere, to themselves, or back', () => {
    const root = newFolder();
    makeFolder(root, 'a/b');
    symlink(root, 'dangling', 'nowhere');
    symlink(root, 'self', 'self');
    symlink(root, 'a/up', '..');
    symlink(root, 'a/b/root', '../..');
    expect(follow(root)).toEqual([
      'enter ',
      'enter a',
      'enter a/b',
      'symlink a/b/root',
      'leave a/b',
      'symlink a/up',
      'leave a',
      'symlink dangling',
      'symlink self',
      'leave ',
    ]);
  });

  test('never goes into a folder that is ruled out, by whatever way', () => {
    const root = newFolder();
    const elsewhere = newFolder();
    makeFolder(elsewhere, 'repository/packs');
    write(elsewhere, 'beside');
    symlink(root, 'direct', `${elsewhere}/repository`);
    symlink(root, 'around', elsewhere);
    expect(follow(root, { never: [`${elsewhere}/repository`] })).toEqual([
      'enter ',
      'enter around',
      'file around/beside',
      'leave around',
      'symlink direct',
      'leave ',
    ]);
  });

  test('asks what to exclude by the path of the link', () => {
    const root = newFolder();
    makeFolder(root, 'real');
    write(root, 'real/x');
    symlink(root, 'link', 'real');
    expect(follow(root, { exclude: (path, isDirectory) => path === 'link' && isDirectory })).not.toContain(
      'file link/x',
    );
  });
});
