import { expect, test } from 'vitest';
import { parameters } from '../../src/format/limits.ts';
import type { BlobId } from '../../src/format/ids.ts';
import { planReads } from '../../src/pack/plan-reads.ts';
import { session } from './session.ts';
import { idOf } from './test-keys.ts';

/** A pack of frames of 20 bytes, one blob each, of `plainLength` bytes of plaintext. */
async function runsOf(
  frames: readonly { readonly plainLength: number; readonly isBased: boolean }[],
): Promise<number[]> {
  const { index, keys } = await session();
  const id = (at: number): BlobId => idOf(Buffer.from(`blob ${at}`));
  index.addPack({
    row: {
      id: 'a'.repeat(64) as never,
      ephemeral: new Uint8Array(32),
      actor: keys.actor.id,
      keyset: keys.shared.id,
      size: 100_000,
      kind: 'data',
      lifetime: 'long',
      frames: frames.length,
    },
    frames: frames.map(({ plainLength, isBased }, at) => ({
      offset: 72 + 20 * at,
      boxLength: 20,
      plainLength,
      codec: isBased ? 4 : 0,
      depth: isBased ? 1 : 0,
      parameters: new Uint8Array(0),
      bases: isBased ? [idOf(Buffer.from('base'))] : [],
      blobs: [{ id: id(at), type: 'data', length: plainLength }],
      boxEnd: new Uint8Array(8),
    })),
  });
  const { runs } = planReads(
    index,
    'data',
    frames.map((_, at) => id(at)),
  );
  return runs.map((run) => run.frames.length);
}

const half = parameters.pieceBytes / 2;

test('neighbours are read together, but of those that are built upon others no more than a piece at a time', async () => {
  expect(await runsOf(Array.from({ length: 6 }, () => ({ plainLength: half, isBased: false })))).toEqual([6]);
  expect(await runsOf(Array.from({ length: 5 }, () => ({ plainLength: half, isBased: true })))).toEqual([2, 2, 1]);
  expect(await runsOf(Array.from({ length: 3 }, () => ({ plainLength: 2 * half, isBased: true })))).toEqual([1, 1, 1]);
  expect(await runsOf(Array.from({ length: 50 }, () => ({ plainLength: 5000, isBased: true })))).toEqual([50]);
});
