import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faulty } from '../../src/backend/faulty.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { sha256, sha256Hex } from '../../src/crypto/hash.ts';
import { deriveKeyset, type Keyset } from '../../src/crypto/keyset.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { packKindOf } from '../../src/format/ids.ts';
import { finish, packKeys, session } from './session.ts';
import { idOf, seededBytes, testKeys } from './test-keys.ts';

const MiB = 1024 * 1024;
const noise = (length: number, seed: string): Uint8Array => seededBytes(seed)(length);

describe('a writing session', () => {
  test('stores any blobs so that another session reads them', async () => {
    const blob = fc.record({
      type: fc.constantFrom('data' as const, 'tree' as const, 'chunks' as const),
      bytes: fc.uint8Array({ maxLength: 2000 }),
      lifetime: fc.constantFrom('short' as const, 'long' as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(blob, { minLength: 1, maxLength: 40 }), async (blobs) => {
        const { backend, writer } = await session({ packBytes: 20_000 });
        const stored = await Promise.all(
          blobs.map(({ type, bytes, lifetime }) => writer.store(type, bytes, { lifetime })),
        );
        const live = [await finish(writer)];
        const other = await session({ backend, live });
        for (const [at, { type, bytes }] of blobs.entries()) {
          const id = stored[at]?.id ?? idOf(bytes);
          expect(id).toBe(sha256Hex(bytes));
          expect(Buffer.compare(await other.reader.readBlob(packKindOf(type), id), bytes)).toBe(0);
          expect(await other.writer.store(type, bytes)).toEqual({ id, added: false });
        }
        expect(writer.stats.newBlobs + writer.stats.knownBlobs).toBe(blobs.length);
        expect(writer.stats.newBlobs).toBe(
          new Set(blobs.map(({ type, bytes }) => `${packKindOf(type)} ${idOf(bytes)}`)).size,
        );
      }),
      { numRuns: 30 },
    );
  });

  test('shares content between generations of a scope and never between scopes', async () => {
    const first = testKeys();
    const keysetOf = (name: string, scope: string, generation: number): Keyset => {
      return deriveKeyset(sha256(utf8(name)), { id: testKeys({ root: name }).shared.id, scope, generation });
    };
    const rotated = keysetOf('rotated', 'shared', 2);
    const isolated = keysetOf('isolated', 'healthcare', 1);
    const keys = { ...first, keysets: new Map([first.shared, rotated, isolated].map((one) => [one.id, one])) };
    const bytes = noise(1000, 'shared bytes');
    const { backend, writer } = await session({ keys });
    await writer.store('data', bytes);
    const live = [await finish(writer)];
    const next = await session({ backend, keys, live, keyset: rotated, seed: 'next' });
    expect((await next.writer.store('data', bytes)).added).toBe(false);
    const apart = await session({ backend, keys, live, keyset: isolated, seed: 'apart' });
    expect((await apart.writer.store('data', bytes)).added).toBe(true);
  });

  test('stores a blob once, however often and however soon it comes again', async () => {
    const { backend, writer, index } = await session();
    const bytes = noise(700_000, 'large');
    const results = await Promise.all(Array.from({ length: 8 }, () => writer.store('data', bytes)));
    expect(results.map(({ added }) => added)).toEqual([true, false, false, false, false, false, false, false]);
    await writer.flush();
    expect((await writer.store('data', bytes)).added).toBe(false);
    await finish(writer);
    expect((await writer.store('data', bytes)).added).toBe(false);
    expect(index.lookup('data', idOf(bytes))).toHaveLength(1);
    expect(await packKeys(backend)).toHaveLength(1);
    expect(writer.stats).toMatchObject({
      newBlobs: 1,
      newBytes: 700_000,
      knownBlobs: 9,
      knownBytes: 6_300_000,
      packs: 1,
    });
  });

  test('has the bytes of a blob copied or sealed when the call returns', async () => {
    const { writer, reader } = await session();
    const buffer = new Uint8Array(MiB);
    const ids = [];
    for (let round = 0; round < 6; round += 1) {
      const part = buffer.subarray(0, round % 2 === 0 ? 1000 : MiB);
      part.set(noise(part.byteLength, `round ${round}`));
      ids.push({ id: idOf(part), length: part.byteLength, seed: `round ${round}` });
      void writer.store('data', part);
    }
    buffer.fill(0);
    await writer.flush();
    for (const { id, length, seed } of ids)
      expect(Buffer.compare(await reader.readBlob('data', id), noise(length, seed))).toBe(0);
  });

  test('gathers small blobs to solid frames of up to 1 MiB, and gives large ones frames of their own', async () => {
    const { writer, index } = await session();
    for (let at = 0; at < 300; at += 1) await writer.store('data', noise(10_000, `small ${at}`));
    await writer.store('data', noise(512 * 1024, 'large'));
    await writer.flush();
    const frames = [...index.pending.values()].flatMap((pack) => pack.frames);
    expect(frames.map((frame) => frame.blobs.length).sort((a, b) => a - b)).toEqual([1, 92, 104, 104]);
    expect(Math.max(...frames.map((frame) => frame.plainLength))).toBeLessThanOrEqual(MiB);
  });

  test('bounds the blobs of a frame, so that rows do not outgrow their frames', async () => {
    const { writer, index } = await session();
    for (let at = 0; at < 10_000; at += 1) await writer.store('data', utf8(String(at)));
    await writer.flush();
    const frames = [...index.pending.values()].flatMap((pack) => pack.frames);
    expect(Math.max(...frames.map((frame) => frame.blobs.length))).toBe(4096);
  });

  test('closes packs at their size and keeps kinds and lifetimes apart', async () => {
    const { writer, index } = await session({ packBytes: 4 * MiB });
    for (let at = 0; at < 12; at += 1) {
      await writer.store('data', noise(MiB, `chunk ${at}`), { lifetime: at % 2 === 0 ? 'short' : 'permanent' });
      await writer.store('tree', utf8(`{"at":${at}}`), { lifetime: 'long' });
    }
    await writer.flush();
    const rows = [...index.pending.values()].map(({ row }) => row);
    expect(new Set(rows.map(({ kind, lifetime }) => `${kind} ${lifetime}`))).toEqual(
      new Set(['data short', 'data permanent', 'meta long']),
    );
    for (const { size } of rows) expect(size).toBeLessThan(5.5 * MiB);
    expect(rows.length).toBeGreaterThan(3);
  });

  test('puts frames to one of two packs at random, a small session to one', async () => {
    const { writer, index } = await session({ packBytes: 8 * MiB });
    for (let at = 0; at < 14; at += 1) await writer.store('data', noise(MiB, `chunk ${at}`));
    await writer.flush();
    expect(index.pending.size).toBe(2);
    const single = await session({ packBytes: 8 * MiB, openPacks: 1 });
    for (let at = 0; at < 7; at += 1) await single.writer.store('data', noise(MiB, `chunk ${at}`));
    await single.writer.flush();
    expect(single.index.pending.size).toBe(1);
  });

  test('does not take for known what lies in packs that may not be used', async () => {
    const first = await session();
    const bytes = utf8('a blob in a pack that was condemned');
    await first.writer.store('data', bytes);
    const live = [await finish(first.writer)];
    const [condemned] = first.writer.reliedPacks;
    const second = await session({
      backend: first.backend,
      live,
      seed: 'second',
      isUsable: (pack) => pack !== condemned,
    });
    expect((await second.writer.store('data', bytes)).added).toBe(true);
    const stranger = testKeys({ actor: 'stranger' });
    const third = await session({
      backend: first.backend,
      live,
      seed: 'third',
      keys: stranger,
      isUsable: (_pack, actor) => actor === stranger.actor.id,
    });
    expect((await third.writer.store('data', bytes)).added).toBe(true);
  });

  test('remembers the packs that it relies on: those of known blobs and its own', async () => {
    const first = await session();
    await first.writer.store('data', utf8('one'), { lifetime: 'short' });
    await first.writer.store('data', utf8('two'), { lifetime: 'long' });
    const live = [await finish(first.writer)];
    const packOf = (text: string): string | undefined =>
      first.index.find('data', idOf(utf8(text)), () => true)?.pack.id;
    const second = await session({ backend: first.backend, live, seed: 'second' });
    await second.writer.store('data', utf8('two'));
    expect([...second.writer.reliedPacks]).toEqual([packOf('two')]);
    await second.writer.store('data', utf8('three'));
    await second.writer.flush();
    const own = [...second.index.pending.keys()];
    expect([...second.writer.reliedPacks]).toEqual([packOf('two'), ...own]);
  });

  test('stores again what was in packs that it is told are gone', async () => {
    const { writer, backend, index } = await session();
    const bytes = utf8('stored, then pruned by another');
    await writer.store('data', bytes);
    await writer.flush();
    const gone = [...writer.reliedPacks];
    writer.invalidate(gone);
    expect([...writer.reliedPacks]).toEqual([]);
    expect((await writer.store('data', bytes)).added).toBe(true);
    const segment = await finish(writer);
    expect(segment.blobs).toBe(1);
    for (const pack of gone) expect(index.pack(pack)).toBeUndefined();
    // The same once a segment names the pack.
    writer.invalidate([...writer.reliedPacks]);
    expect((await writer.store('data', bytes)).added).toBe(true);
    await writer.flush();
    expect(await packKeys(backend)).toHaveLength(3);
  });

  test('puts the packs of a segment that was deleted in another one', async () => {
    const { writer, backend, index } = await session();
    const texts = ['one', 'two'].map(utf8);
    const segments = [];
    for (const text of texts) {
      await writer.store('data', text);
      segments.push(await finish(writer));
    }
    const [first, second] = segments;
    if (first === undefined || second === undefined) throw new Error('expected two segments');
    writer.untake([first.id]);
    expect(index.segments.map(({ id }) => id)).toEqual([second.id]);
    const again = await finish(writer);
    expect(again.id).not.toBe(first.id);
    const other = await session({ backend, live: [second, again], seed: 'other' });
    for (const text of texts) expect((await other.writer.store('data', text)).added).toBe(false);
    expect(await writer.takeSegment()).toBeUndefined();
  });

  test('names in a segment only what is stored, each pack in one segment', async () => {
    const { writer, index } = await session({ packBytes: 2 * MiB, openPacks: 1 });
    for (let at = 0; at < 3; at += 1) await writer.store('data', noise(MiB, `chunk ${at}`));
    const first = await writer.takeSegment();
    expect(first).toMatchObject({ blobs: 2 });
    expect(index.pending.size).toBe(0);
    expect(await writer.takeSegment()).toBeUndefined();
    const second = await finish(writer);
    expect(second.blobs).toBe(1);
    expect(index.segments.map(({ id }) => id)).toEqual([second.id, first?.id]);
  });

  test('ends with the first failed put: nothing that follows can be taken for stored', async () => {
    const backend = faulty(memoryBackend(), {
      plan: ({ method, count }) =>
        method === 'put' && count === 2 ? { kind: 'error', code: 'backend-full' } : undefined,
      random: () => 0,
    });
    const { writer, index } = await session({ backend, packBytes: MiB, openPacks: 1 });
    await writer.store('data', noise(MiB, 'first'));
    await expect(writer.store('data', noise(MiB, 'second'))).rejects.toMatchObject({ code: 'backend-full' });
    await expect(writer.store('data', noise(MiB, 'second'))).rejects.toMatchObject({ code: 'backend-full' });
    await expect(writer.flush()).rejects.toMatchObject({ code: 'backend-full' });
    await expect(writer.takeSegment()).rejects.toMatchObject({ code: 'backend-full' });
    expect(index.lookup('data', idOf(noise(MiB, 'second')))).toEqual([]);
  });

  test('refuses a blob over 16 MiB', async () => {
    const { writer } = await session();
    await expect(writer.store('data', new Uint8Array(16 * MiB + 1))).rejects.toThrow(RangeError);
  });
});
