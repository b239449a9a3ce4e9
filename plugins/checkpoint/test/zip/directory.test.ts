import { layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { readZipDirectory, type ZipDirectory } from '../../src/zip/directory.ts';
import { isStored, offsetOfStored } from '../../src/zip/stored-member.ts';
import { seededBytes } from '../../../../test/assets/tensor.ts';
import { zipFile } from '../../../../test/assets/zip-file.ts';

const context = { signal: new AbortController().signal, limits: layoutLimits };
const directoryOf = (bytes: Uint8Array): Promise<ZipDirectory | undefined> =>
  readZipDirectory(memoryReader('a.zip', bytes), context);

const members = [
  { name: 'a/first', data: seededBytes(100, 1) },
  { name: 'a/é', data: seededBytes(0, 2) },
  { name: 'a/deflated', data: new Uint8Array(5000), isDeflated: true },
];

function edited(bytes: Uint8Array, offset: number, width: 2 | 4, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  if (width === 2) view.setUint16(offset, value, true);
  else view.setUint32(offset, value, true);
  return copy;
}

describe.each([{ isZip64: false }, { isZip64: true }])('a zip file with %o', (options) => {
  const bytes = zipFile(members, options);
  const end = bytes.length - 22;

  test('has its members in order, and stored ones where they lie', async () => {
    const directory = await directoryOf(bytes);
    expect([...(directory?.members ?? [])].map(({ method, name, size }) => [name, method, size])).toEqual([
      ['a/first', 0, 100],
      ['a/é', 0, 0],
      ['a/deflated', 8, 5000],
    ]);
    const [first, , deflated] = directory?.members ?? [];
    if (directory === undefined || first === undefined || deflated === undefined)
      throw new Error('members are missing');
    const offset = await offsetOfStored(memoryReader('a.zip', bytes), first, { directory, context });
    expect(bytes.subarray(offset, offset + 100)).toEqual(members[0]?.data);
    expect(offset % 64).toBe(0);
    expect([isStored(first), isStored(deflated)]).toEqual([true, false]);
  });

  test('is found before a comment, also one that looks like an end record', async () => {
    const comment = new Uint8Array(40);
    comment.set(Uint8Array.of(0x50, 0x4b, 5, 6), 3);
    const commented = new Uint8Array(Buffer.concat([edited(bytes, end + 20, 2, 40), comment]));
    expect((await directoryOf(commented))?.members.length).toBe(3);
  });

  test('is none without its end record', async () => {
    expect(await directoryOf(bytes.subarray(0, -1))).toBeUndefined();
    expect(await directoryOf(new Uint8Array(0))).toBeUndefined();
  });

  test('is refused where its end records lie', async () => {
    const code = options.isZip64 ? 'zip/two-directories' : 'zip/bad-directory';
    await expect(directoryOf(edited(bytes, end + 10, 2, 60_000))).rejects.toMatchObject({ code });
    await expect(directoryOf(edited(bytes, end + 12, 4, 0x7fffffff))).rejects.toMatchObject({ code });
    await expect(directoryOf(edited(bytes, end + 16, 4, 0x7fffffff))).rejects.toMatchObject({ code });
  });
});

describe('a hostile zip file', () => {
  test('is refused where a Zip64 locator points nowhere', async () => {
    const bytes = zipFile(members, { isZip64: true });
    const locator = bytes.length - 22 - 20;
    for (const value of [0, 1 << 20, 0xffffffff]) {
      await expect(directoryOf(edited(bytes, locator + 8, 4, value))).rejects.toMatchObject({
        code: 'zip/bad-directory',
      });
    }
    await expect(directoryOf(edited(bytes, locator + 12, 4, 0xffffffff))).rejects.toMatchObject({
      name: 'LayoutError',
    });
  });

  test('is refused where it is one part of several', async () => {
    const bytes = zipFile(members);
    await expect(directoryOf(edited(bytes, bytes.length - 22 + 4, 2, 1))).rejects.toMatchObject({ code: 'zip/split' });
  });

  test('is refused where a member reaches into the directory', async () => {
    const bytes = zipFile(members);
    const directory = new DataView(bytes.buffer).getUint32(bytes.length - 6, true);
    const grown = edited(edited(bytes, directory + 20, 4, 1 << 20), directory + 24, 4, 1 << 20);
    await expect(directoryOf(grown)).rejects.toMatchObject({ code: 'zip/out-of-file', offset: directory });
  });

  test('is refused where it has more members than the limit', async () => {
    const limits = { ...layoutLimits, tensors: 2 };
    const read = readZipDirectory(memoryReader('a.zip', zipFile(members)), { ...context, limits });
    await expect(read).rejects.toMatchObject({ code: 'zip/too-many-members' });
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['another name', (bytes) => edited(bytes, 30, 2, 0x2f62), 'zip/header-disagrees'],
    ['another method', (bytes) => edited(bytes, 8, 2, 8), 'zip/header-disagrees'],
    ['encryption', (bytes) => edited(bytes, 6, 2, 0x0809), 'zip/header-disagrees'],
    ['another size', (bytes) => edited(bytes, 22, 4, 99), 'zip/header-disagrees'],
    ['no header', (bytes) => edited(bytes, 0, 4, 0), 'zip/header-disagrees'],
    ['a long extra field', (bytes) => edited(bytes, 28, 2, 0xffff), 'zip/out-of-file'],
  ])("is refused where a member's own header has %s", async (_, change, code) => {
    const bytes = change(zipFile(members));
    const directory = await directoryOf(bytes);
    const [first] = directory?.members ?? [];
    if (directory === undefined || first === undefined) throw new Error('members are missing');
    const found = offsetOfStored(memoryReader('a.zip', bytes), first, { directory, context });
    await expect(found).rejects.toMatchObject({ name: 'LayoutError', code });
  });
});
