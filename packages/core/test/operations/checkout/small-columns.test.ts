import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ByteString } from '../../../src/format/byte-name.ts';
import { asActorId, asKeysetId, asPackId } from '../../../src/format/ids.ts';
import type { FileTime } from '../../../src/format/tree.ts';
import type { FramesJob } from '../../../src/operations/checkout/checkout-task.ts';
import {
  packFiles,
  packSmallJob,
  unpackFiles,
  unpackSmallJob,
  type SmallFile,
} from '../../../src/operations/checkout/small-columns.ts';
import { blobIds, names } from '../../format/tree-entries.ts';

const seconds = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });

const files: fc.Arbitrary<SmallFile> = fc.record({
  place: fc.constantFrom('/proc/1/fd/3', '/proc/1/fd/4', '', 'a/b') as fc.Arbitrary<ByteString>,
  name: names,
  temporary: names,
  isFree: fc.boolean(),
  size: fc.nat(2 ** 24),
  mode: fc.nat(0o7777),
  owner: fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff)) as fc.Arbitrary<readonly [number, number]>,
  mtime: fc.tuple(seconds, fc.nat(999_999_999)) as fc.Arbitrary<FileTime>,
});

const u32 = fc.nat(2 ** 24);

const jobs: fc.Arbitrary<FramesJob<readonly SmallFile[]>> = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  pack: fc.constant({
    id: asPackId('ab'.repeat(32)),
    ephemeral: new Uint8Array(32),
    actor: asActorId('cd'.repeat(32)),
    keyset: asKeysetId('ef'.repeat(16)),
    size: 1000,
    kind: 'data' as const,
    lifetime: 'long' as const,
    frames: 3,
  }),
  bytes: fc.oneof(fc.record({ buffer: fc.constant(new ArrayBuffer(8)), offset: u32 }), fc.record({ fd: u32 })),
  frames: fc.array(
    fc.record({
      number: u32,
      frame: fc.record({
        offset: u32,
        boxLength: u32,
        plainLength: u32,
        codec: fc.nat(255),
        depth: fc.nat(3),
        parameters: fc.uint8Array({ maxLength: 4 }),
        bases: fc.array(blobIds, { maxLength: 2 }),
      }),
      blobs: fc.array(
        fc.record({ id: blobIds, offset: u32, length: u32, use: fc.array(files, { minLength: 1, maxLength: 3 }) }),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 3 },
  ),
});

test('files come out of a message as they went in', () => {
  fc.assert(
    fc.property(fc.array(files, { maxLength: 8 }), (all) => {
      expect(unpackFiles(structuredClone(packFiles(all)))).toEqual(all);
    }),
  );
});

test('so does a job, with each file at its blob and each blob at its frame', () => {
  fc.assert(
    fc.property(jobs, (job) => {
      expect(unpackSmallJob(structuredClone(packSmallJob(job, (file) => file)))).toEqual(job);
    }),
  );
});
