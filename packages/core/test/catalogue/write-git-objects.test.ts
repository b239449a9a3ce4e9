import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { writeGitObjects } from '../../src/catalogue/write-git-objects.ts';

const blobIdOf = (text: string): string =>
  createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest('hex');

test('what is written is taken out again under the names that git has for it', async () => {
  const { result, objects } = await writeGitObjects((git) => git.blob(Buffer.from('a lab keeps months')));
  expect(result).toBe(blobIdOf('a lab keeps months'));
  expect(objects).toEqual([{ id: result, type: 'blob', content: new Uint8Array(Buffer.from('a lab keeps months')) }]);
});

test('several may write at once, and the runtime can do afterwards what it could before', async () => {
  const before = globalThis.CompressionStream;
  const texts = ['one', 'two', 'three', 'four'];
  const written = await Promise.all(texts.map((text) => writeGitObjects((git) => git.blob(Buffer.from(text)))));
  expect(written.map(({ result }) => result)).toEqual(texts.map(blobIdOf));
  expect(written.map(({ objects }) => objects.length)).toEqual([1, 1, 1, 1]);
  expect(typeof before).toBe('function');
  expect(globalThis.CompressionStream).toBe(before);
});
