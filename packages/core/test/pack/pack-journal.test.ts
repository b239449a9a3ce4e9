import { appendFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/format/bytes.ts';
import { asPackId } from '../../src/format/ids.ts';
import { adoptPacks, type AdoptOptions, type Adoption } from '../../src/pack/adopt-packs.ts';
import { type JournalRow, packJournal, readJournals } from '../../src/pack/pack-journal.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { finish, packKeys, session, type Session } from './session.ts';
import { seededBytes } from './test-keys.ts';

const newFolder = temporaryFolders();
const random = seededBytes('journal');
const rowOf = (digit: string, size = 100): JournalRow => ({ kind: 'data', id: asPackId(digit.repeat(64)), size });

describe('the pack journal', () => {
  test('holds what was appended and not removed, in one file for each process', () => {
    const folder = newFolder();
    expect(readJournals(folder)).toEqual([]);
    const [one, two] = [packJournal(folder, { pid: 7, random }), packJournal(folder, { pid: 8, random })];
    expect(readJournals(folder)).toEqual([]);
    for (const digit of ['1', '2', '3']) one.append(rowOf(digit));
    two.append({ ...rowOf('4'), kind: 'meta' });
    one.remove([rowOf('2').id, rowOf('9').id]);
    const journals = readJournals(folder).sort((a, b) => a.pid - b.pid);
    expect(journals.map(({ pid, rows }) => [pid, rows])).toEqual([
      [7, [rowOf('1'), rowOf('3')]],
      [8, [{ ...rowOf('4'), kind: 'meta' }]],
    ]);
    one.append(rowOf('5'));
    one.remove(['1', '3', '5'].map((digit) => rowOf(digit).id));
    expect(readJournals(folder).map(({ pid }) => pid)).toEqual([8]);
  });

  test('passes over a torn end and whatever is no line of it', () => {
    const folder = newFolder();
    packJournal(folder, { pid: 7, random }).append(rowOf('1'));
    const [file] = readdirSync(folder);
    const path = join(folder, file ?? '');
    appendFileSync(
      path,
      `nonsense\ndata ${'x'.repeat(64)} 5\n\0\0\0\ndata ${'2'.repeat(64)} 200\ndata ${'3'.repeat(64)} 3`,
    );
    expect(readJournals(folder)[0]?.rows).toEqual([rowOf('1'), rowOf('2', 200)]);
    for (let length = 150; length >= 0; length -= 1) {
      truncateSync(path, length);
      for (const row of readJournals(folder)[0]?.rows ?? []) expect(row).toEqual(rowOf('1'));
    }
    writeFileSync(join(folder, 'notes.txt'), 'not a journal');
    expect(readJournals(folder)).toHaveLength(1);
  });

  test('a folder that cannot be used is said so', () => {
    const file = newFolder();
    writeFileSync(file, '');
    expect(() => packJournal(file, { pid: 1, random }).append(rowOf('1'))).toThrow(
      expect.objectContaining({ code: 'local-state-failed' }),
    );
    expect(() => readJournals(file)).toThrow(expect.objectContaining({ code: 'local-state-failed' }));
  });
});

describe('taking up an interrupted session', () => {
  const text = utf8('stored before the interruption');

  async function interrupted(folder: string): Promise<Session> {
    const first = await session({ journal: packJournal(folder, { pid: 7, random }) });
    await first.writer.store('data', text);
    await first.writer.store('tree', utf8('{}'));
    await first.writer.flush();
    return first;
  }

  function adopt(
    { backend, packs, index }: Session,
    folder: string,
    options: Partial<AdoptOptions> = {},
  ): Promise<Adoption> {
    return adoptPacks({
      folder,
      backend,
      reader: packs,
      index,
      isUsable: () => true,
      isAlive: () => false,
      ...options,
    });
  }

  test('finds the blobs of its packs known, names them in the next segment, then clears the journal', async () => {
    const folder = newFolder();
    const { backend } = await interrupted(folder);
    const second = await session({ backend, seed: 'second', journal: packJournal(folder, { pid: 8, random }) });
    const adoption = await adopt(second, folder);
    expect(adoption.adopted).toHaveLength(2);
    expect((await second.writer.store('data', text)).added).toBe(false);
    expect(second.writer.reliedPacks.size).toBe(1);
    expect((await second.writer.store('data', utf8('new'))).added).toBe(true);
    const segment = await finish(second.writer);
    expect(segment.blobs).toBe(3);
    expect(readJournals(folder).flatMap(({ rows }) => rows)).toHaveLength(3);
    second.writer.committed([segment.id]);
    adoption.clear();
    expect(readdirSync(folder)).toEqual([]);
    const third = await session({ backend, live: [segment] });
    expect((await third.writer.store('data', text)).added).toBe(false);
  });

  test('passes over packs that a segment holds, that are gone, cut, damaged or not usable, and over live processes', async () => {
    const folder = newFolder();
    const { backend } = await interrupted(folder);
    const fresh = (): Promise<Session> => session({ backend, seed: 'second' });
    expect((await adopt(await fresh(), folder, { isAlive: (pid) => pid === 7 })).adopted).toEqual([]);
    expect((await adopt(await fresh(), folder, { isUsable: () => false })).adopted).toEqual([]);

    const twice = await fresh();
    await adopt(twice, folder);
    expect((await adopt(twice, folder)).adopted).toEqual([]);
    expect((await finish(twice.writer)).blobs).toBe(2);
    expect((await adopt(twice, folder)).adopted).toEqual([]);

    const [key] = await packKeys(backend);
    const bytes = await backend.get(key ?? '');
    await backend.delete(key ?? '');
    expect((await adopt(await fresh(), folder)).adopted).toHaveLength(1);
    await backend.put(key ?? '', [bytes.subarray(0, -1)]);
    expect((await adopt(await fresh(), folder)).adopted).toHaveLength(1);
    await backend.delete(key ?? '');
    await backend.put(key ?? '', [new Uint8Array(bytes.byteLength)]);
    expect((await adopt(await fresh(), folder)).adopted).toHaveLength(1);
  });

  test('a session whose segment was committed leaves no journal behind', async () => {
    const folder = newFolder();
    const first = await interrupted(folder);
    const segment = await finish(first.writer);
    expect(readdirSync(folder)).toHaveLength(1);
    first.writer.committed([segment.id]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
