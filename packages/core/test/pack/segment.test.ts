import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMbkError } from '../../src/errors.ts';
import { viewOf } from '../../src/format/bytes.ts';
import { asBlobId, asPackId, type BlobId, type PackId, type PackKind } from '../../src/format/ids.ts';
import { filterBlocks, type Region, regions, rowBytes } from '../../src/format/index-segment.ts';
import { type BuiltSegment, buildSegment } from '../../src/pack/build-segment.ts';
import { memorySource } from '../../src/pack/byte-source.ts';
import type { PackContents } from '../../src/pack/pack-contents.ts';
import { pageCache } from '../../src/pack/page-cache.ts';
import { copiesOf } from '../../src/pack/pending-packs.ts';
import { openSegment, segmentProof, type Segment } from '../../src/pack/segment.ts';
import { rowsOfPacks, type SegmentRows } from '../../src/pack/segment-source.ts';
import { type FinishedSegment, segmentWriter } from '../../src/pack/segment-writer.ts';
import { codeOf, seededBytes, testKeys } from './test-keys.ts';

const keys = testKeys();
const random = seededBytes('segments');
const build = (sources: readonly SegmentRows[], drop?: (pack: PackId) => boolean): BuiltSegment =>
  buildSegment(sources, { keys, keyset: keys.shared, random, drop });
const bytesOf = (built: FinishedSegment): Uint8Array => new Uint8Array(Buffer.concat(built.parts));
const open = (built: FinishedSegment, bytes: Uint8Array = bytesOf(built), cacheBytes = 1 << 20): Segment =>
  openSegment({ id: built.id, source: memorySource(bytes), keys, pages: pageCache(cacheBytes) });

/** Ids from a small space, so that blobs recur; the first bytes are often equal, so that prefixes collide. */
const blobIdOf = (number: number): BlobId =>
  asBlobId(`${'aa'.repeat(number % 3 === 0 ? 16 : 4)}${Buffer.from(`blob ${number}`).toString('hex')}`.padEnd(64, '0'));
const packIdOf = (number: number): PackId => asPackId(number.toString(16).padStart(8, '0').padEnd(64, 'e'));

interface FrameSpec {
  readonly blobs: readonly number[];
  readonly bases: readonly number[];
  readonly parameters: Uint8Array;
}

function contentsOf(
  pack: number,
  frames: readonly FrameSpec[],
  kind: PackKind = pack % 2 === 0 ? 'data' : 'meta',
): PackContents {
  const type = kind === 'data' ? 'data' : 'tree';
  return {
    row: {
      id: packIdOf(pack),
      ephemeral: new Uint8Array(32).fill(pack),
      actor: keys.actor.id,
      keyset: keys.shared.id,
      size: 200 * 2 ** 20,
      kind,
      lifetime: 'long',
      frames: frames.length,
    },
    frames: frames.map(({ blobs, bases, parameters }, number) => ({
      offset: 72 + 1000 * number,
      boxLength: 16 + 1000,
      plainLength: 10 * blobs.length,
      codec: 4,
      depth: bases.length === 0 ? 0 : 2,
      parameters,
      bases: bases.map(blobIdOf),
      blobs: blobs.map((id) => ({ id: blobIdOf(id), type, length: 10 })),
      boxEnd: new Uint8Array(8),
    })),
  };
}

const frameSpec: fc.Arbitrary<FrameSpec> = fc.record({
  blobs: fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 8 }),
  bases: fc.array(fc.nat(60), { maxLength: 2 }),
  parameters: fc.uint8Array({ maxLength: 5 }),
});
const packSpecs = fc.dictionary(fc.nat(40).map(String), fc.array(frameSpec, { minLength: 1, maxLength: 5 }), {
  maxKeys: 12,
});
const packsOf = (specs: Record<string, FrameSpec[]>): PackContents[] =>
  Object.entries(specs).map(([pack, frames]) => contentsOf(Number(pack), frames));

/** A segment of these rows as they are, changed by `change`: what somebody with the keys could store. */
function forge(rows: SegmentRows, change?: (bytes: Uint8Array, region: Region) => unknown): FinishedSegment {
  const writer = segmentWriter({ keys, keyset: keys.shared, random });
  for (const region of regions.slice(0, 5)) {
    const bytes = new Uint8Array(Buffer.concat([...rows.pages(region)]));
    change?.(bytes, region);
    writer.write(region, bytes);
  }
  const [first] = rows.pages('records');
  writer.write('filter', new Uint8Array(filterBlocks(rows.counts.records) * rowBytes.filter).fill(0xff));
  writer.write('directory', first?.slice(0, rowBytes.directory) ?? new Uint8Array(0));
  return writer.close();
}

/** What the packs hold of a blob, in a form that compares. */
function expectedCopies(packs: readonly PackContents[], kind: PackKind, id: BlobId): string[] {
  return packs
    .filter(({ row }) => row.kind === kind)
    .flatMap((contents) => [...copiesOf(contents)])
    .filter((copy) => copy.id === id)
    .map(describeCopy)
    .sort();
}

function describeCopy({
  id,
  type,
  pack,
  number,
  frame,
  offset,
  length,
}: ReturnType<Segment['copies']>[number]): string {
  const { bases, parameters, depth, codec, boxLength, plainLength } = frame;
  return JSON.stringify([
    id,
    type,
    pack.id,
    pack.kind,
    pack.size,
    number,
    offset,
    length,
    frame.offset,
    boxLength,
    plainLength,
    codec,
    depth,
    bases,
    [...parameters],
  ]);
}

function expectHolds(segment: Segment, packs: readonly PackContents[]): void {
  for (const kind of ['data', 'meta'] as const) {
    for (let number = 0; number <= 61; number += 1) {
      const id = blobIdOf(number);
      expect(segment.copies(kind, id).map(describeCopy).sort()).toEqual(expectedCopies(packs, kind, id));
    }
  }
  expect([...segment.packs()]).toEqual(packs.map(({ row }) => row).sort((a, b) => (a.id < b.id ? -1 : 1)));
  expect([...segment.allCopies()].map(describeCopy).sort()).toEqual(
    packs.flatMap((one) => [...copiesOf(one)].map(describeCopy)).sort(),
  );
  for (const { row } of packs) expect(segment.pack(row.id)).toEqual(row);
  expect(segment.pack(packIdOf(99))).toBeUndefined();
}

describe('index segments', () => {
  test('find every copy of every blob, and no other', () => {
    fc.assert(
      fc.property(packSpecs, (specs) => {
        const packs = packsOf(specs);
        const built = build([rowsOfPacks(packs)]);
        expect(built.byteLength).toBe(bytesOf(built).byteLength);
        expect(built.packs).toEqual(packs.map(({ row }) => row.id).sort());
        expectHolds(open(built), packs);
      }),
      { numRuns: 40 },
    );
  });

  test('a merge holds what its sources hold, a pack of several once, dropped packs not at all', () => {
    fc.assert(
      fc.property(
        fc.array(packSpecs, { maxLength: 4 }),
        fc.uniqueArray(fc.nat(40), { maxLength: 10 }),
        (parts, drops) => {
          // The same pack has the same contents wherever it occurs.
          const all: Record<string, FrameSpec[]> = Object.assign({}, ...parts);
          const sources = parts.map((part) =>
            packsOf(Object.fromEntries(Object.keys(part).map((pack) => [pack, all[pack] ?? []]))),
          );
          const rows = sources.map((packs, index) =>
            index % 2 === 0 ? open(build([rowsOfPacks(packs)])) : rowsOfPacks(packs),
          );
          const dropped = new Set(drops.map(packIdOf));
          const kept = packsOf(all).filter(({ row }) => !dropped.has(row.id));
          const merged = build(rows, (pack) => dropped.has(pack));
          expect(merged.blobs).toBe(kept.flatMap((one) => [...copiesOf(one)]).length);
          expectHolds(open(merged), kept);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('many records, pages and copies of one blob over several pages', () => {
    // 3,000 packs hold blob 1 (9 pages of records), and 2,000 others one each, between and behind.
    const none = { bases: [], parameters: new Uint8Array(0) };
    const packs = Array.from({ length: 3000 }, (_, pack) =>
      contentsOf(2 * pack, [{ blobs: pack < 2000 ? [1, 100 + pack] : [1], ...none }]),
    );
    const built = build([rowsOfPacks(packs)]);
    const segment = open(built, bytesOf(built), 0); // without room in the cache every page is loaded anew
    expect(segment.copies('data', blobIdOf(1))).toHaveLength(3000);
    for (let pack = 0; pack < 2000; pack += 97) {
      expect(segment.copies('data', blobIdOf(100 + pack)).map((copy) => copy.pack.id)).toEqual([packIdOf(2 * pack)]);
    }
    expect(segment.copies('data', blobIdOf(2))).toEqual([]);
    expect([...segment.packs()]).toHaveLength(3000);
  });

  test('two builds of the same rows have different names: nothing that was dropped comes back under its name', () => {
    const rows = rowsOfPacks([contentsOf(0, [{ blobs: [1], bases: [], parameters: new Uint8Array(0) }])]);
    expect(build([rows]).id).not.toBe(build([rows]).id);
  });

  test('changed, cut and lengthened bytes are noticed on opening or on use', () => {
    const packs = packsOf({
      1: [{ blobs: [1, 2, 3], bases: [4], parameters: Uint8Array.of(1, 2) }],
      2: [{ blobs: [3], bases: [], parameters: new Uint8Array(0) }],
    });
    const built = build([rowsOfPacks(packs)]);
    const bytes = bytesOf(built);
    const use = (changed: Uint8Array): void => expectHolds(open(built, changed), packs);
    use(bytes);
    for (let place = 0; place < bytes.byteLength; place += 1) {
      const changed = bytes.slice();
      changed[place] = (changed[place] ?? 0) ^ (1 << (place & 7));
      // Bytes 24 to 39 say under which keys the rest is sealed.
      const expected = place === 4 ? 'format-unsupported' : place >= 24 && place < 40 ? 'role-denied' : 'entry-damaged';
      expect(codeOf(() => use(changed))).toBe(expected);
    }
    for (let length = 0; length < bytes.byteLength; length += 1)
      expect(codeOf(() => open(built, bytes.subarray(0, length)))).toBe('entry-damaged');
    expect(codeOf(() => open(built, Buffer.concat([bytes, Buffer.alloc(1)])))).toBe('entry-damaged');
  });

  test('swapped pages and pages of another segment are refused', () => {
    const spec = {
      2: [{ blobs: Array.from({ length: 700 }, (_, number) => number), bases: [], parameters: new Uint8Array(0) }],
    };
    const [one, other] = [build([rowsOfPacks(packsOf(spec))]), build([rowsOfPacks(packsOf(spec))])];
    const page = 341 * 48 + 16;
    const swapped = bytesOf(one);
    swapped.copyWithin(72, 72 + page, 72 + 2 * page);
    const foreign = bytesOf(one);
    foreign.set(bytesOf(other).subarray(72, 72 + page), 72);
    for (const bytes of [swapped, foreign]) {
      expect(codeOf(() => [...open(one, bytes).allCopies()])).toBe('entry-damaged');
    }
  });

  test('rows that contradict each other are refused, by readers and by merges', () => {
    const sound = contentsOf(2, [{ blobs: [1], bases: [], parameters: new Uint8Array(0) }]);
    const [frame] = sound.frames;
    if (frame === undefined) throw new TypeError('expected a frame');
    const { row } = sound;
    const lies: PackContents[] = [
      { row: { ...row, size: 100 }, frames: [frame] },
      { row, frames: [{ ...frame, plainLength: 5 }] },
      { row, frames: [{ ...frame, offset: 8 }] },
      { row, frames: [{ ...frame, depth: 1 }] },
      { row: { ...row, kind: 'meta' }, frames: [frame] },
    ];
    for (const lie of lies)
      expect(codeOf(() => [...open(build([rowsOfPacks([lie])])).allCopies()])).toBe('value-invalid');
    // Built blindly by someone else, such rows meet the same checks in a merge.
    expect(codeOf(() => build([rowsOfPacks([{ row: { ...row, frames: 2 }, frames: [frame] }])]))).toBe('value-invalid');
    const twice = rowsOfPacks([sound, sound]);
    expect(codeOf(() => build([twice]))).toBe('value-invalid');
  });

  test('parameters longer than a page are read from where their frame says', () => {
    const long = (length: number, start: number): Uint8Array =>
      Uint8Array.from({ length }, (_, index) => (start + index * 7) & 0xff);
    const packs = packsOf({
      2: [
        { blobs: [1], bases: [], parameters: long(40_000, 1) },
        { blobs: [2], bases: [], parameters: new Uint8Array(0) },
        { blobs: [3], bases: [9], parameters: long(65_535, 2) },
      ],
      4: [{ blobs: [4], bases: [], parameters: long(3, 3) }],
    });
    expectHolds(open(build([rowsOfPacks(packs)])), packs);
    const merged = build([open(build([rowsOfPacks(packs)]))], (pack) => pack === packIdOf(2));
    expectHolds(open(merged), packs.slice(1));
  });

  test.each([
    ['a first frame row behind its frames', 'packs', 128 + 124, 2],
    ['a first frame row that leaves a frame to no pack', 'packs', 128 + 124, 0],
    ['a first frame row outside', 'packs', 124, 0xffff_ffff],
    ['a frame of another pack', 'frames', 0, 1],
    ['a pack row outside', 'frames', 0, 2],
    ['parameters outside', 'frames', 20, 2],
    ['parameters of another frame', 'frames', 32 + 20, 0],
    ['bases outside', 'frames', 32 + 24, 9],
  ] as const)('%s is refused by readers or by merges', (_, region, at, value) => {
    const rows = rowsOfPacks(
      packsOf({
        2: [{ blobs: [1], bases: [], parameters: Uint8Array.of(1, 2) }],
        4: [{ blobs: [2], bases: [3], parameters: Uint8Array.of(3) }],
      }),
    );
    expect([...open(forge(rows)).allCopies()]).toHaveLength(2);
    const forged = open(forge(rows, (bytes, of) => of === region && viewOf(bytes).setUint32(at, value, true)));
    expect(codeOf(() => [[...forged.allCopies()], build([forged])])).toBe('value-invalid');
  });

  test('what one thread holds of a segment opens it in another, which reads neither filter nor directory', () => {
    const packs = packsOf({ 3: [{ blobs: [5, 6, 7, 8], bases: [1, 2], parameters: Uint8Array.of(9) }] });
    const built = build([rowsOfPacks(packs)]);
    const { resident, counts } = open(built);
    expect(resident.filter.buffer).toBeInstanceOf(SharedArrayBuffer);
    const bytes = bytesOf(built);
    // The last pages: a reader of them would notice.
    const pagesEnd = bytes.byteLength - 96;
    bytes.fill(0, pagesEnd - 32 - counts.filter * rowBytes.filter - counts.directory * rowBytes.directory, pagesEnd);
    const shared = structuredClone(resident);
    const other = openSegment({
      id: built.id,
      source: memorySource(bytes),
      keys,
      pages: pageCache(0),
      resident: shared,
    });
    expectHolds(other, packs);
    expect(other.resident.filter.buffer).toBe(shared.filter.buffer);
    expect(() => open(built, bytes)).toThrow(expect.objectContaining({ code: 'entry-damaged' }));
    expect(() =>
      openSegment({
        id: built.id,
        source: memorySource(bytes),
        keys,
        pages: pageCache(0),
        resident: open(build([])).resident,
      }),
    ).toThrow(RangeError);
  });

  test('a proof is that of one segment, name and set of keys', () => {
    const built = build([rowsOfPacks([])]);
    const proof = segmentProof(built.id, memorySource(bytesOf(built)), keys);
    expect(proof).toHaveLength(32);
    expect(segmentProof(built.id, memorySource(bytesOf(built)), keys)).toEqual(proof);
    const again = build([rowsOfPacks([])]);
    expect(segmentProof(built.id, memorySource(bytesOf(again)), keys)).not.toEqual(proof);
    expect(segmentProof(again.id, memorySource(bytesOf(built)), keys)).not.toEqual(proof);
    expect(segmentProof(built.id, memorySource(bytesOf(built)), testKeys({ root: 'other' }))).toBeUndefined();
    expect(segmentProof(built.id, memorySource(bytesOf(built).subarray(1)), keys)).toBeUndefined();
  });

  test('a segment of another repository or keyset is refused', () => {
    const built = build([rowsOfPacks([])]);
    const openAs = (other: Parameters<typeof testKeys>[0]): Segment =>
      openSegment({ id: built.id, source: memorySource(bytesOf(built)), keys: testKeys(other), pages: pageCache(0) });
    expect([...openAs({}).packs()]).toEqual([]);
    expect(codeOf(() => openAs({ repository: 'two' }))).toBe('entry-damaged');
    expect(codeOf(() => openAs({ root: 'another' }))).toBe('role-denied');
  });

  test('random damage never gives a wrong answer', () => {
    const packs = packsOf({ 3: [{ blobs: [5, 6, 7, 8], bases: [1, 2], parameters: Uint8Array.of(9) }] });
    const built = build([rowsOfPacks(packs)]);
    const bytes = bytesOf(built);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (writes) => {
          const changed = bytes.slice();
          for (const [place, value] of writes) changed[place] = value;
          try {
            expectHolds(open(built, changed), packs);
          } catch (error) {
            if (!isMbkError(error)) throw error;
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
