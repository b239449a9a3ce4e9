import { mkdirSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytesOfText } from '../../src/format/byte-name.ts';
import { foldsNames, nameGuard } from '../../src/snapshot/folded-names.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';

const folder = temporaryFolders();

test('names that differ by case, or by how an accent is written, are an error that names both', () => {
  const claim = nameGuard(true);
  claim('Dir/File');
  claim('Dir/File');
  expect(() => claim('dir/file')).toThrow('dir/file and Dir/File');
  claim(bytesOfText('caf\u00e9'));
  expect(() => claim(bytesOfText('CAFE\u0301'))).toThrow('one name');
  claim('\xff');
  claim('\xfe');
});

test('where case matters, both are taken', () => {
  const claim = nameGuard(false);
  claim('a');
  expect(() => claim('A')).not.toThrow();
});

test('trying a folder leaves nothing in it', () => {
  const path = folder();
  mkdirSync(path);
  const folds = foldsNames(path, (length) => new Uint8Array(length).fill(0xab));
  expect(readdirSync(path)).toEqual([]);
  expect(folds).toBe(process.platform === 'darwin' || process.platform === 'win32');
});
