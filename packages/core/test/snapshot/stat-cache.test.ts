import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { SourceFacts } from '../../src/snapshot/source-facts.ts';
import { openStatCache, type StatCache } from '../../src/snapshot/stat-cache.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { captureOf, collectionRef, factsOf, readFileOf } from './stat-rows.ts';

const newFolder = temporaryFolders();
const models = collectionRef('models');
const configs = collectionRef('configs');
const open = (folder: string): StatCache => openStatCache({ folder, name: 'cache' });

/** A cache whose capture 1 of `models` has the files `a` (1), `b/\xff` (2) and `c` (3). */
function filledFolder(): string {
  const folder = newFolder();
  const cache = open(folder);
  cache.record('a', readFileOf(1), models);
  cache.record('b/\xff', readFileOf(2), models);
  cache.record('c', readFileOf(3), models);
  cache.commit([captureOf(models, 1)]);
  expect(cache.problem).toBeUndefined();
  cache.close();
  return folder;
}

/** Which of the paths a new run knows, with what made them known. */
function known(folder: string, files: Readonly<Record<string, number>>): Record<string, number> {
  const cache = open(folder);
  const found = Object.entries(files).flatMap(([path, i]) => {
    const row = cache.lookup(path, factsOf(i));
    return row === undefined ? [] : [[path, row.capture.n] as const];
  });
  cache.close();
  return Object.fromEntries(found);
}

describe('the stat cache', () => {
  test('knows a file that looks as it did, and by which capture', () => {
    const folder = filledFolder();
    const cache = open(folder);
    expect(cache.lookup('b/\xff', factsOf(2))).toEqual({
      ...readFileOf(2),
      capture: captureOf(models, 1),
      row: { database: 1, id: expect.any(Number) },
    });
    expect(cache.lookup('a', factsOf(1))?.capture).toBe(cache.lookup('c', factsOf(3))?.capture);
    expect(cache.lookup('b', factsOf(2))).toBeUndefined();
    cache.close();
  });

  test('keeps chunks and layout', () => {
    const folder = newFolder();
    const content = {
      ...readFileOf(1).content,
      chunks: readFileOf(2).content.sha256,
      layout: readFileOf(3).content.sha256,
    };
    const first = open(folder);
    first.record('a', readFileOf(1, { content }), models);
    first.commit([captureOf(models, 1)]);
    first.close();
    const cache = open(folder);
    expect(cache.lookup('a', factsOf(1))?.content).toEqual(content);
    cache.close();
  });

  test.each<[string, Partial<SourceFacts>]>([
    ['device', { dev: 64_770 }],
    ['inode', { ino: 2 ** 60 + 2 * 4096 }],
    ['size', { size: 1000 }],
    ['time of change', { ctimeMs: factsOf(1).ctimeMs + 0.001 }],
    ['time of writing', { mtimeMs: factsOf(1).mtimeMs - 0.001 }],
  ])('does not know a file with another %s', (_, changes) => {
    const cache = open(filledFolder());
    expect(cache.lookup('a', factsOf(1))).toBeDefined();
    expect(cache.lookup('a', factsOf(1, changes))).toBeUndefined();
    cache.close();
  });

  test('does not remember a file that was read within 2 s of its last change', () => {
    const folder = newFolder();
    const cache = open(folder);
    const { ctimeMs } = factsOf(1);
    cache.record('too soon', readFileOf(1, { takenMs: ctimeMs + 1999 }), models);
    cache.record('late enough', readFileOf(1, { takenMs: ctimeMs + 2000 }), models);
    cache.record('from the future', readFileOf(1, { takenMs: ctimeMs - 1e6 }), models);
    cache.commit([captureOf(models, 1)]);
    cache.close();
    expect(known(folder, { 'too soon': 1, 'late enough': 1, 'from the future': 1 })).toEqual({ 'late enough': 1 });
  });

  test('forgets what a capture was not given again, and moves the rest to it', () => {
    const folder = filledFolder();
    const cache = open(folder);
    const a = cache.lookup('a', factsOf(1));
    if (a === undefined) throw new Error('a is not known');
    cache.keep('a', a, models);
    cache.record('c', readFileOf(33), models);
    cache.record('new', readFileOf(4), models);
    cache.commit([captureOf(models, 7)]);
    cache.close();
    expect(known(folder, { a: 1, 'b/\xff': 2, c: 33, new: 4 })).toEqual({ a: 7, c: 7, new: 7 });
    expect(known(folder, { c: 3 })).toEqual({});
  });

  test('knows all again that a run kept whole, and what another run committed meanwhile is not part of it', () => {
    const folder = filledFolder();
    const files = { a: 1, 'b/\xff': 2, c: 3 };
    const keepAll = (cache: StatCache): void => {
      for (const [path, i] of Object.entries(files)) {
        const row = cache.lookup(path, factsOf(i));
        if (row === undefined) throw new Error(`${path} is not known`);
        cache.keep(path, row, models);
        cache.keep(path, row, models);
      }
    };
    const [one, two] = [open(folder), open(folder)];
    keepAll(one);
    keepAll(two);
    two.record('late', readFileOf(4), models);
    two.commit([captureOf(models, 2)]);
    two.close();
    expect(known(folder, { ...files, late: 4 })).toEqual({ a: 2, 'b/\xff': 2, c: 2, late: 2 });
    one.commit([captureOf(models, 3)]);
    one.close();
    expect(known(folder, { ...files, late: 4 })).toEqual({ a: 3, 'b/\xff': 3, c: 3 });
  });

  test('leaves collections alone that a run did not take', () => {
    const folder = filledFolder();
    const cache = open(folder);
    cache.record('x', readFileOf(9), configs);
    cache.commit([captureOf(configs, 2)]);
    cache.close();
    expect(known(folder, { a: 1, c: 3, x: 9 })).toEqual({ a: 1, c: 1, x: 2 });
  });

  test('moves a file to the collection that it went to', () => {
    const folder = filledFolder();
    const cache = open(folder);
    const a = cache.lookup('a', factsOf(1));
    if (a === undefined) throw new Error('a is not known');
    cache.keep('a', a, configs);
    cache.commit([captureOf(configs, 5)]);
    cache.close();
    expect(known(folder, { a: 1, c: 3 })).toEqual({ a: 5, c: 1 });
  });

  test('remembers nothing of a run that did not commit, or of a collection that was not committed', () => {
    const folder = filledFolder();
    const cache = open(folder);
    cache.record('x', readFileOf(9), configs);
    cache.close();
    const other = open(folder);
    other.record('y', readFileOf(9), configs);
    other.commit([]);
    other.close();
    expect(known(folder, { a: 1, x: 9, y: 9 })).toEqual({ a: 1 });
  });

  test('does not keep a row that another run wrote anew meanwhile', () => {
    const folder = filledFolder();
    const [one, two] = [open(folder), open(folder)];
    const a = one.lookup('a', factsOf(1));
    const c = one.lookup('c', factsOf(3));
    if (a === undefined || c === undefined) throw new Error('a and c are known');
    one.keep('a', a, models);
    one.keep('c', c, models);
    // The other run saw another `a`, and `c` as it was; its capture is the newer one until the first commits.
    two.record('a', readFileOf(11), models);
    const c2 = two.lookup('c', factsOf(3));
    if (c2 !== undefined) two.keep('c', c2, models);
    two.commit([captureOf(models, 2)]);
    two.close();
    one.commit([captureOf(models, 3)]);
    expect(one.problem).toBeUndefined();
    one.close();
    // Capture 3 holds the old `a`, so the row of the new one must not say that it is in capture 3.
    expect(known(folder, { a: 11, c: 3 })).toEqual({ c: 3 });
    expect(known(folder, { a: 1 })).toEqual({});
  });

  test('is for its owner only', () => {
    const folder = filledFolder();
    expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of fs.readdirSync(folder)) expect(fs.statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });
});

describe('a damaged stat cache', () => {
  const damages: readonly [string, (path: string) => void][] = [
    ['no database', (path) => fs.writeFileSync(path, 'this is no database, only text that is long enough to be read')],
    [
      'a database of something else',
      (path) => {
        fs.rmSync(path);
        const database = new DatabaseSync(path);
        database.exec('CREATE TABLE files (name TEXT); CREATE TABLE captures (x)');
        database.close();
      },
    ],
    [
      'full of numbers that are too large',
      (path) => {
        const database = new DatabaseSync(path);
        database.exec('UPDATE files SET id = id + 4611686018427387904, sum = 4611686018427387904');
        database.close();
      },
    ],
    [
      'at a generation that is too large',
      (path) => {
        const database = new DatabaseSync(path);
        database.exec('UPDATE state SET generation = 4611686018427387904');
        database.close();
      },
    ],
    ['cut off', (path) => fs.truncateSync(path, 5000)],
    [
      'overwritten in the middle',
      (path) => {
        const fd = fs.openSync(path, 'r+');
        fs.writeSync(fd, Buffer.alloc(fs.fstatSync(fd).size - 100, 0xa5), 0, undefined, 100);
        fs.closeSync(fd);
      },
    ],
  ];

  test.each(damages)('that is %s is left behind, and a new one works', (_, damage) => {
    const folder = filledFolder();
    damage(join(folder, 'cache.1.sqlite'));
    const cache = open(folder);
    expect(cache.lookup('a', factsOf(1))).toBeUndefined();
    cache.record('a', readFileOf(1), models);
    cache.commit([captureOf(models, 2)]);
    cache.close();
    expect(known(folder, { a: 1 })).toEqual({ a: 2 });
    expect(
      fs
        .readdirSync(folder)
        .filter((name) => name.endsWith('.sqlite'))
        .sort(),
    ).toEqual(['cache.1.sqlite', 'cache.2.sqlite']);
  });

  test.each<[string, string, SourceFacts]>([
    ['another size', `UPDATE files SET record = replace(record, '1001', '1002')`, factsOf(1, { size: 1002 })],
    ['another hash', `UPDATE files SET record = substr(record, 1, length(record) - 4) || '0000'`, factsOf(1)],
    [
      'the record of another path',
      `DELETE FROM files WHERE path = 'a'; UPDATE files SET path = 'a' WHERE path = 'c'`,
      factsOf(3),
    ],
    ['no record', `UPDATE files SET record = 'no JSON', sum = 0`, factsOf(1)],
    ['a capture by no commit', `UPDATE captures SET made_by = 'no commit'`, factsOf(1)],
    ['a capture that is not there', `UPDATE files SET capture = 99`, factsOf(1)],
    ['a number that no row has', `UPDATE files SET id = id + 1099511627776`, factsOf(1)],
    ['a sum that is no number', `UPDATE files SET sum = 'text'`, factsOf(1)],
  ])('in a row with %s does not know the file', (_, change, facts) => {
    const folder = filledFolder();
    const database = new DatabaseSync(join(folder, 'cache.1.sqlite'));
    database.exec(change);
    database.close();
    const cache = open(folder);
    expect(cache.lookup('a', facts)).toBeUndefined();
    cache.record('a', readFileOf(1), models);
    cache.commit([captureOf(models, 2)]);
    expect(cache.problem).toBeUndefined();
    cache.close();
    expect(known(folder, { a: 1 })).toEqual({ a: 2 });
  });

  test('while it is used is told and replaced, and what is recorded then is remembered', () => {
    const folder = filledFolder();
    const filler = open(folder);
    for (let i = 0; i < 3000; i += 1) filler.record(`filler/${i}`, readFileOf(i), configs);
    filler.commit([captureOf(configs, 2)]);
    filler.close();
    const path = join(folder, 'cache.1.sqlite');
    const cache = open(folder);
    // All pages but the first few, which are read when it is opened.
    const fd = fs.openSync(path, 'r+');
    const from = 5 * 4096;
    fs.writeSync(fd, Buffer.alloc(fs.fstatSync(fd).size - from, 0xa5), 0, undefined, from);
    fs.closeSync(fd);
    for (let i = 0; i < 3000; i += 1) expect(() => cache.lookup(`filler/${i}`, factsOf(i))).not.toThrow();
    expect(cache.problem).toContain('stat cache');
    cache.record('later', readFileOf(5), models);
    cache.commit([captureOf(models, 3)]);
    cache.close();
    expect(known(folder, { later: 5 })).toEqual({ later: 3 });
  });

  test('that cannot be opened at all is told, and the run goes on', () => {
    const folder = newFolder();
    fs.writeFileSync(folder, 'a file where the folder should be');
    const cache = open(folder);
    expect(cache.problem).toContain('stat cache');
    expect(cache.lookup('a', factsOf(1))).toBeUndefined();
    cache.record('a', readFileOf(1), models);
    cache.commit([captureOf(models, 1)]);
    cache.close();
  });
});

test('8 processes use one cache at once, and lose no row of their own', async () => {
  const folder = newFolder();
  const program = fileURLToPath(new URL('./stat-cache-process.ts', import.meta.url));
  const run = promisify(execFile);
  const rounds = 4;
  const runs = Array.from({ length: 8 }, async (_, i) => {
    const { stdout, stderr } = await run(process.execPath, [
      '--conditions=@mbk/source',
      program,
      folder,
      String(i),
      String(rounds),
    ]);
    return { known: JSON.parse(stdout) as number[], stderr };
  });
  for (const { known: counts, stderr } of await Promise.all(runs)) {
    expect(counts).toEqual([0, 50, 50, 50]);
    // Neither an error nor a warning of Node about its database.
    expect(stderr).toBe('');
  }
  expect(fs.readdirSync(folder)).toEqual(['cache.1.sqlite']);
  const database = new DatabaseSync(join(folder, 'cache.1.sqlite'));
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  expect(database.prepare('SELECT generation FROM state').get()).toEqual({ generation: 8 * rounds });
  database.close();
});
