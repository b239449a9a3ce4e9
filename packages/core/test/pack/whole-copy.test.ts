import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { asBlobId, asKeysetId, asPackId, type BlobId, type PackId } from '../../src/format/ids.ts';
import type { BlobCopy } from '../../src/pack/blob-copy.ts';
import { indexSet, type IndexSet } from '../../src/pack/index-set.ts';
import { copiesIn, findWhole, shallowestWhole } from '../../src/pack/whole-copy.ts';
import { session } from './session.ts';
import { idOf, testKeys } from './test-keys.ts';

const keys = testKeys();
const blobOf = (number: number): BlobId => asBlobId(number.toString(16).padStart(64, 'b'));
const packOf = (number: number): PackId => asPackId(number.toString(16).padStart(64, 'a'));

/** One copy of one blob, in a pack of its own. */
interface Copy {
  readonly blob: BlobId;
  readonly depth: number;
  readonly bases: readonly BlobId[];
  readonly keyset?: string;
}

/** Adds pack `at` for each copy. */
function addCopies(index: IndexSet, copies: readonly Copy[]): void {
  copies.forEach(({ blob, depth, bases, keyset }, at) => {
    index.addPack({
      row: {
        id: packOf(at),
        ephemeral: new Uint8Array(32),
        actor: keys.actor.id,
        keyset: keyset === undefined ? keys.shared.id : asKeysetId(keyset),
        size: 5000,
        kind: 'data',
        lifetime: 'long',
        frames: 1,
      },
      frames: [
        {
          offset: 72,
          boxLength: 100,
          plainLength: 3,
          codec: bases.length === 0 ? 0 : 3,
          depth,
          parameters: new Uint8Array(0),
          bases,
          blobs: [{ id: blob, type: 'data', length: 3 }],
          boxEnd: new Uint8Array(8),
        },
      ],
    });
  });
}

function indexOf(copies: readonly Copy[]): IndexSet {
  const index = indexSet({ backend: memoryBackend(), keys });
  addCopies(index, copies);
  return index;
}

function packsOf(index: IndexSet, blob: BlobId, gone: readonly number[] = []): PackId[] | undefined {
  const unusable = new Set(gone.map(packOf));
  const whole = findWhole(index, 'data', blob, (pack) => !unusable.has(pack));
  return whole && copiesIn(whole).map(({ pack }) => pack.id);
}

const [a, b, c] = [blobOf(1), blobOf(2), blobOf(3)];

describe('a whole copy', () => {
  test('without bases is itself', () => {
    const index = indexOf([{ blob: a, depth: 0, bases: [] }]);
    expect(packsOf(index, a)).toEqual([packOf(0)]);
    expect(packsOf(index, a, [0])).toBeUndefined();
    expect(packsOf(index, b)).toBeUndefined();
  });

  test('with bases needs every pack below it', () => {
    const index = indexOf([
      { blob: a, depth: 0, bases: [] },
      { blob: b, depth: 1, bases: [a] },
      { blob: c, depth: 2, bases: [b, a] },
    ]);
    expect(packsOf(index, c)?.sort()).toEqual([0, 1, 2].map(packOf));
    for (const gone of [0, 1, 2]) expect(packsOf(index, c, [gone])).toBeUndefined();
    expect(packsOf(index, b, [2])?.sort()).toEqual([0, 1].map(packOf));
  });

  test('is another one when the first is broken', () => {
    const index = indexOf([
      { blob: a, depth: 0, bases: [] },
      { blob: b, depth: 1, bases: [a] },
      { blob: b, depth: 0, bases: [] },
      { blob: c, depth: 2, bases: [b] },
    ]);
    expect(packsOf(index, c, [0])).toEqual([packOf(3), packOf(2)]);
    expect(packsOf(index, c, [2])?.sort()).toEqual([0, 1, 3].map(packOf));
    expect(packsOf(index, c, [0, 2])).toBeUndefined();
  });

  test('takes bases of smaller depth only, so a circle is none', () => {
    const circle = indexOf([
      { blob: a, depth: 1, bases: [b] },
      { blob: b, depth: 1, bases: [a] },
      { blob: c, depth: 1, bases: [c] },
    ]);
    for (const blob of [a, b, c]) expect(packsOf(circle, blob)).toBeUndefined();
  });

  test('takes bases of its own keyset only', () => {
    const copies = [
      { blob: a, depth: 0, bases: [], keyset: 'cd'.repeat(16) },
      { blob: b, depth: 1, bases: [a] },
    ];
    expect(packsOf(indexOf(copies), b)).toBeUndefined();
    expect(packsOf(indexOf([...copies, { blob: a, depth: 0, bases: [] }]), b)).toEqual([packOf(1), packOf(2)]);
  });

  test('is found exactly when there is one', () => {
    const copy = fc.record({
      blob: fc.nat(5).map(blobOf),
      depth: fc.nat(4),
      bases: fc.uniqueArray(fc.nat(5).map(blobOf), { minLength: 1, maxLength: 3 }),
    });
    const copies = fc.array(
      copy.map(({ blob, depth, bases }) => ({ blob, depth, bases: depth === 0 ? [] : bases })),
      { maxLength: 14 },
    );
    fc.assert(
      fc.property(copies, fc.uniqueArray(fc.nat(13), { maxLength: 4 }), (all, gone) => {
        const index = indexOf(all);
        const isWhole = (at: number): boolean => {
          const one = all[at];
          if (one === undefined || gone.includes(at)) return false;
          return one.bases.every((base) =>
            all.some((other, below) => other.blob === base && other.depth < one.depth && isWhole(below)),
          );
        };
        const unusable = new Set(gone.map(packOf));
        for (let number = 0; number <= 5; number += 1) {
          const id = blobOf(number);
          const whole = findWhole(index, 'data', id, (pack) => !unusable.has(pack));
          const chain = whole && copiesIn(whole);
          expect(chain !== undefined).toBe(all.some((one, at) => one.blob === id && isWhole(at)));
          if (chain !== undefined) expectSound(id, chain, unusable);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('of a chain that forks at every depth is found without asking twice', () => {
    const copies: Copy[] = [{ blob: blobOf(0), depth: 0, bases: [] }];
    for (let depth = 1; depth <= 8; depth += 1) {
      const bases = Array.from({ length: depth }, (_, below) => blobOf(below));
      for (let twin = 0; twin < 20; twin += 1) copies.push({ blob: blobOf(depth), depth, bases });
    }
    const index = indexOf(copies);
    let asked = 0;
    expect(
      findWhole(index, 'data', blobOf(8), (pack) => {
        asked += 1;
        return pack !== packOf(0);
      }),
    ).toBeUndefined();
    expect(asked).toBeLessThan(5000);
  });
});

describe('the shallowest whole copy', () => {
  const shallowest = (index: IndexSet, blob: BlobId, gone: readonly number[] = [], favoured?: number): unknown => {
    const unusable = new Set(gone.map(packOf));
    const favours = ({ pack }: BlobCopy): boolean => favoured !== undefined && pack.id === packOf(favoured);
    const whole = shallowestWhole(index, 'data', blob, (pack) => !unusable.has(pack), favours);
    return whole && copiesIn(whole).map(({ pack }) => pack.id);
  };
  const index = indexOf([
    { blob: b, depth: 1, bases: [a] },
    { blob: a, depth: 0, bases: [] },
    { blob: b, depth: 0, bases: [] },
    { blob: c, depth: 2, bases: [b] },
    { blob: b, depth: 0, bases: [] },
  ]);

  test('is taken before those that were stored before it, also as a base', () => {
    expect([packOf(2), packOf(4)]).toContainEqual((shallowest(index, b) as PackId[])[0]);
    expect(shallowest(index, b)).toHaveLength(1);
    expect(shallowest(index, c, [4])).toEqual([packOf(3), packOf(2)]);
    expect(shallowest(index, b, [2, 4])).toEqual([packOf(0), packOf(1)]);
    expect(shallowest(index, b, [1, 2, 4])).toBeUndefined();
  });

  test('is the favoured one of several as shallow, and no deeper one', () => {
    for (const favoured of [2, 4]) {
      expect(shallowest(index, b, [], favoured)).toEqual([packOf(favoured)]);
      expect(shallowest(index, c, [], favoured)).toEqual([packOf(3), packOf(favoured)]);
    }
    expect(shallowest(index, b, [4], 0)).toEqual([packOf(2)]);
  });
});

/** The first copy is of the blob; each base of each copy has one of smaller depth; all packs are usable. */
function expectSound(id: BlobId, chain: readonly BlobCopy[], unusable: ReadonlySet<PackId>): void {
  expect(chain[0]?.id).toBe(id);
  for (const { frame, pack } of chain) {
    expect(unusable.has(pack.id)).toBe(false);
    for (const base of frame.bases)
      expect(chain.some((one) => one.id === base && one.frame.depth < frame.depth)).toBe(true);
  }
}

test('a writing session knows whole copies only, and relies on all of their packs', async () => {
  const bytes = utf8('xyz');
  const known = idOf(bytes);
  const copies = [
    { blob: a, depth: 0, bases: [] },
    { blob: known, depth: 1, bases: [a] },
  ];
  const whole = await session();
  addCopies(whole.index, copies);
  expect(await whole.writer.store('data', bytes)).toEqual({ id: known, added: false });
  expect([...whole.writer.reliedPacks].sort()).toEqual([0, 1].map(packOf));
  // Told that the base is gone, it stores the blob again although its own pack is there.
  whole.writer.invalidate([packOf(0)]);
  expect((await whole.writer.store('data', bytes)).added).toBe(true);

  const broken = await session({ isUsable: (pack) => pack !== packOf(0) });
  addCopies(broken.index, copies);
  expect((await broken.writer.store('data', bytes)).added).toBe(true);
  expect(broken.writer.reliedPacks.size).toBe(0);
});
