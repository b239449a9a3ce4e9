import fc from 'fast-check';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { rowsAhead } from '../../src/snapshot/rows-ahead.ts';

function databaseOf(paths: Iterable<string>): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.exec(
    'CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT UNIQUE, capture INTEGER, record TEXT, sum INTEGER)',
  );
  const insert = database.prepare('INSERT INTO files VALUES (?, ?, 1, ?, 2)');
  let id = 0;
  for (const path of paths) insert.run((id += 1), path, `record of ${path}`);
  return database;
}

const path = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '-', '\x7f', '\x80', '\xff'),
  minLength: 1,
  maxLength: 4,
});

test('rows are found in whatever order they are asked for', () => {
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 60 }), fc.array(path, { maxLength: 100 }), (there, asked) => {
      const database = databaseOf(there);
      const rows = rowsAhead(database);
      for (const one of [...there.toSorted(), ...asked, ...there, ...there.toReversed()]) {
        const id = there.indexOf(one) + 1;
        expect(rows.find(one)).toEqual(id === 0 ? undefined : { id, capture: 1, record: `record of ${one}`, sum: 2 });
      }
      database.close();
    }),
    { numRuns: 100 },
  );
});

test('a walk of many rows finds each, and none between them', () => {
  const paths = Array.from({ length: 5000 }, (_, i) => `folder/${String(i * 2).padStart(6, '0')}`);
  const database = databaseOf(paths);
  const rows = rowsAhead(database);
  for (const one of paths) {
    expect(rows.find(one)?.record).toBe(`record of ${one}`);
    expect(rows.find(`${one}+`)).toBeUndefined();
  }
  database.close();
});
