import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { type BaseBlob, encodeUpon } from '../../src/codec/encode-related.ts';
import { type BlobId, packKey } from '../../src/format/ids.ts';
import { limits, parameters } from '../../src/format/limits.ts';
import {
  type BaseBox,
  type BaseFrame,
  boxesIn,
  gatherBases,
  type PlaceOf,
  readBoxes,
} from '../../src/pack/base-frames.ts';
import { baseOpener } from '../../src/pack/base-opener.ts';
import type { BlobCopy } from '../../src/pack/blob-copy.ts';
import { blobReader, type BlobReader } from '../../src/pack/blob-reader.ts';
import { memorySource } from '../../src/pack/byte-source.ts';
import { checkBased, checkPack } from '../../src/pack/check-pack.ts';
import { openBases } from '../../src/pack/open-bases.ts';
import { packReader } from '../../src/pack/pack-reader.ts';
import type { WholeCopy } from '../../src/pack/whole-copy.ts';
import { temporaryFolder } from '../operations/make-repository.ts';
import { session, type Session } from './session.ts';
import { idOf, seededBytes } from './test-keys.ts';

const element = { dtype: 'BF16', unit: 2 };

/** Numbers of 16 bits around 1, `changed` of a hundred of which differ from those with `changed` 0. */
function pieceOf(changed: number, elements = 40_000): Uint8Array {
  const noise = seededBytes('piece')(elements);
  const numbers = Uint16Array.from(noise, (byte, at) => 0x3f80 + byte + (at % 100 < changed ? 1 : 0));
  return new Uint8Array(numbers.buffer);
}

/** What may be built upon; undefined also for the end of a chain. */
function wholeOf({ writer }: Pick<Session, 'writer'>, id: BlobId | undefined): WholeCopy | undefined {
  const whole = id && writer.base(id);
  return typeof whole === 'object' ? whole : undefined;
}

/** Stores each piece upon the one before it, as deep as that goes. */
async function chainOf(pieces: readonly Uint8Array[]): Promise<Session & { readonly ids: readonly BlobId[] }> {
  const here = await session();
  const ids: BlobId[] = [];
  for (const bytes of pieces) {
    const base = ids.at(-1);
    const whole = base && wholeOf(here, base);
    const upon: BaseBlob | undefined = whole && {
      id: whole.copy.id,
      bytes: await here.reader.readBlob('data', whole.copy.id),
      depth: whole.copy.frame.depth,
    };
    const relate = (): ReturnType<typeof encodeUpon> => upon && encodeUpon(bytes, element, upon, bytes.length);
    await here.writer.store('data', bytes, { element, relating: (pack) => pack(relate) });
    await here.writer.flush();
    ids.push(idOf(bytes));
  }
  return { ...here, ids };
}

const steps = Array.from({ length: 12 }, (_, step) => pieceOf(step));

function copyOf({ index }: Session, id: BlobId | undefined): BlobCopy {
  const [copy] = id === undefined ? [] : index.lookup('data', id);
  if (copy === undefined) throw new Error('expected a copy');
  return copy;
}

/** A reader of a storage without some of its entries, or with others in their place. */
async function readerOf(
  { backend, keys, index }: Session,
  change: (key: string, bytes: Uint8Array) => Uint8Array | undefined,
): Promise<BlobReader> {
  const copy: Backend = memoryBackend();
  for await (const { key } of backend.list('')) {
    const put = change(key, await backend.get(key));
    if (put !== undefined) await copy.put(key, [put]);
  }
  return blobReader({ backend: copy, index, reader: packReader({ backend: copy, keys }) });
}

describe('frames that are built upon others', () => {
  test('are as deep as the chain below them, at most as the format allows, and read as what they were', async () => {
    const here = await chainOf(steps);
    const depths = here.ids.map((id) => copyOf(here, id).frame.depth);
    expect(depths).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2]);
    expect(Math.max(...depths)).toBe(limits.depth);
    const reader = await readerOf(here, (_, bytes) => bytes);
    for (const [step, id] of here.ids.entries())
      expect(Buffer.compare(await reader.readBlob('data', id), steps[step] ?? pieceOf(0))).toBe(0);
    const seen: BlobId[] = [];
    for await (const { id, bytes } of reader.readBlobs('data', here.ids)) {
      seen.push(id);
      expect(idOf(bytes)).toBe(id);
    }
    expect(seen.toSorted()).toEqual(here.ids.toSorted());
  });

  test('make their packs, and those below, what the session relies on', async () => {
    const here = await chainOf(steps.slice(0, 3));
    const packs = here.ids.map((id) => copyOf(here, id).pack.id);
    const again = await session({ backend: here.backend });
    for (const contents of here.index.pending.values()) again.index.addPack(contents);
    expect(wholeOf(again, here.ids[2])?.copy.id).toBe(here.ids[2]);
    expect([...again.writer.reliedPacks].toSorted()).toEqual(packs.toSorted());
  });

  test('cannot be read when what they are built upon is damaged or gone, which is said by its name', async () => {
    const here = await chainOf(steps.slice(0, 3));
    const [first, , third] = here.ids;
    const { pack, frame } = copyOf(here, first);
    const key = packKey('data', pack.id);
    const damaged = await readerOf(here, (at, bytes) => (at === key ? flipped(bytes, frame.offset + 9) : bytes));
    await expect(damaged.readBlob('data', third ?? idOf(new Uint8Array()))).rejects.toMatchObject({
      code: 'entry-damaged',
      message: expect.stringContaining(pack.id) as string,
    });
    const gone = await readerOf(here, (at, bytes) => (at === key ? undefined : bytes));
    await expect(gone.readBlob('data', third ?? idOf(new Uint8Array()))).rejects.toMatchObject({
      code: 'blob-absent',
      details: { packs: expect.arrayContaining([pack.id]) as unknown },
    });
  });

  test('are read upon another copy of a base where one is damaged', async () => {
    const here = await chainOf(steps.slice(0, 2));
    const [first, second] = here.ids;
    const { pack, frame } = copyOf(here, first);
    const other = await session({ backend: here.backend, seed: 'other' });
    await other.writer.store('data', steps[0] ?? pieceOf(0));
    await other.writer.flush();
    for (const contents of other.index.pending.values()) here.index.addPack(contents);
    const key = packKey('data', pack.id);
    const reader = await readerOf(here, (at, bytes) => (at === key ? flipped(bytes, frame.offset + 9) : bytes));
    expect(idOf(await reader.readBlob('data', second ?? idOf(new Uint8Array())))).toBe(second);
  });

  test('are opened from what was gathered for a thread that has no index', async () => {
    const here = await chainOf(steps.slice(0, 5));
    const { id, whole, gathered } = await gatheredOf(here, 4);
    const base = await gathered();
    expect(boxesIn([base])).toHaveLength(5);
    const copy = structuredClone(base);
    const lower = structuredClone(base.bases[0]);
    if (lower === undefined || !('box' in lower)) throw new Error('expected a base below');
    expect(openBases([base, base]).map(idOf)).toEqual([id, id]);
    // What is known is not opened.
    const known = new Map([[lower.id, steps[3] ?? pieceOf(0)]]);
    const empty = [{ ...copy, bases: [{ ...lower, box: new Uint8Array(0) }] }];
    expect(openBases(empty, { known: (one) => known.get(one) }).map(idOf)).toEqual([id]);
    const again = await gathered();
    const wrong = { ...again, bases: [{ ...lower, box: new Uint8Array(flipped(lower.box as Uint8Array, 3)) }] };
    expect(() => openBases([wrong])).toThrow(expect.objectContaining({ code: 'entry-damaged' }));
    expect(whole.copy.id).toBe(id);
  });

  test('are opened from blobs that lie in files, and from packs that are files', async () => {
    const here = await chainOf(steps.slice(0, 3));
    const { id, whole } = await gatheredOf(here, 2);
    const folder = temporaryFolder();
    const [placed, packs] = [join(folder, 'placed'), new Map<string, number>()];
    const before = steps[1] ?? pieceOf(0);
    writeFileSync(placed, Buffer.concat([Buffer.from('before it'), before]));
    const open = (path: string): number => {
      const fd = openSync(path, 'r');
      onTestFinished(() => closeSync(fd));
      return fd;
    };
    for await (const { key } of here.backend.list('packs/')) {
      const path = join(folder, String(packs.size));
      writeFileSync(path, await here.backend.get(key));
      packs.set(key, open(path));
    }
    const boxOf = async ({ pack }: BlobCopy): Promise<BaseBox> => ({
      fd: packs.get(packKey(pack.kind, pack.id)) ?? -1,
    });
    const { keyOf } = here.packs;
    const fromPacks = await gatherBases([whole], { boxOf, keyOf });
    expect(openBases(fromPacks).map(idOf)).toEqual([id]);

    const fd = open(placed);
    const placeOf: PlaceOf = (one, length) =>
      one === idOf(before) && length === before.length ? { fd, position: 9 } : undefined;
    const fromFile = await gatherBases([whole], { boxOf, keyOf, placeOf });
    expect(fromFile[0]?.bases).toEqual([
      { id: idOf(before), length: before.length, place: { fd, position: 9 }, bases: [] },
    ]);
    expect(openBases(fromFile).map(idOf)).toEqual([id]);
    // The file holds something else by now, which only who checks it sees.
    writeFileSync(placed, new Uint8Array(before.length + 9));
    expect(() => openBases(fromFile)).toThrow(expect.objectContaining({ code: 'entry-damaged' }));
    expect(openBases(fromFile, { isChecked: false }).map(idOf)).not.toEqual([id]);
  });

  test('are opened once for neighbours, by who keeps what was opened, and checked where it was not', async () => {
    const here = await chainOf(steps.slice(0, 2));
    const { id, gathered } = await gatheredOf(here, 1);
    const opener = baseOpener(1);
    const used = async (isChecked: boolean, box?: Uint8Array<ArrayBuffer>): Promise<readonly string[]> => {
      const base = await gathered();
      const given = box === undefined || !('box' in base) ? base : { ...base, box };
      return opener.use([given], (blobs) => blobs.map(idOf), { isChecked });
    };
    expect(await used(true)).toEqual([id]);
    expect(await used(true, new Uint8Array(0))).toEqual([id]);
    await expect(used(false, new Uint8Array(0))).rejects.toMatchObject({ code: 'entry-damaged' });
    expect(await used(false)).toEqual([id]);
    await expect(used(true, new Uint8Array(0))).rejects.toMatchObject({ code: 'entry-damaged' });
    opener.add(id, pieceOf(1).slice());
    expect(await used(true, new Uint8Array(0))).toEqual([id]);
    // More than is kept.
    opener.add(idOf(pieceOf(7)), new Uint8Array(parameters.pieceBytes));
    await expect(used(true, new Uint8Array(0))).rejects.toMatchObject({ code: 'entry-damaged' });
  });

  test('are told apart by the check of a pack, which proves them authentic, and checked with their bases', async () => {
    const here = await chainOf(steps.slice(0, 2));
    const [first, second] = here.ids;
    const { pack, number } = copyOf(here, second);
    const bytes = await here.backend.get(packKey('data', pack.id));
    const { contents, problems, based } = checkPack(bytes, { kind: 'data', id: pack.id, keys: here.keys });
    expect({ problems, based }).toEqual({ problems: [], based: [number] });
    const frame = contents?.frames[number];
    if (frame === undefined) throw new Error('expected a frame');
    const box = memorySource(bytes.slice(frame.offset, frame.offset + frame.boxLength));
    const of = { key: here.packs.keyOf(pack), row: pack, number, frame };
    const base = await here.reader.readBlob('data', first ?? idOf(new Uint8Array()));
    expect(checkBased({ ...of, box }, [base])).toBeUndefined();
    expect(checkBased({ ...of, box }, [pieceOf(50)])).toMatchObject({ frame: number, blobs: [second] });
    expect(checkBased({ ...of, box }, [])).toMatchObject({ frame: number, error: { code: 'value-invalid' } });
    const bad = flipped(bytes.slice(), frame.offset + 3);
    expect(checkPack(bad, { kind: 'data', id: pack.id, keys: here.keys }).based).toEqual([]);
  });
});

/** The copy of a blob of a chain, and what a thread gets of it. */
async function gatheredOf(
  { ids, writer, backend, packs }: Awaited<ReturnType<typeof chainOf>>,
  at: number,
): Promise<{ readonly id: BlobId; readonly whole: WholeCopy; readonly gathered: () => Promise<BaseFrame> }> {
  const id = ids[at] ?? idOf(new Uint8Array());
  const whole = wholeOf({ writer }, id);
  if (whole === undefined) throw new Error('expected a copy');
  return {
    id,
    whole,
    async gathered() {
      const [base] = await gatherBases([whole], { boxOf: readBoxes(backend, undefined), keyOf: packs.keyOf });
      if (base === undefined || 'place' in base) throw new Error('expected a frame');
      return base;
    },
  };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}
