import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderFacts, requireSameTree } from './folder-facts.ts';

let folder: string;
let [is, should] = ['', ''];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mbk-bench-'));
  [is, should] = [join(folder, 'is'), join(folder, 'should')];
  for (const place of [is, should]) {
    mkdirSync(join(place, 'a'), { recursive: true });
    writeFileSync(join(place, 'a/b'), 'content');
    utimesSync(join(place, 'a/b'), 1000, 1000);
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a folder holds the bytes of its files', () => {
  writeFileSync(join(is, 'more'), '12345');
  expect(folderFacts(is)).toEqual({ files: 2, bytes: 12 });
});

test('equal trees pass', () => {
  expect(() => requireSameTree(is, should)).not.toThrow();
});

test.each([
  [
    'another byte',
    () => {
      writeFileSync(join(is, 'a/b'), 'Content');
      utimesSync(join(is, 'a/b'), 1000, 1000);
    },
  ],
  ['another mode', () => chmodSync(join(is, 'a/b'), 0o600)],
  ['another time', () => utimesSync(join(is, 'a/b'), 1000, 2000)],
  ['a file too many', () => writeFileSync(join(is, 'c'), '')],
  ['a file too few', () => rmSync(join(is, 'a/b'))],
  ['a folder too many', () => mkdirSync(join(is, 'd'))],
])('%s is found', (_, change) => {
  change();
  expect(() => requireSameTree(is, should)).toThrow(/is missing|should be|holds/);
});
