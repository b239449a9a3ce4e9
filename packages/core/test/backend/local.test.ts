import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { faulty } from '../../src/backend/faulty.ts';
import { localBackend } from '../../src/backend/local.ts';
import { nodeFileSystem, type LocalFileSystem } from '../../src/backend/local-file-system.ts';
import { metered } from '../../src/backend/metered.ts';
import { countingFileSystem, errnoError, recordingFileSystem, type FileSystemCall } from '../../src/testing.ts';
import { keysOf } from './keys-of.ts';
import { temporaryFolders } from './temporary-folder.ts';

const newFolder = temporaryFolders();
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('what lies in the folder', () => {
  test('an entry is a read-only file at its key, folders are private, nothing temporary stays', async () => {
    const folder = newFolder();
    await localBackend(folder).put('packs/3f/a', [bytes(1, 2)]);
    const file = fs.statSync(join(folder, 'packs/3f/a'));
    expect([file.size, file.mode & 0o7777, file.nlink]).toEqual([2, 0o400, 1]);
    for (const path of ['', 'packs', 'packs/3f', 'tmp']) {
      expect(fs.statSync(join(folder, path)).mode & 0o7777).toBe(0o700);
    }
    expect(fs.readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  test('the folder is made with all above it, and only by a put', async () => {
    const folder = join(newFolder(), 'deep/down');
    const backend = localBackend(`${folder}/`);
    expect(await keysOf(backend)).toEqual([]);
    expect(fs.existsSync(folder)).toBe(false);
    await backend.put('a', [bytes(1)]);
    expect(fs.readFileSync(join(folder, 'a'))).toEqual(Buffer.of(1));
    expect(backend.name).toBe(`folder ${folder}`);
  });

  test('a path that depends on the working folder is a programming mistake', () => {
    expect(() => localBackend('backups')).toThrow(TypeError);
  });

  test('what is not ours is no entry: links, pipes, names that are no keys', async () => {
    const folder = newFolder();
    const backend = localBackend(folder);
    await backend.put('real/a', [bytes(1)]);
    fs.symlinkSync('real/a', join(folder, 'link'));
    fs.symlinkSync('nowhere', join(folder, 'dangling'));
    fs.symlinkSync('circle', join(folder, 'circle'));
    fs.symlinkSync('..', join(folder, 'real/loop'));
    fs.writeFileSync(join(folder, 'README'), 'hello');
    fs.mkdirSync(join(folder, 'lost+found'));
    fs.mkdirSync(join(folder, 'k'.repeat(199)));
    fs.writeFileSync(join(folder, 'k'.repeat(199), 'kk'), 'longer than any key');
    fs.writeFileSync(join(folder, 'tmp', '0'.repeat(32)), 'left over');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(await keysOf(backend)).toEqual(['real/a']);
    for (const key of ['link', 'dangling', 'circle', 'pipe', 'real']) {
      expect(await backend.stat(key)).toBeUndefined();
      await expect(backend.get(key)).rejects.toMatchObject({ code: 'entry-absent' });
    }
  });

  test.each(['folder', 'dangling link'])(
    'a %s that takes the name of an entry is an error, not an entry',
    async (what) => {
      const folder = newFolder();
      const backend = localBackend(folder);
      await backend.put('a', [bytes(1)]);
      if (what === 'folder') fs.mkdirSync(join(folder, 'b'));
      else fs.symlinkSync('nowhere', join(folder, 'b'));
      await expect(backend.put('b', [bytes(1)])).rejects.toMatchObject({
        code: 'backend-failed',
        details: { errno: 'EEXIST' },
      });
      expect(fs.readdirSync(join(folder, 'tmp'))).toEqual([]);
    },
  );

  test('an entry in place of a folder is an error', async () => {
    const backend = localBackend(newFolder());
    await backend.put('a', [bytes(1)]);
    await expect(backend.put('a/b', [bytes(1)])).rejects.toMatchObject({ code: 'backend-failed' });
    expect([...(await backend.get('a'))]).toEqual([1]);
  });

  test('equal bytes for a taken key exist', async () => {
    const backend = localBackend(newFolder());
    await backend.put('a', [bytes(1)]);
    expect(await backend.put('a', [bytes(1)])).toBe('exists');
  });

  test('a second backend in the same folder sees every entry at once', async () => {
    const folder = newFolder();
    const [one, two] = [localBackend(folder), localBackend(folder)];
    expect(await one.put('log/1', [bytes(1)])).toBe('stored');
    expect(await two.put('log/1', [bytes(2)])).toBe('exists');
    expect(await two.put('log/2', [bytes(2)])).toBe('stored');
    await one.delete('log/1');
    expect(await keysOf(two)).toEqual(['log/2']);
  });
});

describe('opening entries for threads', () => {
  test('absent is told as by get, and nothing but files is opened', async () => {
    const folder = newFolder();
    const backend = localBackend(folder);
    await backend.put('packs/3f/a', [bytes(1, 2)]);
    await expect(backend.open?.('packs/3f/b')).rejects.toMatchObject({ code: 'entry-absent' });
    await expect(backend.open?.('packs/3f')).rejects.toMatchObject({ code: 'entry-absent' });
  });

  test('no backend that has another filesystem, counts or misbehaves lets threads read past it', () => {
    expect(localBackend('/r', { fs: recordingFileSystem() }).open).toBeUndefined();
    const backend = localBackend(newFolder());
    expect(metered(backend).open).toBeUndefined();
    expect(faulty(backend, { plan: () => undefined, random: () => 0 }).open).toBeUndefined();
  });
});

describe('errors', () => {
  test.each([
    ['ENOSPC', 'backend-full'],
    ['EDQUOT', 'backend-full'],
    ['EROFS', 'backend-read-only'],
    ['EACCES', 'backend-denied'],
    ['EPERM', 'backend-denied'],
    ['EIO', 'backend-failed'],
    ['EMFILE', 'backend-failed'],
    ['ESTALE', 'backend-failed'],
  ])('%s is %s and names what was done, where, and what helps', async (errno, code) => {
    const fails = failing('createSync', errno);
    const backend = localBackend('/srv/backups', { fs: fails });
    await expect(backend.put('packs/3f/a', [bytes(1)])).rejects.toMatchObject({
      code,
      message: `putting packs/3f/a into folder /srv/backups failed at /srv/backups/packs/3f/a: ${errno}`,
      details: { folder: '/srv/backups', path: '/srv/backups/packs/3f/a', errno },
      remedy: expect.stringMatching(/\.$/),
      cause: { code: errno },
    });
  });

  test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])(
    'a link that fails with %s says that the filesystem has no hard links, and leaves nothing',
    async (errno) => {
      const fails = failing('linkSync', errno);
      await expect(localBackend('/r', { fs: fails }).put('a', [])).rejects.toMatchObject({
        code: 'backend-no-hard-links',
        details: { errno },
      });
      expect(fails.readdirSync('/r/tmp')).toEqual([]);
    },
  );

  test.each([
    ['get', 'fstatSync'],
    ['stat', 'statSync'],
    ['delete', 'unlinkSync'],
    ['now', 'createSync'],
    ['sweepTemporaries', 'readdirSync'],
    ['list', 'readdirSync'],
  ] as const)('%s says so when %s fails', async (method, call) => {
    let broken = false;
    const memory = recordingFileSystem();
    const counted = countingFileSystem(memory, ({ name, paths }) => {
      if (broken && name === call) throw errnoError('EIO', name, paths[0] ?? '');
    });
    const backend = localBackend('/r', { fs: counted });
    await backend.put('a', [bytes(1)]);
    broken = true;
    const calls = {
      get: () => backend.get('a'),
      stat: () => backend.stat('a'),
      delete: () => backend.delete('a'),
      now: () => backend.now(),
      sweepTemporaries: () => backend.sweepTemporaries?.(0),
      list: () => keysOf(backend),
    };
    await expect(calls[method]()).rejects.toMatchObject({ code: 'backend-failed', details: { errno: 'EIO' } });
  });

  test('an entry that shrinks while it is read is too short', async () => {
    const folder = newFolder();
    const shrinking: LocalFileSystem = {
      ...nodeFileSystem,
      fstatSync: (fd) => ({ ...nodeFileSystem.fstatSync(fd), size: 5 }),
    };
    await localBackend(folder).put('a', [bytes(1, 2)]);
    await expect(localBackend(folder, { fs: shrinking }).get('a')).rejects.toMatchObject({
      code: 'backend-read-short',
      details: { key: 'a', expected: 5, actual: 2 },
    });
  });

  test('a write that takes nothing does not hang', async () => {
    const stuck: LocalFileSystem = { ...recordingFileSystem(), writeSync: () => 0 };
    await expect(localBackend('/r', { fs: stuck }).put('a', [bytes(1)])).rejects.toMatchObject({
      code: 'backend-failed',
    });
  });

  test('an abort between two parts leaves nothing', async () => {
    const controller = new AbortController();
    const memory = recordingFileSystem();
    const counted = countingFileSystem(memory, ({ name }) => {
      if (name === 'writeSync') controller.abort();
    });
    const put = localBackend('/r', { fs: counted }).put('a', [bytes(1), bytes(2)], { signal: controller.signal });
    await expect(put).rejects.toMatchObject({ code: 'interrupted' });
    expect(await keysOf(localBackend('/r', { fs: memory }))).toEqual([]);
    expect(memory.readdirSync('/r/tmp')).toEqual([]);
  });

  test('a filesystem that refuses to fsync folders is tolerated for that one error', async () => {
    const refuses = failing('syncFolderSync', 'EINVAL');
    expect(await localBackend('/r', { fs: refuses }).put('a/b', [bytes(1)])).toBe('stored');
    const broken = failing('syncFolderSync', 'EIO');
    await expect(localBackend('/r', { fs: broken }).put('a/b', [bytes(1)])).rejects.toMatchObject({
      code: 'backend-failed',
    });
  });

  test('the folder above the repository may be closed, unless the repository is new', async () => {
    const memory = recordingFileSystem();
    memory.mkdirSync('/r', 0o700);
    const closed = countingFileSystem(memory, ({ name, paths }) => {
      if (name === 'syncFolderSync' && paths[0] === '/') throw errnoError('EACCES', name, '/');
    });
    expect(await localBackend('/r', { fs: closed }).put('a', [])).toBe('stored');
    await expect(localBackend('/new', { fs: closed }).put('a', [])).rejects.toMatchObject({ code: 'backend-denied' });
  });

  test('a link whose answer was lost on the network and that is then refused is stored', async () => {
    const memory = recordingFileSystem();
    const resending: LocalFileSystem = {
      ...memory,
      linkSync: (path, newPath) => {
        memory.linkSync(path, newPath);
        memory.linkSync(path, newPath);
      },
    };
    expect(await localBackend('/r', { fs: resending }).put('a', [bytes(1)])).toBe('stored');
    expect(await localBackend('/r', { fs: resending }).put('a', [bytes(1)])).toBe('exists');
  });

  test('a temporary name that cannot be removed does not make a stored entry fail', async () => {
    const memory = failing('unlinkSync', 'EIO');
    expect(await localBackend('/r', { fs: memory }).put('a', [bytes(1)])).toBe('stored');
    expect(memory.readdirSync('/r/tmp').length).toBe(1);
  });

  test('a repository that vanished, as when a disk is unmounted, is not made anew', async () => {
    const folder = newFolder();
    const backend = localBackend(folder);
    await backend.put('log/1', [bytes(1)]);
    fs.renameSync(folder, `${folder}-away`);
    await expect(backend.put('log/2', [bytes(2)])).rejects.toMatchObject({ code: 'backend-failed' });
    expect(fs.existsSync(folder)).toBe(false);
    fs.renameSync(`${folder}-away`, folder);
    expect(await backend.put('log/2', [bytes(2)])).toBe('stored');
  });

  test('a folder that was removed by hand is made again by the next try', async () => {
    const folder = newFolder();
    const backend = localBackend(folder);
    await backend.put('packs/3f/a', [bytes(1)]);
    fs.rmSync(join(folder, 'packs'), { recursive: true });
    await expect(backend.put('packs/3f/a', [bytes(1)])).rejects.toMatchObject({ code: 'backend-failed' });
    expect(await backend.put('packs/3f/a', [bytes(1)])).toBe('stored');
  });
});

describe('leftovers', () => {
  test('sweeping removes temporaries that are old by the clock of the storage, and says how many', async () => {
    let time = 1_750_000_000_000;
    const memory = recordingFileSystem({ now: () => time });
    const backend = localBackend('/r', { fs: memory });
    await backend.put('a', [bytes(1)]);
    leave(memory, '/r/tmp/00000000000000000000000000000001');
    time += 3_600_000;
    leave(memory, '/r/tmp/00000000000000000000000000000002');
    leave(memory, '/r/tmp/not-ours');
    expect(await backend.sweepTemporaries?.(3_600_001)).toBe(0);
    expect(await backend.sweepTemporaries?.(3_600_000)).toBe(1);
    expect(await backend.sweepTemporaries?.(0)).toBe(1);
    expect(memory.readdirSync('/r/tmp').map(({ name }) => name)).toEqual(['not-ours']);
    expect(await keysOf(backend)).toEqual(['a']);
  });

  test('sweeping a storage that nobody has written to makes nothing', async () => {
    const folder = newFolder();
    expect(await localBackend(folder).sweepTemporaries?.(0)).toBe(0);
    expect(fs.existsSync(folder)).toBe(false);
  });

  test('an entry whose put died before it removed its temporary name outlives the sweep', async () => {
    const memory = recordingFileSystem();
    await localBackend('/r', { fs: { ...memory, unlinkSync: () => {} } }).put('a', [bytes(1)]);
    const backend = localBackend('/r', { fs: memory });
    expect(await backend.sweepTemporaries?.(0)).toBe(1);
    expect([...(await backend.get('a'))]).toEqual([1]);
  });
});

describe('the number of calls', () => {
  test('the head of a long log costs one look into its folder and one at its file', async () => {
    const calls: FileSystemCall[] = [];
    const fs = countingFileSystem(recordingFileSystem(), (call) => void calls.push(call));
    const backend = localBackend('/r', { fs });
    for (let n = 0; n < 300; n += 1) await backend.put(`log/${(0xffff - n).toString(16)}`, []);
    calls.length = 0;
    expect(await keysOf(backend, 'log/', { limit: 1 })).toEqual(['log/fed4']);
    expect(calls.map(({ name }) => name)).toEqual(['readdirSync', 'statSync']);
  });

  test('a list reads no folder before the first of its entries is asked for', async () => {
    const read: string[] = [];
    const fs = countingFileSystem(recordingFileSystem(), ({ name, paths }) => {
      if (name === 'readdirSync') read.push(...paths);
    });
    const backend = localBackend('/r', { fs });
    for (const key of ['packs/00/a', 'packs/01/a', 'packs/02/a', 'log/1']) await backend.put(key, []);
    read.length = 0;
    expect(await keysOf(backend, 'packs/', { limit: 2 })).toEqual(['packs/00/a', 'packs/01/a']);
    expect(read).toEqual(['/r/packs/', '/r/packs/00/', '/r/packs/01/']);
  });

  test('a put into a known folder fsyncs once the file and once the folder', async () => {
    const calls: FileSystemCall[] = [];
    const fs = countingFileSystem(recordingFileSystem(), (call) => void calls.push(call));
    const backend = localBackend('/r', { fs });
    await backend.put('log/1', [bytes(1)]);
    calls.length = 0;
    await backend.put('log/2', [bytes(1)]);
    expect(calls.map(({ name }) => name)).toEqual([
      'mkdirSync',
      'createSync',
      'writeSync',
      'fsyncSync',
      'closeSync',
      'linkSync',
      'syncFolderSync',
      'unlinkSync',
    ]);
  });

  test('folders that other processes made cost one fsync of their parent, not one each', async () => {
    const memory = recordingFileSystem();
    const names = Array.from({ length: 64 }, (_, index) => `packs/${index.toString(16).padStart(2, '0')}`);
    const first = localBackend('/r', { fs: memory });
    for (const name of names) await first.put(`${name}/a`, []);
    const synced: string[] = [];
    const fs = countingFileSystem(memory, ({ name, paths }) => {
      if (name === 'syncFolderSync' && paths[0] === '/r/packs') synced.push(paths[0]);
    });
    const second = localBackend('/r', { fs });
    for (const name of names) await second.put(`${name}/b`, []);
    expect(synced.length).toBe(1);
  });
});

/** A filesystem in memory on which one kind of call always fails. */
function failing(call: keyof LocalFileSystem, errno: string): LocalFileSystem {
  return countingFileSystem(recordingFileSystem(), ({ name, paths }) => {
    if (name === call) throw errnoError(errno, name, paths[0] ?? '');
  });
}

function leave(fs: LocalFileSystem, path: string): void {
  fs.closeSync(fs.createSync(path, 0o400));
}
