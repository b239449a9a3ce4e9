import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SmallFilesOptions, writeSamples, writeSmallFiles } from './small-files.ts';
import { lineMaker } from './words.ts';

const options: SmallFilesOptions = { seed: 7, files: 1100, lines: 1500, configs: 60, states: ['base', 'next'] };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mbk-bench-'));
  writeSmallFiles(folder, options);
});
afterAll(() => rmSync(folder, { recursive: true }));

const filesOf = (state: string): ReadonlyMap<string, string> => {
  const entries = readdirSync(join(folder, state), { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(join(folder, state).length + 1), readFileSync(path, 'latin1')]),
  );
};

test('there are as many files as were asked for, of sizes within bounds', () => {
  const files = filesOf('base');
  const samples = [...files].filter(([path]) => path.startsWith('data/files/'));
  expect(samples).toHaveLength(options.files);
  for (const [, content] of samples) {
    expect(content.length).toBeGreaterThanOrEqual(100);
    expect(content.length).toBeLessThanOrEqual(9000);
  }
  expect([...files.keys()].filter((path) => path.startsWith('configs/'))).toHaveLength(options.configs);
});

test('an edit later one file in 97 and one configuration in 50 is another', () => {
  const [base, next] = [filesOf('base'), filesOf('next')];
  expect([...next.keys()].toSorted()).toEqual([...base.keys()].toSorted());
  const changed = [...next].filter(([path, content]) => base.get(path) !== content).map(([path]) => path);
  expect(changed.filter((path) => path.startsWith('data/files/'))).toHaveLength(Math.ceil(options.files / 97));
  expect(changed.filter((path) => path.startsWith('configs/'))).toHaveLength(2);
});

test('an edit later one line is inserted and the last five are gone', () => {
  const linesOf = (state: string): string[] => (filesOf(state).get('data/train.jsonl') ?? '').trimEnd().split('\n');
  const [base, next] = [linesOf('base'), linesOf('next')];
  expect(base).toHaveLength(options.lines);
  for (const line of base) expect(() => void JSON.parse(line)).not.toThrow();
  expect(next).toEqual([...base.slice(0, 1000), '{"id": -1, "prompt": "inserted"}', ...base.slice(1000, -5)]);
});

test('all samples can lie in one folder', () => {
  const place = join(folder, 'flat');
  writeSamples(place, { seed: 1, files: 40, lines: lineMaker(1), perFolder: 40 });
  expect(readdirSync(place)).toEqual(['0000']);
  expect(readdirSync(join(place, '0000'))).toHaveLength(40);
});
