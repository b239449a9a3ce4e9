import fs from 'node:fs';
import { expect, test } from 'vitest';
import { sourceReader } from '../../src/snapshot/source-reader.ts';
import { walk } from '../../src/snapshot/walk.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { fileOf } from '../chunker/cut.ts';
import { makeFolder, write } from './bytes-on-disk.ts';
import { collect } from './blob-store.ts';

const folder = temporaryFolders();

test('reads what is inside the file, and nothing else', async () => {
  const root = folder();
  makeFolder(root);
  const content = fileOf([3_000_000]);
  write(root, '\xc3\xa4', content);
  const walked = [...walk(root)].find((event) => event.type === 'file');
  if (walked === undefined) throw new Error('no file');
  const fd = fs.openSync(Buffer.from(walked.location, 'latin1'), 'r');
  // Half of what is asked for at a time, as system calls may do.
  const read = (into: Uint8Array, position: number): number =>
    fs.readSync(fd, into, 0, Math.ceil(into.length / 2), position);
  const reader = sourceReader({ walked, facts: walked.facts, fd, read });
  expect([reader.path, reader.size]).toEqual(['ä', content.length]);
  expect(Buffer.compare(await reader.read(1000, 77_777), content.subarray(1000, 78_777))).toBe(0);
  expect(Buffer.compare(Buffer.concat(await collect(reader.stream())), content)).toBe(0);
  expect(await reader.read(content.length, 0)).toEqual(new Uint8Array(0));
  for (const [offset, length] of [
    [content.length, 1],
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [0, content.length + 1],
  ] as const) {
    await expect(reader.read(offset, length)).rejects.toThrow(RangeError);
  }
  await expect(reader.read(0, 1, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  expect(await reader.sibling('x')).toBeUndefined();
  fs.truncateSync(Buffer.from(walked.location, 'latin1'), 10);
  await expect(reader.read(0, 11)).rejects.toThrow('shorter');
  fs.closeSync(fd);
});
