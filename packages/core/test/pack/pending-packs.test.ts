import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asBlobId, asPackId, type BlobId, type PackId, type PackKind } from '../../src/format/ids.ts';
import type { PackContents } from '../../src/pack/pack-contents.ts';
import { copiesOf, pendingPacks } from '../../src/pack/pending-packs.ts';
import { testKeys } from './test-keys.ts';

const keys = testKeys();
/** Few ids, many of which begin alike. */
const blobIdOf = (number: number): BlobId => asBlobId(`aaaaaa${number % 3}${number % 5}${number}`.padEnd(64, 'b'));
const packIdOf = (number: number): PackId => asPackId(String(number).padStart(64, '0'));

function contentsOf(number: number, frames: readonly (readonly number[])[]): PackContents {
  const kind: PackKind = number % 2 === 0 ? 'data' : 'meta';
  return {
    row: {
      id: packIdOf(number),
      ephemeral: new Uint8Array(32),
      actor: keys.actor.id,
      keyset: keys.shared.id,
      size: 1000,
      kind,
      lifetime: 'long',
      frames: frames.length,
    },
    frames: frames.map((blobs, frame) => ({
      offset: 72 + frame,
      boxLength: 16,
      plainLength: 9,
      codec: 4,
      depth: 0,
      parameters: new Uint8Array(0),
      bases: [],
      boxEnd: new Uint8Array(8),
      blobs: blobs.map((id) => ({ id: blobIdOf(id), type: kind === 'data' ? 'data' : 'tree', length: 1 + (id % 4) })),
    })),
  };
}

const frames = fc.array(fc.array(fc.nat(99), { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 6 });
const actions = fc.array(
  fc.oneof(
    fc.record({ add: fc.nat(20), frames }),
    fc.record({ remove: fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }) }),
  ),
  { maxLength: 12 },
);

describe('pending packs', () => {
  test('know every blob of every pack that was added and not removed, and no other', () => {
    fc.assert(
      fc.property(actions, (all) => {
        const pending = pendingPacks();
        const expected = new Map<PackId, PackContents>();
        for (const action of all) {
          if ('add' in action) {
            const contents = contentsOf(action.add, action.frames);
            pending.add(contents);
            if (!expected.has(contents.row.id)) expected.set(contents.row.id, contents);
          } else {
            pending.remove(action.remove.map(packIdOf));
            for (const pack of action.remove) expected.delete(packIdOf(pack));
          }
        }
        expect([...pending.packs.keys()]).toEqual([...expected.keys()]);
        for (const [id, { row, frames: ofPack }] of expected) {
          expect(pending.packs.get(id)).toMatchObject({ row, frames: ofPack });
        }
        for (let id = 0; id < 100; id += 1) {
          for (const kind of ['data', 'meta'] as const) {
            const copies = [...expected.values()]
              .filter(({ row }) => row.kind === kind)
              .flatMap((contents) => [...copiesOf(contents)])
              .filter((copy) => copy.id === blobIdOf(id));
            expect(pending.copies(kind, blobIdOf(id))).toMatchObject(copies);
            expect(pending.copies(kind, blobIdOf(id))).toHaveLength(copies.length);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
