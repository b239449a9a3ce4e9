import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faulty } from '../../src/backend/faulty.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { utf8 } from '../../src/format/bytes.ts';
import type { ByteSource } from '../../src/pack/byte-source.ts';
import { cachedGet, entryCache, fetchCopy, openCopy } from '../../src/pack/entry-cache.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { seededBytes } from './test-keys.ts';

const newFolder = temporaryFolders();
const random = seededBytes('cache');
const bytes = utf8('the sealed bytes of an entry');
const key = `index/${sha256Hex(bytes)}`;

describe('the local cache', () => {
  test('gives back whole what was put, by position too', () => {
    const folder = newFolder();
    const cache = entryCache(folder, { random });
    expect(cache.get(key)).toBeUndefined();
    expect(cache.open(key)).toBeUndefined();
    expect(cache.put(key, [bytes.subarray(0, 5), bytes.subarray(5)])).toBe(true);
    expect(cache.put(key, [bytes])).toBe(true);
    expect(Buffer.compare(cache.get(key) ?? utf8(''), bytes)).toBe(0);
    const source = cache.open(key);
    expect(source?.byteLength).toBe(bytes.byteLength);
    expect(source?.read(4, 6)).toEqual(bytes.slice(4, 10));
    expect(() => source?.read(20, 20)).toThrow(expect.objectContaining({ code: 'entry-damaged' }));
    source?.close();
    expect(readdirSync(join(folder, 'index'))).toEqual([sha256Hex(bytes)]);
  });

  test('never gives bytes that are not those of the name, and forgets them', () => {
    const folder = newFolder();
    const cache = entryCache(folder, { random });
    for (const read of [cache.get, cache.open]) {
      cache.put(key, [bytes]);
      writeFileSync(join(folder, key), 'something else');
      expect(read(key)).toBeUndefined();
      expect(readdirSync(join(folder, 'index'))).toEqual([]);
    }
  });

  test('a large copy is hashed once, and again unless what proves it is beside it', () => {
    const folder = newFolder();
    const cache = entryCache(folder, { random });
    const large = new Uint8Array(1024 * 1024).fill(7);
    const largeKey = `index/${sha256Hex(large)}`;
    const proofOf = (source: ByteSource): Uint8Array => source.read(0, 8);
    cache.put(largeKey, [large]);
    cache.open(largeKey, { proofOf })?.close();
    const path = cache.pathOf(largeKey);
    expect(readdirSync(join(folder, 'index')).length).toBe(2);
    // Behind what the proof speaks of: not noticed here, since its parts authenticate when they are read.
    writeFileSync(path, large.with(9, 8));
    const source = cache.open(largeKey, { proofOf });
    expect(source?.read(9, 1)).toEqual(Uint8Array.of(8));
    expect(openCopy(path)?.byteLength).toBe(large.byteLength);
    writeFileSync(path, large.with(1, 8));
    expect(cache.open(largeKey, { proofOf })).toBeUndefined();
    expect(readdirSync(join(folder, 'index'))).toEqual([]);
    cache.put(largeKey, [large]);
    cache.open(largeKey, { proofOf })?.close();
    cache.keepOnly('index', new Set([largeKey]));
    expect(readdirSync(join(folder, 'index')).length).toBe(2);
    cache.keepOnly('index', new Set());
    expect(readdirSync(join(folder, 'index'))).toEqual([]);
  });

  test('an entry is copied in parts, read again once, and kept only if it is what its name says', async () => {
    const folder = newFolder();
    const cache = entryCache(folder, { random });
    const large = seededBytes('large')(9 * 1024 * 1024);
    const largeKey = `index/${sha256Hex(large)}`;
    const backend = memoryBackend();
    await expect(fetchCopy(backend, cache, largeKey, { size: 5 })).rejects.toMatchObject({ code: 'entry-absent' });
    await backend.put(largeKey, [large]);
    const flipping = (times: number): typeof backend =>
      faulty(backend, {
        plan: ({ method, count }) => (method === 'get' && count <= times ? { kind: 'bit-flip' } : undefined),
        random: () => 0,
      });
    const size = large.byteLength;
    await expect(fetchCopy(flipping(1000), cache, largeKey, { size })).rejects.toMatchObject({ code: 'entry-damaged' });
    expect(readdirSync(join(folder, 'index'))).toEqual([]);
    expect(await fetchCopy(flipping(9), cache, largeKey, { size })).toBe(true);
    expect(Buffer.compare(cache.get(largeKey) ?? utf8(''), large)).toBe(0);
    const file = newFolder();
    writeFileSync(file, 'a file where the folder should be');
    expect(await fetchCopy(backend, entryCache(file, { random }), largeKey, { size })).toBe(false);
  });

  test('a folder that cannot be used is a miss, not an error', () => {
    const file = newFolder();
    writeFileSync(file, 'a file where the folder should be');
    const cache = entryCache(file, { random });
    expect(cache.put(key, [bytes])).toBe(false);
    expect(cache.get(key)).toBeUndefined();
    expect(cache.open(key)).toBeUndefined();
    cache.keepOnly('index', new Set());
    const folder = newFolder();
    mkdirSync(join(folder, 'index', sha256Hex(bytes)), { recursive: true });
    chmodSync(folder, 0o700);
    expect(entryCache(folder, { random }).put(key, [bytes])).toBe(false);
    expect(readdirSync(join(folder, 'index'))).toEqual([sha256Hex(bytes)]);
  });

  test('a key that is not named by a hash is a programming mistake', () => {
    expect(() => entryCache(newFolder(), { random }).get('log/000000')).toThrow(TypeError);
  });

  test('an entry is fetched once, and without a cache each time', async () => {
    const folder = newFolder();
    const cache = entryCache(folder, { random });
    const backend = memoryBackend();
    await expect(cachedGet(backend, cache, key)).rejects.toMatchObject({ code: 'entry-absent' });
    await backend.put(key, [bytes]);
    expect(await cachedGet(backend, cache, key)).toEqual(bytes);
    expect(new Uint8Array(readFileSync(join(folder, key)))).toEqual(bytes);
    await backend.delete(key);
    expect(new Uint8Array(await cachedGet(backend, cache, key))).toEqual(bytes);
    await expect(cachedGet(backend, undefined, key)).rejects.toMatchObject({ code: 'entry-absent' });
  });

  test('what is fetched is checked, read again once, and bounded before it is read', async () => {
    const backend = memoryBackend();
    await backend.put(key, [bytes]);
    const flipping = (times: number): typeof backend =>
      faulty(backend, {
        plan: ({ method, count }) => (method === 'get' && count <= times ? { kind: 'bit-flip' } : undefined),
        random: () => 0,
      });
    expect(await cachedGet(flipping(1), undefined, key)).toEqual(bytes);
    await expect(cachedGet(flipping(2), undefined, key)).rejects.toMatchObject({ code: 'entry-damaged' });
    await expect(cachedGet(backend, undefined, key, { maxBytes: 5 })).rejects.toMatchObject({ code: 'entry-damaged' });
    await expect(cachedGet(backend, undefined, key, { size: bytes.byteLength - 1 })).rejects.toMatchObject({
      code: 'entry-damaged',
    });
    await expect(cachedGet(backend, undefined, key, { size: bytes.byteLength + 1 })).rejects.toMatchObject({
      code: 'backend-read-short',
    });
  });
});
