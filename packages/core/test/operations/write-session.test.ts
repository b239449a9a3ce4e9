import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { utf8 } from '../../src/format/bytes.ts';
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
