import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/format/bytes.ts';
import { openFiles, readFileBytes } from '../../src/operations/snapshot-files.ts';
import type { SnapshotRequest } from '../../src/operations/snapshot.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

const ref = { domain: 'lab', collection: 'streams/dump' };

function streamed(path: string, bytes: AsyncIterable<Uint8Array>): Partial<SnapshotRequest> {
  return {
    root: '/dev/stdin',
    rootText: 'standard input',
    assign: () => ref,
    wants: ({ collection }) => collection === ref.collection,
    emptyFolders: ref,
    isWholeSource: false,
    stream: { path, owner: [0, 0], bytes },
  };
}

async function* inParts(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(lab: TestRepository, revision: string): Promise<Buffer> {
  const repository = await lab.open();
  try {
    const parts: Uint8Array[] = [];
    for await (const part of readFileBytes(repository, await openFiles(repository, revision))) parts.push(part);
    return Buffer.from(concatBytes(parts));
  } finally {
    await repository.close();
  }
}

describe('a stream', () => {
  test('comes back as it was, however it came', async () => {
    const lab = await testRepository();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12_000_000 }),
        fc.integer({ min: 1000, max: 5_000_000 }),
        async (length, part) => {
          const bytes = randomBytes(length);
          await lab.snapshot(streamed('deep/dump.sql', inParts(bytes, part)));
          expect((await read(lab, 'lab:deep/dump.sql')).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 6 },
    );
  });

  test('leaves the other collections of its domain as they were', async () => {
    const lab = await testRepository();
    writeFileSync(join(lab.source, 'x.txt'), 'x');
    await lab.snapshot({ assign: () => ({ domain: 'lab', collection: 'data/all' }) });
    await lab.snapshot(streamed('dump', inParts(Buffer.from('dump'), 1)));
    expect((await read(lab, 'lab:x.txt')).toString()).toBe('x');
    expect((await read(lab, 'lab:dump')).toString()).toBe('dump');
  });

  test('that is empty, fails or has no path is an error, and makes no snapshot', async () => {
    const lab = await testRepository();
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('the pipe broke');
    };
    await expect(lab.snapshot(streamed('dump', inParts(new Uint8Array(0), 1)))).rejects.toMatchObject({
      code: 'source-absent',
    });
    await expect(lab.snapshot(streamed('dump', failing()))).rejects.toThrow('the pipe broke');
    for (const path of ['../x', '/x', '', 'a//b'])
      await expect(lab.snapshot(streamed(path, inParts(Buffer.from('x'), 1)))).rejects.toMatchObject({
        code: 'usage-invalid',
      });
    const repository = await lab.open();
    expect([...repository.log.fold.heads.keys()]).toEqual([]);
    await repository.close();
  });
});
