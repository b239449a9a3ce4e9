import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faulty } from '../../src/backend/faulty.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { isMbkError } from '../../src/errors.ts';
import { padmeLength, utf8 } from '../../src/format/bytes.ts';
import { asEntryId, packKey, type PackKind } from '../../src/format/ids.ts';
import { checkPack } from '../../src/pack/check-pack.ts';
import type { PackContents } from '../../src/pack/pack-contents.ts';
import { packReader } from '../../src/pack/pack-reader.ts';
import { type NewFrame, packWriter, type PackWriter } from '../../src/pack/pack-writer.ts';
import { codeOf, frameOf, seededBytes, testKeys } from './test-keys.ts';

const keys = testKeys();

function newPack(kind: PackKind = 'data', seed = 'pack'): PackWriter {
  return packWriter({ keys, keyset: keys.shared, kind, lifetime: 'long', random: seededBytes(seed) });
}

function packOf(
  frames: readonly NewFrame[],
  kind: PackKind = 'data',
  seed = 'pack',
): { bytes: Uint8Array; contents: PackContents } {
  const writer = newPack(kind, seed);
  for (const frame of frames) writer.addFrame(frame);
  const { key, parts, contents } = writer.close();
  const bytes = new Uint8Array(Buffer.concat(parts));
  expect(sha256Hex(bytes)).toBe(contents.row.id);
  expect(key).toBe(packKey(kind, contents.row.id));
  expect(contents.row.size).toBe(bytes.byteLength);
  return { bytes, contents };
}

const noise = (length: number, seed = 'noise'): Uint8Array => seededBytes(seed)(length);
const small = packOf([
  frameOf([utf8('one'), utf8('two, two, two, two, two, two, two, two, two')]),
  frameOf([noise(5000)]),
]);

describe('packs', () => {
  test('give back every frame that was added', async () => {
    const blobs = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(blobs, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('data' as const, 'meta' as const),
        async (frames, kind) => {
          const { bytes, contents } = packOf(
            frames.map((one) => frameOf(one, kind === 'data' ? 'data' : 'tree')),
            kind,
          );
          const backend = memoryBackend();
          await backend.put(packKey(kind, contents.row.id), [bytes]);
          const reader = packReader({ backend, keys });
          const read = await reader.readContents(kind, contents.row.id);
          expect(read).toEqual(contents);
          for (const [number, frame] of frames.entries()) {
            expect(Buffer.compare(await reader.readFrame(read, number), Buffer.concat(frame))).toBe(0);
          }
          expect(checkPack(bytes, { kind, id: contents.row.id, keys }).problems).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a footer longer than the first read is read whole', async () => {
    const blobs = Array.from({ length: 3000 }, (_, number) => utf8(`blob ${number}`));
    const { bytes, contents } = packOf([frameOf(blobs)]);
    const backend = memoryBackend();
    await backend.put(packKey('data', contents.row.id), [bytes]);
    expect(await packReader({ backend, keys }).readContents('data', contents.row.id)).toEqual(contents);
  });

  test('sizes are padded: packs under 4 MiB to a Padmé length, footers of others to 4 KiB', () => {
    for (const length of [1, 10_000, 3_000_000]) {
      const { bytes } = packOf([frameOf([noise(length)])]);
      expect(padmeLength(bytes.byteLength)).toBe(bytes.byteLength);
    }
    const { contents } = packOf([frameOf([noise(5_000_000)])]);
    const end = 72 + 5_000_000 + 16 + 16;
    expect((contents.row.size - end) % 4096).toBe(0);
  });

  test('hold nothing readable', () => {
    const text = Buffer.from('the plaintext of a blob that compresses badly: 8c7d6e5f');
    const { bytes, contents } = packOf([frameOf([text])]);
    for (const secret of [
      text.subarray(0, 16),
      Buffer.from(contents.frames[0]?.blobs[0]?.id ?? '', 'hex'),
      Buffer.from(keys.actor.id, 'hex'),
    ]) {
      expect(Buffer.from(bytes).includes(secret)).toBe(false);
    }
  });

  test('two packs of the same blobs have nothing in common', () => {
    const again = packOf([frameOf([utf8('one'), utf8('two')])], 'data', 'another');
    expect(again.contents.row.id).not.toBe(small.contents.row.id);
    expect(Buffer.from(again.contents.row.ephemeral).equals(small.contents.row.ephemeral)).toBe(false);
  });

  test('blobs of the other kind, wrong lengths and empty packs are programming mistakes', () => {
    expect(() => newPack('meta').addFrame(frameOf([utf8('x')], 'data'))).toThrow(TypeError);
    expect(() => newPack().addFrame({ ...frameOf([utf8('x')]), plain: utf8('xy') })).toThrow(RangeError);
    expect(() => newPack().addFrame({ plain: new Uint8Array(0), blobs: [] })).toThrow(RangeError);
    expect(() => newPack().close()).toThrow(RangeError);
  });
});

describe('checking packs', () => {
  const { bytes, contents } = small;
  const { id } = contents.row;
  const check = (changed: Uint8Array): ReturnType<typeof checkPack> => checkPack(changed, { kind: 'data', id, keys });

  test('every changed byte is noticed, and the frame that it is in is named', () => {
    for (let place = 0; place < bytes.byteLength; place += place < 200 || place > bytes.byteLength - 40 ? 1 : 37) {
      const changed = bytes.slice();
      changed[place] = (changed[place] ?? 0) ^ 0x10;
      const result = check(changed);
      expect(result.problems[0]?.error).toMatchObject({
        code: 'entry-damaged',
        message: expect.stringContaining('SHA-256'),
      });
      // The name apart, the bytes tell by themselves: nothing that was changed is taken as good.
      expect(result.problems.length).toBeGreaterThan(1);
      const frame = contents.frames.findIndex((one) => place >= one.offset && place < one.offset + one.boxLength);
      if (frame === -1) {
        expect(result.contents).toBeUndefined();
      } else {
        expect(result.problems.slice(1)).toEqual([
          {
            error: expect.objectContaining({ code: 'entry-damaged' }),
            frame,
            blobs: contents.frames[frame]?.blobs.map((blob) => blob.id),
          },
        ]);
      }
    }
  });

  test('every truncation and every extension is noticed', () => {
    for (let length = 0; length < bytes.byteLength; length += length < 200 ? 1 : 101) {
      expect(check(bytes.subarray(0, length)).contents).toBeUndefined();
    }
    expect(check(Buffer.concat([bytes, Buffer.alloc(1)])).contents).toBeUndefined();
  });

  test('a pack of another repository, keyset, kind or signer is refused', () => {
    const code = (result: ReturnType<typeof checkPack>): string | undefined => result.problems.at(-1)?.error.code;
    expect(code(checkPack(bytes, { kind: 'meta', id, keys }))).toBe('entry-damaged');
    expect(code(checkPack(bytes, { kind: 'data', id, keys: testKeys({ repository: 'two' }) }))).toBe('entry-damaged');
    expect(codeOf(() => checkPack(bytes, { kind: 'data', id, keys: testKeys({ root: 'another' }) }))).toBe(
      'role-denied',
    );
    // Someone who holds all keys but signs with another key cannot pass for the owner.
    const forger = testKeys({ actor: 'forger' });
    const forging = { ...forger, actor: { id: keys.actor.id, seed: forger.actor.seed } };
    const writer = packWriter({
      keys: forging,
      keyset: keys.shared,
      kind: 'data',
      lifetime: 'long',
      random: seededBytes('forged'),
    });
    writer.addFrame(frameOf([utf8('poison')]));
    const forged = writer.close();
    const result = checkPack(Buffer.concat(forged.parts), { kind: 'data', id: forged.contents.row.id, keys });
    expect(result.problems).toHaveLength(1);
    expect(result.problems[0]?.error.message).toContain('signature');
  });

  test('a blob that does not have the bytes of its id is named, its neighbours are not', () => {
    const frame = frameOf([utf8('good'), utf8('evil'), utf8('fine')]);
    const lie = frameOf([utf8('what it claims to be')]).blobs[0]?.id ?? contents.row.id;
    const blobs = frame.blobs.map((blob, index) => (index === 1 ? { ...blob, id: lie as typeof blob.id } : blob));
    const made = packOf([{ ...frame, blobs }]);
    const result = checkPack(made.bytes, { kind: 'data', id: made.contents.row.id, keys });
    expect(result.problems).toEqual([
      { error: expect.objectContaining({ code: 'entry-damaged' }), frame: 0, blobs: [lie] },
    ]);
  });
});

describe('reading packs', () => {
  const key = packKey('data', small.contents.row.id);

  test('a pack that is absent, empty or no pack is told apart', async () => {
    const backend = memoryBackend();
    const { id } = small.contents.row;
    const reader = packReader({ backend, keys });
    await expect(reader.readContents('data', id)).rejects.toMatchObject({ code: 'entry-absent' });
    await backend.put(key, [new Uint8Array(0)]);
    await expect(reader.readContents('data', id)).rejects.toMatchObject({ code: 'entry-damaged' });
    const noPack = asEntryId('00'.repeat(32));
    await backend.put(packKey('data', noPack), [new Uint8Array(100_000)]);
    await expect(reader.readContents('data', noPack)).rejects.toMatchObject({ code: 'entry-damaged' });
  });

  test('damage that passes is read again and does not count', async () => {
    const sound = memoryBackend();
    await sound.put(key, [small.bytes]);
    for (const kind of ['bit-flip', 'short-read'] as const) {
      const backend = faulty(sound, { plan: ({ count }) => (count === 1 ? { kind } : undefined), random: () => 0.999 });
      const reader = packReader({ backend, keys });
      expect(await reader.readContents('data', small.contents.row.id)).toEqual(small.contents);
      const again = packReader({
        backend: faulty(sound, { plan: ({ count }) => (count === 1 ? { kind } : undefined), random: () => 0.4 }),
        keys,
      });
      expect(await again.readFrame(small.contents, 1)).toEqual(noise(5000));
    }
  });

  test('damage that stays is an error that names pack and frame', async () => {
    const backend = memoryBackend();
    const damaged = small.bytes.slice();
    const offset = small.contents.frames[1]?.offset ?? 0;
    damaged[offset] = (damaged[offset] ?? 0) ^ 1;
    await backend.put(key, [damaged]);
    const reader = packReader({ backend, keys });
    const contents = await reader.readContents('data', small.contents.row.id);
    await expect(reader.readFrame(contents, 1)).rejects.toMatchObject({
      code: 'entry-damaged',
      details: { pack: contents.row.id, frame: 1 },
    });
    expect(Buffer.from(await reader.readFrame(contents, 0)).toString()).toContain('one');
  });

  test('random damage of the end of a pack never gives other contents', async () => {
    const { id } = small.contents.row;
    await fc.assert(
      fc.asyncProperty(fc.nat(small.bytes.byteLength - 1), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
        const damaged = small.bytes.slice();
        damaged[place] = (damaged[place] ?? 0) ^ mask;
        const backend = memoryBackend();
        await backend.put(key, [damaged]);
        try {
          expect(await packReader({ backend, keys }).readContents('data', id)).toEqual(small.contents);
        } catch (error) {
          if (!isMbkError(error)) throw error;
        }
      }),
      { numRuns: 100 },
    );
  });
});
