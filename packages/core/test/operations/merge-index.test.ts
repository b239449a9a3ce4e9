import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { faulty } from '../../src/backend/faulty.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { deriveKeyset } from '../../src/crypto/keyset.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { asBlobId, asKeysetId, packKey, type BlobId, type PackId, type SegmentId } from '../../src/format/ids.ts';
import { liveSegments } from '../../src/log/fold.ts';
import { addKey } from '../../src/operations/key-add.ts';
import { mergeIndex } from '../../src/operations/merge-index.ts';
import { snapshot } from '../../src/operations/snapshot.ts';
import { openWriteSession } from '../../src/operations/write-session.ts';
import { buildSegment } from '../../src/pack/build-segment.ts';
import { rowsOfPacks } from '../../src/pack/segment-source.ts';
import type { Repository } from '../../src/repository.ts';
import { walkTree } from '../../src/snapshot/tree-reader.ts';
import { hookedBackend } from './hooked-backend.ts';
import { random, requestFor, testRepository, type TestRepository } from './make-repository.ts';

/** Stores each text in a pack and a segment of its own; the log names the segment. */
async function storeAll(repository: Repository, texts: readonly string[]): Promise<BlobId[]> {
  const ids: BlobId[] = [];
  for (const text of texts) {
    const session = await openWriteSession(repository);
    ids.push((await session.writer.store('data', utf8(text))).id);
    const ops = await session.takeIndex();
    await repository.log.append(() => ({ ops }));
    session.indexed();
  }
  return ids;
}

const texts = (count: number, name = 'text'): string[] => Array.from({ length: count }, (_, at) => `${name} ${at}`);

/** What a host that starts anew reads of each blob. */
async function readAll(lab: TestRepository, ids: readonly BlobId[]): Promise<string[]> {
  const repository = await lab.open('reader');
  const read: string[] = [];
  for (const id of ids) read.push(Buffer.from(await repository.readBlob(id, 'data')).toString());
  await repository.close();
  return read;
}

async function liveOf(lab: TestRepository): Promise<SegmentId[]> {
  const { log } = await lab.open('looker');
  return liveSegments(log.fold).map(({ id }) => id);
}

async function keysUnder(backend: Backend, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list(prefix)) keys.push(key.slice(prefix.length));
  return keys;
}

async function packOf(repository: Repository, id: BlobId): Promise<PackId> {
  const pack = (await repository.index()).find('data', id, () => true)?.pack.id;
  if (pack === undefined) throw new Error(`expected blob ${id} in the index`);
  return pack;
}

describe('merging the index', () => {
  test('keeps segments few over many snapshots, and every blob findable', { timeout: 60_000 }, async () => {
    const lab = await testRepository();
    for (let at = 0; at < 30; at += 1) {
      writeFileSync(join(lab.source, `file ${at}`), randomBytes(1000));
      await lab.snapshot();
    }
    expect((await liveOf(lab)).length).toBeLessThanOrEqual(12);
    const repository = await lab.open('fresh');
    expect(repository.log.fold.lines.length).toBe(30);
    for (const { line } of repository.log.fold.lines.values()) {
      for (const { tree, files } of line.captures) {
        let found = 0;
        for await (const { entry } of walkTree(repository.readBlob, tree)) {
          if (entry.type !== 'file') continue;
          const bytes = await repository.readBlob(asBlobId(entry.sha256), 'data');
          expect(bytes.byteLength).toBe(1000);
          found += 1;
        }
        expect(found).toBe(files);
      }
    }
  });

  test('leaves out the rows of deleted and lost packs, and no others', async () => {
    const lab = await testRepository();
    const repository = await lab.open();
    const ids = await storeAll(repository, texts(14));
    const packs = await Promise.all(ids.map((id) => packOf(repository, id)));
    const [deleted, lost, condemned] = packs as [PackId, PackId, PackId];
    const none = { segments: [], bundles: [] };
    await repository.log.append(() => ({ ops: [{ op: 'condemn', packs: [deleted, condemned], ...none }] }));
    const n = repository.log.n;
    await repository.log.append(() => ({
      ops: [
        { op: 'delete', packs: [deleted], ...none, spared: [], condemned: n },
        { op: 'lost', packs: [lost] },
      ],
    }));
    expect(await mergeIndex(repository)).toEqual({ dropped: 14, added: 1 });
    const fresh = await lab.open('fresh');
    const index = await fresh.index();
    expect(index.segments).toHaveLength(1);
    expect([...index.packs()].map(({ id }) => id).sort()).toEqual(packs.slice(2).sort());
    expect(await readAll(lab, ids.slice(2))).toEqual(texts(14).slice(2));
    // The host that merged knows the same.
    expect([...(await repository.index()).packs()].map(({ id }) => id).sort()).toEqual(packs.slice(2).sort());
  });

  test('a host that was slower gives up and removes what it made', async () => {
    const backend = hookedBackend(memoryBackend());
    const lab = await testRepository(backend);
    const [slow, fast] = [await lab.open('slow'), await lab.open('fast')];
    const ids = await storeAll(slow, texts(14));
    await fast.log.refresh();
    backend.beforePut('index/', async () => {
      expect(await mergeIndex(fast)).toEqual({ dropped: 14, added: 1 });
    });
    const before = await keysUnder(backend, 'index/');
    expect(await mergeIndex(slow)).toEqual({ dropped: 0, added: 0 });
    const live = await liveOf(lab);
    expect(live).toHaveLength(1);
    expect((await keysUnder(backend, 'index/')).sort()).toEqual([...before, ...live].sort());
    expect(await readAll(lab, ids)).toEqual(texts(14));
  });

  test('hosts that store and merge at once leave every blob findable', async () => {
    const lab = await testRepository();
    const hosts = await Promise.all(['a', 'b', 'c'].map((host) => lab.open(host)));
    const ids = await storeAll(await lab.open('d'), texts(13));
    const more = await Promise.all(
      hosts.map(async (host, at) => {
        await host.log.refresh();
        await mergeIndex(host);
        const stored = await storeAll(host, texts(13, `host ${at}`));
        await mergeIndex(host);
        return stored;
      }),
    );
    expect(await readAll(lab, [...ids, ...more.flat()])).toEqual([
      ...texts(13),
      ...hosts.flatMap((_, at) => texts(13, `host ${at}`)),
    ]);
    const live = await liveOf(lab);
    const stored = new Set(await keysUnder(lab.backend, 'index/'));
    expect(live.every((id) => stored.has(id))).toBe(true);
  });

  test('a merged segment that a prune took for a stray never becomes live', async () => {
    const backend = hookedBackend(memoryBackend());
    const lab = await testRepository(backend);
    const repository = await lab.open();
    const prune = await lab.open('prune');
    const ids = await storeAll(repository, texts(13));
    const live = await liveOf(lab);
    backend.beforePut('log/', async () => {
      const strays = (await keysUnder(backend, 'index/')).filter(
        (id) => !live.includes(id as SegmentId),
      ) as SegmentId[];
      expect(strays).toHaveLength(1);
      await prune.log.append(() => ({ ops: [{ op: 'condemn', packs: [], segments: strays, bundles: [] }] }));
      await prune.log.append((fold) => ({
        ops: [{ op: 'delete', packs: [], segments: strays, bundles: [], spared: [], condemned: fold.n }],
      }));
      for (const id of strays) await backend.delete(`index/${id}`);
    });
    expect(await mergeIndex(repository)).toEqual({ dropped: 0, added: 0 });
    expect(await liveOf(lab)).toEqual(live);
    expect(await mergeIndex(repository)).toEqual({ dropped: 13, added: 1 });
    expect(await readAll(lab, ids)).toEqual(texts(13));
    const { log } = await lab.open('looker');
    expect(log.findings).toEqual([]);
  });

  test('a pack that is deleted while a merge is under way is no less deleted', async () => {
    const backend = hookedBackend(memoryBackend());
    const lab = await testRepository(backend);
    const repository = await lab.open();
    const prune = await lab.open('prune');
    const ids = await storeAll(repository, texts(13));
    const [first] = ids;
    if (first === undefined) throw new Error('expected a blob');
    const gone = await packOf(repository, first);
    backend.beforePut('log/', async () => {
      const discarded = { packs: [gone], segments: [], bundles: [] };
      await prune.log.append(() => ({ ops: [{ op: 'condemn', ...discarded }] }));
      await prune.log.append((fold) => ({ ops: [{ op: 'delete', ...discarded, spared: [], condemned: fold.n }] }));
      await backend.delete(packKey('data', gone));
    });
    expect(await mergeIndex(repository)).toEqual({ dropped: 13, added: 1 });
    const session = await openWriteSession(await lab.open('writer'));
    expect((await session.writer.store('data', utf8('text 1'))).added).toBe(false);
    expect((await session.writer.store('data', utf8('text 0'))).added).toBe(true);
  });

  test('a merge whose entry may or may not be stored keeps its segment; a snapshot tells and goes on', async () => {
    let logPuts = Infinity;
    const storage = memoryBackend();
    const backend = faulty(storage, {
      plan({ method, key }) {
        if (method !== 'put' || !key.startsWith('log/')) return undefined;
        logPuts -= 1;
        return logPuts < 0 ? { kind: 'error', code: 'backend-denied' } : undefined;
      },
      random: () => 0,
    });
    const lab = await testRepository(backend);
    const repository = await lab.open();
    await storeAll(repository, texts(13));
    const before = await keysUnder(storage, 'index/');
    logPuts = 0;
    await expect(mergeIndex(repository)).rejects.toMatchObject({ code: 'backend-denied' });
    expect(await keysUnder(storage, 'index/')).toHaveLength(before.length + 1);

    writeFileSync(join(lab.source, 'file'), 'content');
    logPuts = 1;
    const { snapshots } = await snapshot(repository, requestFor(lab.source));
    expect(snapshots).toHaveLength(1);
    expect(repository.notices).toEqual([expect.stringContaining('index segments were not merged')]);
    expect(await liveOf(lab)).toHaveLength(14);
  });

  test('segments of an isolated keyset are merged among themselves, in their own section', async () => {
    const lab = await testRepository();
    const repository = await lab.open();
    const id = asKeysetId('cd'.repeat(16));
    const isolated = deriveKeyset(random(32), { id, scope: 'clinic', generation: 1 });
    const { keys, backend, log } = repository;
    Object.assign(keys, { keysets: new Map([...keys.keysets, [id, isolated]]) });
    await storeAll(repository, texts(13));
    for (let at = 0; at < 13; at += 1) {
      const built = buildSegment([rowsOfPacks([])], { keys, keyset: isolated, random });
      await backend.put(built.key, built.parts);
      const add = [{ id: built.id, blobs: 0, bytes: built.byteLength }];
      await log.append(() => ({ ops: [], sections: [{ keyset: id, ops: [{ op: 'index', add, drop: [] }] }] }));
    }
    expect(await mergeIndex(repository)).toEqual({ dropped: 26, added: 2 });
    const live = (await repository.index()).segments.map((segment) => [segment.keyset, segment.counts.records]);
    expect(live.sort()).toEqual([[keys.shared.id, 13] as const, [id, 0] as const].sort());
    // Who was not granted the keyset sees the shared one alone.
    const other = await lab.open('other');
    expect((await other.index()).segments.map(({ keyset }) => keyset)).toEqual([keys.shared.id]);
    expect(other.log.findings).toEqual([]);
  });

  test('only an owner merges, and only what trusted actors named', async () => {
    const lab = await testRepository();
    const repository = await lab.open();
    const secret = { kind: 'key-file', key: new Uint8Array(32).fill(9) } as const;
    const { actor } = await addKey(repository, { secret, name: 'other' });
    const other = await lab.open('other', { secret });
    const ids = [...(await storeAll(repository, texts(13, 'mine'))), ...(await storeAll(other, texts(13, 'theirs')))];
    const setRole = async (role: 'owner' | 'writer', trusted: boolean): Promise<void> => {
      await repository.log.append((fold) => {
        const row = fold.actors.get(actor);
        if (row === undefined) throw new Error('expected the actor');
        const { addedAt: _, ...before } = row;
        return { ops: [{ op: 'actors', set: [{ ...before, role, trusted }], remove: [] }] };
      });
      await other.log.refresh();
    };
    await setRole('writer', true);
    expect(await mergeIndex(other)).toEqual({ dropped: 0, added: 0 });
    await setRole('owner', false);
    expect(await mergeIndex(repository)).toEqual({ dropped: 13, added: 1 });
    await setRole('owner', true);
    expect((await mergeIndex(other)).dropped).toBeGreaterThan(1);
    expect(await readAll(lab, ids)).toEqual([...texts(13, 'mine'), ...texts(13, 'theirs')]);
  });
});
