import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findAssets } from '../../src/project/find-assets.ts';

const folder = mkdtempSync(join(tmpdir(), 'mbk-find-'));
const files = [
  'b.gguf',
  'models/z.pth',
  'models/a.gguf',
  'deep/1/2/3/4/5/6.gguf',
  '.git/x',
  'node_modules/y',
  'backups/packs/p',
  '.hidden',
];
for (const file of files) {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), '');
}
symlinkSync('.', join(folder, 'loop'));
writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]), '');
writeFileSync(join(folder, 'line\nbreak'), '');

test('files are found breadth first and by name, without what is hidden, of tools, linked, or no text', () => {
  expect(findAssets(folder, { never: [join(folder, 'backups')] })).toEqual(['b.gguf', 'models/a.gguf', 'models/z.pth']);
});

test('bounds cut off what lies deepest', () => {
  const never = [join(folder, 'backups')];
  expect(findAssets(folder, { never, maxDepth: 1 })).toEqual(['b.gguf']);
  expect(findAssets(folder, { never, maxDepth: 7 })).toContain('deep/1/2/3/4/5/6.gguf');
  expect(findAssets(folder, { never, maxEntries: 5 }).length).toBeLessThan(3);
});

test('a folder that cannot be read is an empty one', () => {
  expect(findAssets(join(folder, 'absent'), { never: [] })).toEqual([]);
});
