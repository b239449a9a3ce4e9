import { describe, expect, test } from 'vitest';
import { faulty } from '../../src/backend/faulty.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { metered } from '../../src/backend/metered.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { type BlobId, packKey } from '../../src/format/ids.ts';
import { blobReader } from '../../src/pack/blob-reader.ts';
import type { BlobCopy } from '../../src/pack/blob-copy.ts';
import { packReader } from '../../src/pack/pack-reader.ts';
import { finish, session, type Session } from './session.ts';
import { idOf, seededBytes } from './test-keys.ts';

const noise = (length: number, seed: string): Uint8Array => seededBytes(seed)(length);
const blobs = Array.from({ length: 40 }, (_, at) =>
  at % 10 === 9 ? noise(600_000, `large ${at}`) : noise(3000 + at, `small ${at}`),
);
const ids = blobs.map(idOf);

async function filled(): Promise<Session> {
  const here = await session();
  for (const bytes of blobs) await here.writer.store('data', bytes);
  await finish(here.writer);
  return here;
}

/** Replaces an entry, which no backend can: by a copy of all of it. */
async function withChanged(
  backend: Backend,
  key: string,
  change: (bytes: Uint8Array) => Uint8Array | undefined,
): Promise<Backend> {
  const copy = memoryBackend();
  for await (const entry of backend.list('')) {
    const bytes = await backend.get(entry.key);
    const put = entry.key === key ? change(bytes) : bytes;
    if (put !== undefined) await copy.put(entry.key, [put]);
  }
  return copy;
}

function flip(copy: BlobCopy): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const place = copy.frame.offset + 5;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    return bytes;
  };
}

function only(index: Session['index'], id: BlobId): BlobCopy {
  const [copy] = index.lookup('data', id);
  if (copy === undefined) throw new Error('expected a copy');
  return copy;
}

describe('reading blobs', () => {
  test('many come each once, frames read and decoded once, neighbours in one call', async () => {
    const here = await filled();
    const backend = metered(here.backend);
    const reader = blobReader({ backend, index: here.index, reader: packReader({ backend, keys: here.keys }) });
    const found = new Map<BlobId, Uint8Array>();
    for await (const { id, bytes } of reader.readBlobs('data', [...ids, ...ids])) {
      expect(found.has(id)).toBe(false);
      found.set(id, bytes);
    }
    expect([...found.keys()].sort()).toEqual([...ids].sort());
    for (const [id, bytes] of found) expect(idOf(bytes)).toBe(id);
    expect(backend.meter.get.calls).toBe(1);
  });

  test('one after the other decodes a solid frame once, also when asked for together', async () => {
    const here = await filled();
    const backend = metered(here.backend);
    const reader = blobReader({ backend, index: here.index, reader: here.packs });
    await Promise.all(ids.slice(0, 9).map((id) => reader.readBlob('data', id)));
    for (const id of ids.slice(0, 9)) await reader.readBlob('data', id);
    expect(backend.meter.get.calls).toBe(1);
  });

  test('a blob that no segment names, or that is of the other kind, is absent', async () => {
    const here = await filled();
    const id = idOf(utf8('never stored'));
    await expect(here.reader.readBlob('data', id)).rejects.toMatchObject({
      code: 'blob-absent',
      details: { blob: id },
    });
    await expect(here.reader.readBlob('meta', ids[0] ?? id)).rejects.toMatchObject({ code: 'blob-absent' });
  });

  test('a blob whose pack is gone is absent, and the pack is named', async () => {
    const here = await filled();
    const copy = only(here.index, idOf(noise(3000, 'small 0')));
    await here.backend.delete(packKey('data', copy.pack.id));
    await expect(here.reader.readBlob('data', copy.id)).rejects.toMatchObject({
      code: 'blob-absent',
      details: { packs: [copy.pack.id] },
    });
  });

  test('damage is an error that names blob, pack and frame; the other frames still serve', async () => {
    const here = await filled();
    const copy = only(here.index, idOf(noise(3000, 'small 0')));
    const backend = await withChanged(here.backend, packKey('data', copy.pack.id), flip(copy));
    const reader = blobReader({ backend, index: here.index, reader: here.packs });
    const details = { blob: copy.id, pack: copy.pack.id, frame: copy.number };
    await expect(reader.readBlob('data', copy.id)).rejects.toMatchObject({ code: 'entry-damaged', details });

    const failed: BlobId[] = [];
    const found: BlobId[] = [];
    for await (const { id } of reader.readBlobs('data', ids, { onFailed: (id) => failed.push(id) })) found.push(id);
    const sameFrame = ids.filter((id) => only(here.index, id).number === copy.number);
    expect(failed.sort()).toEqual(sameFrame.sort());
    expect([...found, ...failed].sort()).toEqual([...ids].sort());
    const all = async (): Promise<void> => {
      for await (const { id } of reader.readBlobs('data', ids)) expect(id).toHaveLength(64);
    };
    await expect(all()).rejects.toMatchObject({ code: 'entry-damaged' });
  });

  test('damage that passes is read again, one by one and together', async () => {
    for (const kind of ['bit-flip', 'short-read'] as const) {
      const here = await filled();
      const backend = faulty(here.backend, {
        plan: ({ count }) => (count % 2 === 1 ? { kind } : undefined),
        random: () => 0.5,
      });
      const reader = blobReader({ backend, index: here.index, reader: here.packs });
      expect(await reader.readBlob('data', ids[9] ?? idOf(utf8('')))).toEqual(blobs[9]);
      let count = 0;
      for await (const { id, bytes } of reader.readBlobs('data', ids)) {
        expect(idOf(bytes)).toBe(id);
        count += 1;
      }
      expect(count).toBe(ids.length);
    }
  });

  test('another copy serves where one is damaged or gone, and the bad copy is told', async () => {
    const first = await session();
    const bytes = noise(5000, 'twice');
    await first.writer.store('data', bytes);
    const one = await finish(first.writer);
    const second = await session({ backend: first.backend, seed: 'second' });
    await second.writer.store('data', bytes);
    const live = [one, await finish(second.writer)];
    const third = await session({ backend: first.backend, live });
    const copies = third.index.lookup('data', idOf(bytes));
    expect(copies).toHaveLength(2);
    for (const bad of copies) {
      for (const change of [flip(bad), (): undefined => undefined]) {
        const backend = await withChanged(first.backend, packKey('data', bad.pack.id), change);
        const told: string[] = [];
        const reader = blobReader({
          backend,
          index: third.index,
          reader: third.packs,
          prefers: (pack) => pack === bad.pack.id,
          onBadCopy: (copy) => told.push(copy.pack.id),
        });
        expect(await reader.readBlob('data', idOf(bytes))).toEqual(bytes);
        expect(told).toEqual([bad.pack.id]);
      }
    }
  });

  test('is interrupted by its signal', async () => {
    const here = await filled();
    const signal = AbortSignal.abort();
    await expect(here.reader.readBlob('data', ids[0] ?? idOf(utf8('')), { signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});
