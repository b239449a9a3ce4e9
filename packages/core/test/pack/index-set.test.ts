import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { metered } from '../../src/backend/metered.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { asBlobId, asSegmentId, type PackId } from '../../src/format/ids.ts';
import { buildSegment } from '../../src/pack/build-segment.ts';
import { entryCache } from '../../src/pack/entry-cache.ts';
import { indexSet, type SegmentInfo } from '../../src/pack/index-set.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { finish, session, type Session } from './session.ts';
import { idOf, seededBytes, testKeys } from './test-keys.ts';

const newFolder = temporaryFolders();
const keys = testKeys();

/** A repository of segments of one blob each, `blob 0`, `blob 1`, … */
async function segmentsOf(count: number): Promise<{ first: Session; live: SegmentInfo[] }> {
  const first = await session();
  const live: SegmentInfo[] = [];
  for (let at = 0; at < count; at += 1) {
    await first.writer.store('data', utf8(`blob ${at}`));
    live.push(await finish(first.writer));
  }
  return { first, live };
}

describe('the index of a repository', () => {
  test('knows what the segments name that the log names, and no others', async () => {
    const { first, live } = await segmentsOf(20);
    const index = indexSet({ backend: first.backend, keys });
    const known = (): number[] =>
      live.map((_, at) => at).filter((at) => index.lookup('data', idOf(utf8(`blob ${at}`))).length > 0);
    expect(known()).toEqual([]);
    await index.setLive(live.slice(0, 15));
    expect(known()).toEqual(live.slice(0, 15).map((_, at) => at));
    await index.setLive(live.slice(10));
    expect(known()).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test('keeps a segment of its own until the log has named it, then follows the log', async () => {
    const { first, live } = await segmentsOf(2);
    const { index } = first;
    await index.setLive([]);
    expect(index.segments).toHaveLength(2);
    await index.setLive(live);
    expect(index.segments).toHaveLength(2);
    await index.setLive(live.slice(1));
    expect(index.segments.map(({ id }) => id)).toEqual(live.slice(1).map(({ id }) => id));
    expect(index.lookup('data', idOf(utf8('blob 0')))).toEqual([]);
  });

  test('a merged segment answers as its sources did, without the dropped packs', async () => {
    const { first, live } = await segmentsOf(9);
    const dropped = new Set<PackId>([...(first.index.segments[4]?.packs() ?? [])].map(({ id }) => id));
    const merged = buildSegment(first.index.segments, {
      keys,
      keyset: keys.shared,
      random: seededBytes('merge'),
      drop: (pack) => dropped.has(pack),
    });
    await first.backend.put(merged.key, merged.parts);
    const index = indexSet({ backend: first.backend, keys });
    await index.setLive([{ id: merged.id, blobs: merged.blobs, bytes: merged.byteLength }]);
    expect(merged.blobs).toBe(8);
    for (let at = 0; at < 9; at += 1) {
      const id = idOf(utf8(`blob ${at}`));
      const before = first.index.lookup('data', id).filter(({ pack }) => !dropped.has(pack.id));
      expect(index.lookup('data', id).map(({ pack, frame }) => [pack, frame.offset])).toEqual(
        before.map(({ pack, frame }) => [pack, frame.offset]),
      );
    }
    expect(live).toHaveLength(9);
  });

  test('a pack in two segments counts once', async () => {
    const { first } = await segmentsOf(2);
    const built = buildSegment(first.index.segments, { keys, keyset: keys.shared, random: seededBytes('copy') });
    first.index.addSegment(built);
    expect(first.index.lookup('data', idOf(utf8('blob 0')))).toHaveLength(1);
    expect([...first.index.packs()]).toHaveLength(2);
  });

  test('says who named the segment that a copy was found in, nobody for what this session built', async () => {
    const { first, live } = await segmentsOf(2);
    const asked: unknown[] = [];
    const ask = (index: Session['index'], at: number): void => {
      index.find('data', idOf(utf8(`blob ${at}`)), (_pack, _signer, namedBy) => asked.push(namedBy) > 0);
    };
    ask(first.index, 0);
    const [one, two] = [testKeys({ actor: 'one' }).actor.id, testKeys({ actor: 'two' }).actor.id];
    const named = live.map((info, at) => ({ ...info, actor: at === 0 ? one : two }));
    const index = indexSet({ backend: first.backend, keys });
    for (const set of [index, first.index]) {
      await set.setLive(named);
      ask(set, 0);
      ask(set, 1);
    }
    // Who named it is what the newest fold says.
    await index.setLive(named.map((info) => ({ ...info, actor: two })));
    ask(index, 0);
    expect(asked).toEqual([undefined, one, two, one, two, two]);
    // Where there are several copies, each says it to who prefers one of them.
    first.index.addSegment(buildSegment(index.segments, { keys, keyset: keys.shared, random: seededBytes('again') }));
    const preferred: unknown[] = [];
    first.index.lookup('data', idOf(utf8('blob 0')), (_pack, _signer, namedBy) => preferred.push(namedBy) > 0);
    expect(preferred).toEqual([undefined, one]);
  });

  test('copies come preferred first, then shallowest first', async () => {
    const { first } = await segmentsOf(1);
    const [row] = first.index.packs();
    if (row === undefined) throw new Error('expected a pack');
    const id = asBlobId('ab'.repeat(32));
    const packAt = (depth: number): void =>
      first.index.addPack({
        row: { ...row, id: asSegmentId(String(depth).repeat(64)) },
        frames: [
          {
            offset: 72,
            boxLength: 100,
            plainLength: 5,
            codec: 3,
            depth,
            parameters: new Uint8Array(0),
            bases: [id],
            blobs: [{ id, type: 'data', length: 5 }],
            boxEnd: new Uint8Array(8),
          },
        ],
      });
    for (const depth of [3, 1, 2]) packAt(depth);
    expect(first.index.lookup('data', id).map(({ frame }) => frame.depth)).toEqual([1, 2, 3]);
    expect(first.index.lookup('data', id, (pack) => pack.startsWith('3')).map(({ frame }) => frame.depth)).toEqual([
      3, 1, 2,
    ]);
    expect(first.index.find('data', id, (pack) => pack.startsWith('2'))?.frame.depth).toBe(2);
    expect(first.index.find('data', id, () => false)).toBeUndefined();
    first.index.removePending([asSegmentId('1'.repeat(64))]);
    expect(first.index.lookup('data', id).map(({ frame }) => frame.depth)).toEqual([2, 3]);
  });

  test('damaged and absent segments are errors, or are told and left out', async () => {
    const { first, live } = await segmentsOf(3);
    const [one, two, three] = live;
    if (one === undefined || two === undefined || three === undefined) throw new Error('expected three segments');
    const backend = memoryBackend();
    const damaged = await first.backend.get(`index/${one.id}`);
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    await backend.put(`index/${one.id}`, [damaged]);
    await backend.put(`index/${two.id}`, [await first.backend.get(`index/${two.id}`)]);
    const index = indexSet({ backend, keys });
    await expect(index.setLive([one])).rejects.toMatchObject({ code: 'entry-damaged' });
    await expect(index.setLive([three])).rejects.toMatchObject({ code: 'entry-absent' });
    await expect(index.setLive([{ ...two, bytes: two.bytes - 1 }])).rejects.toMatchObject({ code: 'entry-damaged' });
    expect(index.segments).toEqual([]);
    const told: string[] = [];
    await index.setLive(live, { onDamaged: ({ id }, error) => told.push(`${id} ${error.code}`) });
    expect(told.sort()).toEqual([`${one.id} entry-damaged`, `${three.id} entry-absent`].sort());
    expect(index.segments.map(({ id }) => id)).toEqual([two.id]);
  });

  test('segments are read from local copies, which are fetched again when damaged', async () => {
    const { first, live } = await segmentsOf(3);
    const folder = newFolder();
    const cache = entryCache(folder, { random: seededBytes('cache') });
    const backend = metered(first.backend);
    const openAll = async (): Promise<void> => {
      const index = indexSet({ backend, keys, cache });
      await index.setLive(live);
      for (let at = 0; at < 3; at += 1) expect(index.lookup('data', idOf(utf8(`blob ${at}`)))).toHaveLength(1);
      index.close();
    };
    await openAll();
    expect(backend.meter.get.calls).toBe(3);
    await openAll();
    expect(backend.meter.get.calls).toBe(3);
    cache.put(`index/${live[0]?.id}`, [utf8('not what it was')]);
    await openAll();
    expect(backend.meter.get.calls).toBe(4);
    const index = indexSet({ backend, keys, cache });
    await index.setLive(live.slice(2));
    expect(live.map(({ id }) => cache.get(`index/${id}`) !== undefined)).toEqual([false, false, true]);
    index.close();
  });
});
