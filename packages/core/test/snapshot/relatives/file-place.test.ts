import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPlace } from '../../../src/snapshot/relatives/file-place.ts';
import { temporaryFolder } from '../../operations/make-repository.ts';
import { idOf } from '../../pack/test-keys.ts';

test('a blob is read from a file as long as it lies there, and nothing else is', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'model');
  writeFileSync(file, 'before the blob, behind it');
  symlinkSync(file, join(folder, 'link'));
  mkdirSync(join(folder, 'folder'));
  const id = idOf(Buffer.from('the blob'));
  const read = (name: string, offset: number, length = 8): string | undefined => {
    const place = { location: join(folder, name), offset, length };
    const bytes = readPlace(place, id, new Uint8Array(length));
    return bytes && Buffer.from(bytes).toString();
  };
  expect(read('model', 7)).toBe('the blob');
  expect(read('model', 8)).toBeUndefined();
  expect(read('model', 20)).toBeUndefined();
  for (const name of ['link', 'folder', 'nothing']) expect(read(name, 7)).toBeUndefined();
  writeFileSync(file, 'before THE BLOB, behind it');
  expect(read('model', 7)).toBeUndefined();
});
