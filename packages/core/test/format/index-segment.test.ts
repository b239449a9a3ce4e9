import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMbkError } from '../../src/errors.ts';
import { asActorId, asBlobId, asKeysetId, asPackId, blobTypes, lifetimes } from '../../src/format/ids.ts';
import {
  decodeRoot,
  decodeSegmentTrailer,
  encodeRoot,
  encodeSegmentTrailer,
  filterBlocks,
  regions,
  rowBytes,
  type RowCounts,
  rowsPerPage,
  segmentGeometry,
} from '../../src/format/index-segment.ts';
import {
  decodeFrame,
  decodePackRow,
  decodeRecord,
  encodeFrame,
  encodePackRow,
  encodeRecord,
} from '../../src/format/segment-rows.ts';

const counts = fc
  .record({
    records: fc.nat(10_000),
    packs: fc.nat(500),
    frames: fc.nat(5000),
    bases: fc.nat(2000),
    parameters: fc.nat(40_000),
  })
  .map((rows): RowCounts => ({
    ...rows,
    filter: filterBlocks(rows.records),
    directory: Math.ceil(rows.records / 341),
  }));
const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'));
const u32 = fc.nat(0xffff_ffff);
const some: RowCounts = { records: 10, packs: 10, frames: 10, bases: 10, parameters: 10, filter: 1, directory: 1 };

describe('index segments: where things lie', () => {
  test('rows of a page are those of docs/format.md', () => {
    expect(regions.map((region) => rowsPerPage(region))).toEqual([341, 128, 512, 512, 16_384, 512, 1024]);
  });

  test('pages lie one after the other, numbered, without gaps, up to the root', () => {
    fc.assert(
      fc.property(counts, (rows) => {
        const geometry = segmentGeometry(rows);
        let offset = 72;
        let box = 0;
        for (const region of regions) {
          let left = rows[region];
          for (let index = 0; index < geometry.pages(region); index += 1) {
            const held = Math.min(left, rowsPerPage(region));
            expect(geometry.place(region, index)).toEqual({ box, offset, boxLength: held * rowBytes[region] + 16 });
            left -= held;
            offset += held * rowBytes[region] + 16;
            box += 1;
          }
          expect(left).toBe(0);
          expect(() => geometry.place(region, geometry.pages(region))).toThrow(RangeError);
        }
        expect([geometry.boxes, geometry.rootOffset, geometry.byteLength]).toEqual([box, offset, offset + 80 + 16]);
      }),
      { numRuns: 50 },
    );
  });

  test('a root decodes to its counts; one with other sizes of filter or directory is refused', () => {
    fc.assert(
      fc.property(counts, fc.nat(63), fc.integer({ min: 1, max: 255 }), (rows, place, mask) => {
        const root = encodeRoot(rows);
        expect(decodeRoot(root, 'segment')).toEqual(rows);
        root[place] = (root[place] ?? 0) ^ mask;
        try {
          const decoded = decodeRoot(root, 'segment');
          expect(decoded.filter).toBe(filterBlocks(decoded.records));
          expect(decoded).not.toEqual(rows);
        } catch (error) {
          if (!isMbkError(error)) throw error;
          expect(error.code).toBe('value-invalid');
        }
      }),
      { numRuns: 200 },
    );
    expect(() => decodeRoot(new Uint8Array(63), 'segment')).toThrow(expect.objectContaining({ code: 'value-invalid' }));
  });

  test('a trailer decodes to its number of boxes', () => {
    fc.assert(
      fc.property(u32, (boxes) => {
        expect(decodeSegmentTrailer(encodeSegmentTrailer(boxes), 'segment')).toBe(boxes);
      }),
    );
    for (let place = 4; place < 16; place += 1) {
      const bytes = encodeSegmentTrailer(5);
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      expect(() => decodeSegmentTrailer(bytes, 'segment')).toThrow(expect.objectContaining({ code: 'entry-damaged' }));
    }
  });
});

describe('index segments: rows', () => {
  test('records decode to what was encoded, at any place of a page', () => {
    const record = fc.record({
      frameRow: fc.nat(9),
      offset: fc.nat(2 ** 20),
      length: fc.nat(2 ** 20),
      type: fc.constantFrom(...blobTypes),
    });
    fc.assert(
      fc.property(hex(32), record, fc.nat(5), (id, value, row) => {
        const page = new Uint8Array(48 * 6);
        encodeRecord(page, row * 48, Buffer.from(id, 'hex'), value);
        expect(decodeRecord(page, row * 48, some, 'segment')).toEqual({ id: asBlobId(id), ...value });
      }),
    );
  });

  test('pack rows decode to what was encoded, or are refused when their frames are outside', () => {
    const row = fc.record({
      id: hex(32).map(asPackId),
      ephemeral: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      actor: hex(32).map(asActorId),
      keyset: hex(16).map(asKeysetId),
      size: fc.nat(256 * 2 ** 20),
      kind: fc.constantFrom('data' as const, 'meta' as const),
      lifetime: fc.constantFrom(...lifetimes),
      frames: fc.nat(12),
    });
    fc.assert(
      fc.property(row, fc.oneof(fc.nat(12), u32), (value, firstFrame) => {
        const page = new Uint8Array(256);
        encodePackRow(page, 128, { row: value, firstFrame });
        const decode = (): unknown => decodePackRow(page, 128, some, 'segment');
        if (firstFrame + value.frames <= 10) expect(decode()).toEqual({ row: value, firstFrame });
        else expect(decode).toThrow(expect.objectContaining({ code: 'value-invalid' }));
      }),
      { numRuns: 300 },
    );
  });

  test('frame rows decode to what was encoded, or are refused when they point outside', () => {
    const row = fc.record({
      packRow: fc.nat(12),
      offset: fc.integer({ min: 60, max: 2 ** 28 }),
      boxLength: fc.integer({ min: 10, max: 17 * 2 ** 20 }),
      plainLength: fc.nat(17 * 2 ** 20),
      codec: fc.nat(255),
      depth: fc.nat(9),
      parameterBytes: fc.oneof(fc.nat(3), fc.nat(0xffff)),
      firstParameter: fc.oneof(fc.nat(12), u32),
      firstBase: fc.nat(12),
      bases: fc.nat(3),
    });
    fc.assert(
      fc.property(row, (value) => {
        const page = new Uint8Array(64);
        encodeFrame(page, 32, value);
        const fits =
          value.packRow < 10 &&
          value.offset >= 72 &&
          value.boxLength >= 16 &&
          value.boxLength <= 16 * 2 ** 20 + 16 &&
          value.plainLength <= 16 * 2 ** 20 &&
          value.depth <= 8 &&
          (value.depth === 0) === (value.bases === 0) &&
          value.firstParameter + value.parameterBytes <= 10 &&
          value.firstBase + value.bases <= 10;
        if (fits) expect(decodeFrame(page, 32, some, 'segment')).toEqual(value);
        else
          expect(() => decodeFrame(page, 32, some, 'segment')).toThrow(
            expect.objectContaining({ code: 'value-invalid' }),
          );
      }),
      { numRuns: 500 },
    );
  });
});
