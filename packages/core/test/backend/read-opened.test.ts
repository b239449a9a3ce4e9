import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localBackend } from '../../src/backend/local.ts';
import { readOpened } from '../../src/backend/read-opened.ts';
import { temporaryFolders } from './temporary-folder.ts';

const newFolder = temporaryFolders();
const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);

test('an opened entry is read at any place, in short and in long parts', async () => {
  const backend = localBackend(newFolder());
  await backend.put('packs/aa/one', [bytes]);
  const opened = await backend.open?.('packs/aa/one');
  if (opened === undefined) throw new Error('expected an opened entry');
  onTestFinished(() => opened.close());
  expect(opened.size).toBe(bytes.length);
  const { byteLength, read } = readOpened(opened.fd, opened.size);
  expect(byteLength).toBe(bytes.length);
  for (const [offset, length] of [
    [0, 0],
    [0, 1],
    [199_990, 10],
    [70_000, 65_536],
    [3, 150_000],
  ] as const)
    expect(Buffer.compare(read(offset, length), bytes.subarray(offset, offset + length))).toBe(0);
  expect(() => read(199_990, 11)).toThrow(expect.objectContaining({ code: 'backend-read-short' }));
});

test('an entry that became shorter, or that the system does not read, is an error of the backend', () => {
  const folder = newFolder();
  mkdirSync(folder);
  const path = join(folder, 'one');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  onTestFinished(() => closeSync(fd));
  const { read } = readOpened(fd, bytes.length);
  truncateSync(path, 100);
  expect(() => read(50, 100)).toThrow(expect.objectContaining({ code: 'backend-read-short' }));
  const unreadable = openSync(path, 'a');
  onTestFinished(() => closeSync(unreadable));
  expect(() => readOpened(unreadable, 100).read(0, 1)).toThrow(expect.objectContaining({ code: 'backend-failed' }));
});
