import fs from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { errnoOf, nodeFileSystem, type LocalFileSystem } from '../../src/backend/local-file-system.ts';
import { recordingFileSystem, type RecordingFileSystem } from '../../src/testing.ts';
import { seededRandom } from '../backend/random.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';

const newFolder = temporaryFolders();
const path = fc.constantFrom('a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'a/x');
const step = fc.oneof(
  fc.record({ call: fc.constantFrom('write' as const, 'append' as const), path, text: fc.string({ maxLength: 6 }) }),
  fc.record({ call: fc.constantFrom('read', 'stat', 'unlink', 'mkdir', 'readdir', 'sync', 'fstat'), path }),
  fc.record({ call: fc.constant('link' as const), path, newPath: path }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

describe('the recording filesystem', () => {
  test('answers like the filesystem of this machine', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const folder = newFolder();
        fs.mkdirSync(folder);
        const memory = recordingFileSystem();
        for (const one of steps) {
          expect([one, take(memory, '/', one)]).toEqual([one, take(nodeFileSystem, folder, one)]);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('what was fsynced, file and folders, survives every power cut', () => {
    const before = recordingFileSystem();
    before.mkdirSync('/d', 0o700);
    before.syncFolderSync('/');
    write(before, '/d/a', 'kept', true);
    before.syncFolderSync('/d');
    for (const after of cuts(before)) expect(read(after, '/d/a')).toBe('kept');
  });

  test('bytes that were not fsynced may be lost, whole, cut short or torn', () => {
    const before = recordingFileSystem();
    write(before, '/a', 'some bytes', false);
    before.syncFolderSync('/');
    const found = new Set(cuts(before).map((after) => read(after, '/a')));
    expect(found).toContain('');
    expect(found).toContain('some bytes');
    expect([...found].some((text) => text !== '' && text.length < 10)).toBe(true);
    expect([...found].some((text) => text.length === 10 && text !== 'some bytes')).toBe(true);
  });

  test('of the changes of names that were not fsynced any subset may be lost', () => {
    const before = recordingFileSystem();
    write(before, '/old', 'x', true);
    before.syncFolderSync('/');
    before.unlinkSync('/old');
    write(before, '/new', 'x', true);
    before.mkdirSync('/d', 0o700);
    const found = new Set(cuts(before).map((after) => namesIn(after, '/').join()));
    expect([...found].sort()).toEqual(['', 'd', 'd,new', 'd,new,old', 'd,old', 'new', 'new,old', 'old']);
  });

  test('a folder that is lost takes with it what was fsynced in it', () => {
    const before = recordingFileSystem();
    before.mkdirSync('/d', 0o700);
    write(before, '/d/a', 'x', true);
    before.syncFolderSync('/d');
    const found = new Set(cuts(before).map((after) => namesIn(after, '/').join()));
    expect(found).toEqual(new Set(['', 'd']));
  });

  test('a file with two names stays one file, and no cut changes the filesystem that it was made from', () => {
    const before = recordingFileSystem();
    write(before, '/a', 'x', true);
    before.linkSync('/a', '/b');
    before.syncFolderSync('/');
    const [after] = cuts(before);
    expect(after?.statSync('/b')).toMatchObject({ links: 2, size: 1 });
    after?.unlinkSync('/b');
    expect(before.statSync('/a')?.links).toBe(2);
    expect(after?.statSync('/a')?.links).toBe(1);
  });
});

/** What one step answers: its result or the system's name of its error. */
function take(system: LocalFileSystem, folder: string, one: Step): unknown {
  const at = join(folder, one.path);
  try {
    switch (one.call) {
      case 'write':
        return write(system, at, 'text' in one ? one.text : '', true);
      case 'append':
        return write(system, at, 'text' in one ? `${one.text}+` : '', false);
      case 'read':
        return read(system, at);
      case 'stat':
        return essence(system.statSync(at));
      case 'fstat': {
        const fd = system.openSync(at);
        const status = system.fstatSync(fd);
        system.closeSync(fd);
        return essence(status);
      }
      case 'unlink':
        return system.unlinkSync(at);
      case 'mkdir':
        return system.mkdirSync(at, 0o700);
      case 'readdir':
        return system.readdirSync(at).sort((a, b) => (a.name < b.name ? -1 : 1));
      case 'sync':
        return system.syncFolderSync(at);
      case 'link':
        return system.linkSync(at, join(folder, 'newPath' in one ? one.newPath : ''));
      default:
        throw new TypeError(`expected a known call, got ${String(one)}`);
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return errno;
  }
}

function essence(status: ReturnType<LocalFileSystem['statSync']>): unknown {
  return status?.kind === 'file' ? [status.kind, status.size, status.links] : status?.kind;
}

function write(system: LocalFileSystem, at: string, text: string, durable: boolean): void {
  const bytes = new TextEncoder().encode(text);
  const fd = system.createSync(at, 0o600);
  const half = bytes.length >> 1;
  system.writeSync(fd, bytes, 0, half);
  system.writeSync(fd, bytes, half, bytes.length - half);
  if (durable) system.fsyncSync(fd);
  system.closeSync(fd);
}

function read(system: LocalFileSystem, at: string): string {
  const fd = system.openSync(at);
  try {
    const bytes = new Uint8Array(100);
    return new TextDecoder('latin1').decode(bytes.subarray(0, system.readSync(fd, bytes, 0, 100, 0)));
  } finally {
    system.closeSync(fd);
  }
}

function namesIn(system: LocalFileSystem, folder: string): string[] {
  return system
    .readdirSync(folder)
    .map(({ name }) => name)
    .sort();
}

function cuts(before: RecordingFileSystem): RecordingFileSystem[] {
  return Array.from({ length: 200 }, (_, seed) => before.crash(seededRandom(seed)));
}
