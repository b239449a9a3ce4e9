import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeExclude } from '../../src/project/excludes.ts';

const root = mkdtempSync(join(tmpdir(), 'mbk-exclude-'));
mkdirSync(join(root, 'data/raw'), { recursive: true });
writeFileSync(join(root, '.mbkignore'), '*.log\n');
writeFileSync(join(root, 'data/.mbkignore'), '!keep.log\n/raw/big\n');
const options = { root, patterns: ['__pycache__/', '*.tmp'], never: [join(root, 'backups')], includeVcs: false };

test.each([
  ['a.tmp', false, true],
  ['x/__pycache__', true, true],
  ['__pycache__', false, false],
  ['x/y.log', false, true],
  ['data/keep.log', false, false],
  ['data/raw/big', false, true],
  ['raw/big', false, false],
  ['backups', true, true],
  ['.git', true, true],
  ['sub/.mbk', true, true],
  ['..x', true, false],
  ['new\nline', false, false],
])('%j (folder: %s) is left out: %s', (path, isDirectory, expected) => {
  expect(makeExclude(options)(path, isDirectory)).toBe(expected);
});

test('.git is kept when it is asked for', () => {
  expect(makeExclude({ ...options, includeVcs: true })('.git', true)).toBe(false);
});

test('what stands in the place of an ignore file and is no file says nothing', () => {
  for (const name of ['pipe', 'link', 'device']) mkdirSync(join(root, name));
  execFileSync('mkfifo', [join(root, 'pipe/.mbkignore')]);
  symlinkSync('../.mbkignore', join(root, 'link/.mbkignore'));
  symlinkSync('/dev/zero', join(root, 'device/.mbkignore'));
  const exclude = makeExclude({ ...options, patterns: [] });
  expect(['pipe/a.tmp', 'link/a.tmp', 'device/a.tmp'].map((path) => exclude(path, false))).toEqual([
    false,
    false,
    false,
  ]);
});

test('a folder that says it is a cache is left out when that is asked for', () => {
  const signature = 'Signature: 8a477f597d28d172789f06886806bc55';
  for (const [name, text] of [
    ['cache', `${signature}\n# made by a program`],
    ['other', 'Signature: something else'],
    ['short', 'Signature'],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'CACHEDIR.TAG'), text);
  }
  const exclude = makeExclude({ ...options, excludeCaches: true });
  expect(['cache', 'other', 'short', 'data'].map((path) => exclude(path, true))).toEqual([true, false, false, false]);
  expect(makeExclude(options)('cache', true)).toBe(false);
});
