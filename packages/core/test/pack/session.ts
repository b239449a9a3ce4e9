import type { Backend } from '../../src/backend/backend.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import type { Keys } from '../../src/crypto/keyset.ts';
import { type BlobReader, blobReader } from '../../src/pack/blob-reader.ts';
import { type BlobWriter, blobWriter, type BlobWriterOptions } from '../../src/pack/blob-writer.ts';
import type { EntryCache } from '../../src/pack/entry-cache.ts';
import { type IndexSet, indexSet, type SegmentInfo } from '../../src/pack/index-set.ts';
import { type PackReader, packReader } from '../../src/pack/pack-reader.ts';
import { seededBytes, testKeys } from './test-keys.ts';

export interface Session {
  readonly backend: Backend;
  readonly keys: Keys;
  readonly index: IndexSet;
  readonly writer: BlobWriter;
  readonly reader: BlobReader;
  readonly packs: PackReader;
}

export interface SessionOptions extends Partial<Omit<BlobWriterOptions, 'keys' | 'index'>> {
  readonly live?: readonly SegmentInfo[];
  readonly cache?: EntryCache;
  readonly keys?: Keys;
  readonly seed?: string;
}

/** One process' view of a repository: its index, a writer and a reader. */
export async function session({
  backend = memoryBackend(),
  live = [],
  cache,
  keys = testKeys(),
  seed = 'session',
  ...options
}: SessionOptions = {}): Promise<Session> {
  const index = indexSet({ backend, keys, cache });
  await index.setLive(live);
  const packs = packReader({ backend, keys });
  const writer = blobWriter({ backend, keys, index, random: seededBytes(seed), isUsable: () => true, ...options });
  return { backend, keys, index, packs, writer, reader: blobReader({ backend, index, reader: packs }) };
}

/** Puts all that was stored, and the segment that names it. */
export async function finish(writer: BlobWriter): Promise<SegmentInfo> {
  await writer.flush();
  const segment = await writer.takeSegment();
  if (segment === undefined) throw new Error('expected a segment');
  return segment;
}

export async function packKeys(backend: Backend): Promise<string[]> {
  const keys: string[] = [];
  for (const prefix of ['packs/', 'meta/']) for await (const { key } of backend.list(prefix)) keys.push(key);
  return keys;
}
