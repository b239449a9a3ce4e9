import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { corpusBytes, openCorpus } from './corpus.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'mbk-bench-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('a piece that is whole is used again; one that is not, or of another seed or scale, is made', () => {
  const said: string[] = [];
  const report = (text: string): void => void said.push(text);
  const open = (seed: number, scale: number): string =>
    openCorpus(folder, ['files/base'], { seed, scale, report }).folderOf('files', 'base');
  const place = open(7, 0.001);
  const made = statSync(join(place, 'data/train.jsonl')).ino;
  expect(open(7, 0.001)).toBe(place);
  expect(statSync(join(place, 'data/train.jsonl')).ino).toBe(made);
  expect(said).toHaveLength(1);
  expect(open(8, 0.001)).not.toBe(place);
  expect(open(7, 0.002)).not.toBe(place);
  expect(said).toHaveLength(3);

  rmSync(`${place}.whole`);
  rmSync(join(place, 'data/train.jsonl'));
  open(7, 0.001);
  expect(statSync(join(place, 'data/train.jsonl')).size).toBeGreaterThan(0);
  expect(said).toHaveLength(4);
});

test('a state that is asked for later is made without touching the other', () => {
  const options = { seed: 7, scale: 0.001, report: () => {} };
  const corpus = openCorpus(folder, ['files/base'], options);
  const made = statSync(join(corpus.folderOf('files', 'base'), 'data/train.jsonl')).ino;
  expect(existsSync(corpus.folderOf('files', 'next'))).toBe(false);
  openCorpus(folder, ['files/base', 'files/next'], options);
  expect(existsSync(corpus.folderOf('files', 'next'))).toBe(true);
  expect(statSync(join(corpus.folderOf('files', 'base'), 'data/train.jsonl')).ino).toBe(made);
});

test('what pieces take grows with the scale', () => {
  expect(corpusBytes(['models/base', 'models/next', 'checkpoint/base', 'files/base'], 1)).toBeCloseTo(3.2e9, -8);
  expect(corpusBytes([], 1)).toBe(0);
  expect(corpusBytes(['files/base'], 2)).toBe(corpusBytes(['files/base'], 1) * 2);
});
