/** Which of several bases a piece is built upon, and which of them are read for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BlobId } from '../../../src/format/ids.ts';
import { relater } from '../../../src/snapshot/relatives/relate.ts';
import { temporaryFolder } from '../../operations/make-repository.ts';
import { idOf, seededBytes } from '../../pack/test-keys.ts';

const element = { dtype: 'BF16', unit: 2 };
const elements = 100_000;

/** Numbers around 1 and around -2; `changed` of a hundred differ from those with `changed` 0. */
function pieceOf(changed: number, seed = 'piece'): Uint8Array<ArrayBuffer> {
  const noise = seededBytes(seed)(elements);
  const numbers = Uint16Array.from(
    noise,
    (byte, at) => (byte & 1 ? 0x3f80 : 0xc000) + byte + (at % 100 < changed ? at & 7 : 0),
  );
  return new Uint8Array(numbers.buffer);
}

/** The bases of which those with these names lie in files, and how a piece is built upon what is wanted. */
function relatives(
  pieces: Readonly<Record<string, Uint8Array>>,
  tooDeep = '',
): {
  readonly read: string[];
  build(bytes: Uint8Array, names: readonly string[], tensor?: number): Promise<string | undefined>;
} {
  const folder = temporaryFolder();
  const read: string[] = [];
  const ids = new Map<string, BlobId>();
  const names = new Map<BlobId, string>();
  for (const [name, bytes] of Object.entries(pieces)) {
    writeFileSync(join(folder, name), bytes);
    ids.set(name, idOf(bytes));
    names.set(idOf(bytes), name);
  }
  const related = relater(({ id, isStored }) => {
    const name = names.get(id);
    if (name === undefined || isStored) return Promise.resolve(undefined);
    if (name === tooDeep) return Promise.resolve('too-deep');
    read.push(name);
    return Promise.resolve({ depth: 0, place: { location: join(folder, name), offset: 0, length: 2 * elements } });
  });
  return {
    read,
    build: (bytes, wanted, tensor = 0) => {
      const bases = wanted.map((name) => ids.get(name) ?? idOf(Buffer.from(name)));
      const about = { element, wanted: { file: 1, tensor, bases, sources: [] } };
      return related.with(bytes, about, (relate) => {
        const [base] = relate?.()?.bases ?? [];
        return Promise.resolve(base && names.get(base));
      });
    },
  };
}

test('a piece is built upon the first that is kin, and what is less likely is not read', async () => {
  const { build, read } = relatives({ near: pieceOf(10), nearer: pieceOf(1), other: pieceOf(0, 'other') });
  expect(await build(pieceOf(0), ['near', 'nearer', 'other'])).toBe('near');
  expect(read).toEqual(['near']);
});

test('of two sources, the rows of either may be in another order', async () => {
  const rows = 32;
  const columns = 2048;
  const source = new Uint8Array(seededBytes('rows')(2 * rows * columns));
  const other = new Uint8Array(seededBytes('others')(2 * rows * columns));
  const row = (at: number): Uint8Array => source.subarray(at * 2 * columns, (at + 1) * 2 * columns);
  const turned = Array.from({ length: rows }, (_, at) => row((at % 2) * (rows / 2) + Math.floor(at / 2)));
  const piece = Uint8Array.from(Buffer.concat(turned));
  const bytesOf = new Map([source, other].map((bytes) => [idOf(bytes), bytes]));
  const folder = temporaryFolder();
  for (const [id, bytes] of bytesOf) writeFileSync(join(folder, id), bytes);
  const related = relater(({ id }) => {
    const length = bytesOf.get(id)?.length ?? 0;
    return Promise.resolve({ depth: 0, place: { location: join(folder, id), offset: 0, length } });
  });
  const sources = [...bytesOf.keys()].toReversed().map((id) => {
    const order = { kind: 'interleaved', elements: columns, rows, skip: 0 } as const;
    return { dtype: 'BF16', blobs: [id], offset: 0, orders: [{ blobs: [id], offset: 0, order }] };
  });
  const about = { element, wanted: { file: 1, tensor: 0, bases: [], sources } };
  const bases = await related.with(piece, about, (relate) => Promise.resolve(relate?.()?.bases));
  expect(bases).toEqual([idOf(source)]);
});

test('what is no kin is passed over, and what cannot be had too', async () => {
  const { build, read } = relatives({ near: pieceOf(10), other: pieceOf(0, 'other'), third: pieceOf(0, 'third') });
  expect(await build(pieceOf(0), ['other', 'gone', 'near', 'third'])).toBe('near');
  expect(read).toEqual(['other', 'near']);
});

test('a piece whose nearest is at the end of a chain is stored alone, and its tensor is tried again', async () => {
  const { build, read } = relatives({ near: pieceOf(10), deep: pieceOf(1) }, 'deep');
  for (let tries = 0; tries < 9; tries += 1) expect(await build(pieceOf(0), ['deep', 'near'])).toBeUndefined();
  expect(read).toEqual([]);
  expect(await build(pieceOf(0), ['near'])).toBe('near');
});

test('a tensor that was tried in vain is not tried again, and after six of them none of the file is', async () => {
  const { build, read } = relatives({ other: pieceOf(0, 'other') });
  for (let tensor = 0; tensor < 9; tensor += 1) {
    expect(await build(pieceOf(0), ['other'], tensor)).toBeUndefined();
    expect(await build(pieceOf(0), ['other'], tensor)).toBeUndefined();
  }
  expect(read).toEqual(Array.from({ length: 6 }, () => 'other'));
});
