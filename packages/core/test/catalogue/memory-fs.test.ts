import { describe, expect, test } from 'vitest';
import { memoryFs } from '../../src/catalogue/memory-fs.ts';

describe('file system in memory', () => {
  test('files are kept as copies and read as bytes or text', async () => {
    const { client, files } = memoryFs();
    const bytes = Uint8Array.of(104, 105);
    await client.promises.writeFile('/git/a/b', bytes);
    bytes[0] = 0;
    expect(await client.promises.readFile('/git/a/b')).toEqual(Uint8Array.of(104, 105));
    expect(await client.promises.readFile('/git/a/b', 'utf8')).toBe('hi');
    expect([...files.keys()]).toEqual(['/git/a/b']);
  });

  test('folders exist by what is below them', async () => {
    const { client } = memoryFs();
    await client.promises.writeFile('/git/a/b', 'x');
    expect((await client.promises.stat('/git/a')).isDirectory()).toBe(true);
    expect((await client.promises.stat('/git/a/b')).isFile()).toBe(true);
    expect(await client.promises.readdir('/git')).toEqual(['a']);
    await client.promises.unlink('/git/a/b');
    await expect(client.promises.stat('/git/a')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('what is absent fails as on a disk', async () => {
    const { promises } = memoryFs().client;
    for (const call of [promises.readFile('/x'), promises.stat('/x'), promises.readdir('/x'), promises.unlink('/x')]) {
      await expect(call).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });
});
