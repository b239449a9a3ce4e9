import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { MbkError } from '../../src/errors.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { packKey } from '../../src/format/ids.ts';
import { addKey } from '../../src/operations/key-add.ts';
import { openWriteSession } from '../../src/operations/write-session.ts';
import { buildSegment } from '../../src/pack/build-segment.ts';
import { rowsOfPacks } from '../../src/pack/segment-source.ts';
import type { Repository } from '../../src/repository.ts';
import { idOf } from '../pack/test-keys.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

/** A repository with a blob of its owner in it, and the key of a writer, stolen. */
async function withWriter(): Promise<{ lab: TestRepository; owner: Repository; writer: Repository }> {
  const lab = await testRepository(memoryBackend());
  const owner = await lab.open();
  const secret = { kind: 'key-file', key: new Uint8Array(32).fill(9) } as const;
  const { actor } = await addKey(owner, { secret, name: 'writer' });
  await owner.log.append((fold) => {
    const row = fold.actors.get(actor);
    if (row === undefined) throw new Error('expected the actor');
    const { addedAt: _, ...before } = row;
    return { ops: [{ op: 'actors', set: [{ ...before, role: 'writer' }], remove: [] }] };
  });
  await store(owner, 'what the owner stored');
  return { lab, owner, writer: await lab.open('writer', { secret }) };
}

/** Stores one blob and names it in the log; whether it was new. */
async function store(repository: Repository, text: string): Promise<boolean> {
  const session = await openWriteSession(repository);
  const { added } = await session.writer.store('data', utf8(text));
  const ops = await session.takeIndex();
  if (ops.length > 0) await repository.log.append(() => ({ ops }));
  session.indexed();
  return added;
}

/** Names a segment that says: `text` lies in the pack that the owner signed. */
async function forge(by: Repository, text: string): Promise<void> {
  const [row] = (await by.index()).packs();
  if (row === undefined) throw new Error('expected a pack');
  const { keys, random, backend } = by;
  const frame = {
    offset: 72,
    boxLength: 100,
    plainLength: text.length,
    codec: 0,
    depth: 0,
    parameters: new Uint8Array(0),
    bases: [],
    blobs: [{ id: idOf(utf8(text)), type: 'data', length: text.length } as const],
    boxEnd: new Uint8Array(8),
  };
  const rows = rowsOfPacks([{ row: { ...row, frames: 1 }, frames: [frame] }]);
  const built = buildSegment([rows], { keys, keyset: keys.shared, random });
  await backend.put(built.key, built.parts);
  const add = [{ id: built.id, blobs: built.blobs, bytes: built.byteLength }];
  await by.log.append(() => ({ ops: [{ op: 'index', add, drop: [] }] }));
}

describe('work that takes long', () => {
  /** Segments that the log has, each with its packs, and the packs in the storage. */
  async function named({ lab }: { readonly lab: TestRepository }): Promise<{ packs: string[][]; stored: number }> {
    const reader = await lab.open('reader');
    const packs = (await reader.index()).segments.map((segment) => [...segment.packs()].map(({ id }) => id));
    let stored = 0;
    for (const prefix of ['packs/', 'meta/'])
      for await (const { key } of lab.backend.list(prefix)) stored += key === '' ? 0 : 1;
    return { packs, stored };
  }
  const isOnce = (packs: string[][]): boolean => new Set(packs.flat()).size === packs.flat().length;

  test('is indexed on the way, each pack once, and the rest at the end', async () => {
    const lab = await testRepository();
    const repository = await lab.open();
    const session = await openWriteSession(repository);
    for (const text of ['one', 'two', 'three']) {
      await session.writer.store('data', utf8(text));
      await session.checkpoint(repository.log);
      expect(session.writer.pendingBytes).toBe(0);
    }
    await session.checkpoint(repository.log); // nothing is left: no entry
    expect(repository.log.n).toBe(4);
    await session.writer.store('data', utf8('four'));
    const ops = await session.takeIndex();
    await repository.log.append(() => ({ ops }));
    session.indexed();
    const { packs, stored } = await named({ lab });
    expect([packs.length, stored, isOnce(packs)]).toEqual([4, 4, true]);
    expect(readdirSync(join(repository.stateFolder, 'journal'))).toEqual([]);
  });

  test('that is killed is found again: what a checkpoint named, and what only the journal has', async () => {
    const lab = await testRepository();
    const killed = await lab.open();
    const session = await openWriteSession(killed);
    await session.writer.store('data', utf8('indexed'));
    await session.checkpoint(killed.log);
    await session.writer.store('data', utf8('in the journal'));
    await session.writer.flush();
    const next = await lab.open();
    for (const text of ['indexed', 'in the journal']) expect(await store(next, text)).toBe(false);
    const { packs, stored } = await named({ lab });
    expect([packs.length, stored, isOnce(packs)]).toEqual([2, 2, true]);
    // Another host has no journal of this one, and needs none any more.
    for (const text of ['indexed', 'in the journal']) expect(await store(await lab.open('other'), text)).toBe(false);
  });

  test('whose checkpoint failed with or without effect is found again, each pack in one segment', async () => {
    for (const hasEffect of [false, true]) {
      let isFailing = false;
      const storage = memoryBackend();
      const lab = await testRepository({
        ...storage,
        async put(key, parts, options) {
          if (!isFailing || !key.startsWith('log/')) return storage.put(key, parts, options);
          if (hasEffect) await storage.put(key, parts, options);
          throw new MbkError('backend-denied', 'no access');
        },
      });
      const repository = await lab.open();
      const session = await openWriteSession(repository);
      await session.writer.store('data', utf8('text'));
      isFailing = true;
      await expect(session.checkpoint(repository.log)).rejects.toMatchObject({ code: 'backend-denied' });
      expect((await lab.open('reader')).log.n).toBe(hasEffect ? 2 : 1);
      isFailing = false;
      const next = await lab.open();
      expect(await store(next, 'text')).toBe(false);
      const { packs, stored } = await named({ lab });
      expect([packs.length, stored]).toEqual([1, 1]);
      expect(readdirSync(join(next.stateFolder, 'journal'))).toEqual([]);
    }
  });

  test('whose pack was pruned before a checkpoint names nothing until that is stored again', async () => {
    const lab = await testRepository();
    const repository = await lab.open();
    const session = await openWriteSession(repository);
    await session.writer.store('data', utf8('pruned'));
    await session.writer.flush();
    const packs = [...session.writer.reliedPacks];
    const other = await lab.open('other');
    const discarded = { packs, segments: [], bundles: [] };
    await other.log.append(() => ({ ops: [{ op: 'condemn', ...discarded }] }));
    await other.log.append((fold) => ({ ops: [{ op: 'delete', ...discarded, spared: [], condemned: fold.n }] }));
    for (const id of packs) await lab.backend.delete(packKey('data', id));

    await session.checkpoint(repository.log);
    expect(repository.log.n).toBe(3);
    await session.writer.store('data', utf8('more'));
    await session.checkpoint(repository.log);
    expect(repository.log.n).toBe(3);
    const broken = session.broken(repository.log.fold, []);
    expect(broken?.deletedPacks).toEqual(packs);
    if (broken !== undefined) session.invalidate(broken);
    expect((await session.writer.store('data', utf8('more'))).added).toBe(false);
    expect((await session.writer.store('data', utf8('pruned'))).added).toBe(true);
    await session.checkpoint(repository.log);
    expect(repository.log.n).toBe(4);
    for (const text of ['pruned', 'more']) {
      const read = await (await lab.open('reader')).readBlob(idOf(utf8(text)), 'data');
      expect(Buffer.from(read).toString()).toBe(text);
    }
  });
});

describe('what a session takes for known', () => {
  test('is not what a writer says of packs of others', async () => {
    const { lab, owner, writer } = await withWriter();
    await forge(writer, 'never stored');
    await owner.log.refresh();
    expect((await owner.index()).find('data', idOf(utf8('never stored')), () => true)).toBeDefined();
    expect(await store(owner, 'never stored')).toBe(true);
    expect(Buffer.from(await (await lab.open('reader')).readBlob(idOf(utf8('never stored')), 'data')).toString()).toBe(
      'never stored',
    );
    // An owner is believed; that what it says is so is for `mbk verify` to find out.
    await forge(owner, 'said by the owner');
    expect(await store(owner, 'said by the owner')).toBe(false);
  });

  test('is not what a writer says of a pack that was found good', async () => {
    const { owner, writer } = await withWriter();
    const packs = [...(await owner.index()).packs()].map(({ id }) => id);
    await owner.log.append(() => ({ ops: [{ op: 'trust', packs }] }));
    await writer.log.refresh();
    await forge(writer, 'never stored');
    expect(await store(owner, 'never stored')).toBe(true);
  });

  test('is what owners stored, for writers too, and what a writer stored itself', async () => {
    const { owner, writer } = await withWriter();
    expect(await store(writer, 'what the owner stored')).toBe(false);
    expect(await store(writer, 'what the writer stored')).toBe(true);
    expect(await store(writer, 'what the writer stored')).toBe(false);
    expect(await store(owner, 'what the writer stored')).toBe(true);
  });

  test('a segment that another actor named first is made again', async () => {
    const { owner, writer } = await withWriter();
    const session = await openWriteSession(writer);
    await session.writer.store('data', utf8('new'));
    const [op] = await session.takeIndex();
    if (op?.op !== 'index') throw new Error('expected an index operation');
    // An owner names it, with a size that it does not have.
    await owner.log.append(() => ({ ops: [{ ...op, add: op.add.map((row) => ({ ...row, bytes: 1 })) }] }));
    await writer.log.refresh();
    const broken = session.broken(writer.log.fold, []);
    expect(broken?.deletedStored).toEqual(op.add.map(({ id }) => id));
    if (broken !== undefined) session.invalidate(broken);
    const ops = await session.takeIndex();
    expect(session.broken(writer.log.fold, [])).toBeUndefined();
    await writer.log.append(() => ({ ops }));
    session.indexed();
    expect(await store(writer, 'new')).toBe(false);
  });
});
