import { expect, test } from 'vitest';

import { countingFileSystem, errnoError, recordingFileSystem, type FileSystemCall } from '../../src/testing.ts';

test('each call is told before it is made, with its number and paths', () => {
  const calls: FileSystemCall[] = [];
  const fs = countingFileSystem(recordingFileSystem(), (call) => void calls.push(call));
  fs.mkdirSync('/d', 0o700);
  const fd = fs.createSync('/d/a', 0o600);
  fs.writeSync(fd, Uint8Array.of(1), 0, 1);
  fs.linkSync('/d/a', '/d/b');
  expect(calls).toEqual([
    { count: 1, name: 'mkdirSync', paths: ['/d'] },
    { count: 2, name: 'createSync', paths: ['/d/a'] },
    { count: 3, name: 'writeSync', paths: [] },
    { count: 4, name: 'linkSync', paths: ['/d/a', '/d/b'] },
  ]);
});

test('what is thrown before a call prevents it, what is thrown after it does not', () => {
  const memory = recordingFileSystem();
  const before = countingFileSystem(memory, ({ name }) => {
    throw errnoError('EIO', name, '/d');
  });
  expect(() => before.mkdirSync('/d', 0o700)).toThrow('EIO');
  expect(memory.statSync('/d')).toBeUndefined();
  const after = countingFileSystem(memory, ({ name }) => () => {
    throw errnoError('EIO', name, '/d');
  });
  expect(() => after.mkdirSync('/d', 0o700)).toThrow('EIO');
  expect(memory.statSync('/d')?.kind).toBe('folder');
});

test('filesystems that share a counter count together', () => {
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const counts: number[] = [];
  const one = countingFileSystem(recordingFileSystem(), ({ count }) => void counts.push(count), counter);
  const two = countingFileSystem(recordingFileSystem(), ({ count }) => void counts.push(count), counter);
  one.statSync('/');
  two.statSync('/');
  one.statSync('/');
  expect(counts).toEqual([1, 2, 3]);
  expect(counter[0]).toBe(3);
});
