import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentCutter } from '../../src/chunker/content-cutter.ts';
import { gearScanner } from '../../src/chunker/gear.ts';
import { cutInBuffers, fileOf, isWhole, table } from './cut.ts';
import { referenceCuts } from './reference.ts';

const MiB = 1_048_576;
const block = 65_536;
const gear = Array.from(table, (word) => word >>> 0);

const cut = (file: Uint8Array, sizes = [4 * MiB]): ReturnType<typeof cutInBuffers> => {
  return cutInBuffers(contentCutter(gearScanner(table)), file, sizes);
};

describe('content cutter', () => {
  const noise = fileOf([12 * MiB + 777], 3);

  test('an empty file has no piece, a byte has one', () => {
    expect(cut(new Uint8Array(0))).toEqual([]);
    expect(cut(Uint8Array.of(0))).toEqual([{ kind: 'blob', offset: 0, length: 1 }]);
  });

  test('cuts noise as the specification says, each chunk within its bounds', () => {
    const pieces = cut(noise);
    expect(pieces).toEqual(referenceCuts(noise, gear));
    expect(isWhole(pieces, noise.length)).toBe(true);
    expect(pieces.length).toBeGreaterThan(5);
    for (const { length } of pieces.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(MiB / 2);
  });

  test('cuts where no hash does after 8 MiB', () => {
    const constant = new Uint8Array(20 * MiB).fill(0x55);
    const pieces = cut(constant);
    expect(pieces).toEqual(referenceCuts(constant, gear));
    expect(pieces.map(({ length }) => length)).toEqual([8 * MiB, 8 * MiB, 4 * MiB]);
  });

  test('zero runs are whole aligned blocks, and chunks begin anew behind them', () => {
    const file = fileOf([block, -block, 100, -2 * block, 1000]);
    // The zeros from 100 on are aligned from the next block on, and end within one.
    expect(cut(file)).toEqual([
      { kind: 'blob', offset: 0, length: block },
      { kind: 'zero', offset: block, length: block },
      { kind: 'blob', offset: 2 * block, length: block },
      { kind: 'zero', offset: 3 * block, length: block },
      { kind: 'blob', offset: 4 * block, length: 100 + 1000 },
    ]);
  });

  test('zeros at the end are a run as far as they are whole blocks', () => {
    expect(cut(fileOf([10, -3 * block]))).toEqual([
      { kind: 'blob', offset: 0, length: block },
      { kind: 'zero', offset: block, length: 2 * block },
      { kind: 'blob', offset: 3 * block, length: 10 },
    ]);
    expect(cut(new Uint8Array(5 * block))).toEqual([{ kind: 'zero', offset: 0, length: 5 * block }]);
  });

  const span = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 * MiB }) },
    { weight: 2, arbitrary: fc.integer({ min: -5 * block, max: -1 }) },
    { weight: 1, arbitrary: fc.constantFrom(block, -block, -2 * block, MiB / 2, MiB) },
  );
  const bufferSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom(block, MiB, 4 * MiB)), {
    minLength: 1,
    maxLength: 5,
  });

  test('the pieces are those of the specification, whatever the sizes of the buffers', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 6 }), fc.nat(1000), bufferSizes, (spans, seed, sizes) => {
        // Buffers of a few bytes each would take minutes for megabytes.
        if (Math.max(...sizes) < 1000) sizes.push(200_000);
        const file = fileOf(spans, seed);
        const pieces = cut(file, sizes);
        expect(pieces).toEqual(referenceCuts(file, gear));
        expect(isWhole(pieces, file.length)).toBe(true);
      }),
      { numRuns: 25, seed: 7 },
    );
  });

  test('single bytes at a time make the same pieces', () => {
    const file = fileOf([700_000, -3 * block, 5]);
    expect(cut(file, [1])).toEqual(cut(file));
  });

  test('bytes that are inserted move the cuts near them and no others', () => {
    const ends = (file: Uint8Array, shift: number): number[] =>
      cut(file).map(({ offset, length }) => offset + length - shift);
    const before = new Set(ends(noise, 0));
    for (const at of [10, 2 * MiB + 17, 6 * MiB]) {
      const inserted = new Uint8Array(noise.length + 13);
      inserted.set(noise.subarray(0, at));
      inserted.set(fileOf([13], 9), at);
      inserted.set(noise.subarray(at), at + 13);
      const after = ends(inserted, 13);
      const upTo = ends(inserted, 0).filter((end) => end <= at);
      expect(upTo.every((end) => before.has(end))).toBe(true);
      // Two chunks may be needed to find a cut that both share; from there on all are the same.
      const same = after.findIndex((end) => end > at && before.has(end));
      const changed = after.filter((end, i) => end > at && i < same);
      expect(changed.length).toBeLessThanOrEqual(3);
      expect(after.slice(same).every((end) => before.has(end))).toBe(true);
    }
  });
});
