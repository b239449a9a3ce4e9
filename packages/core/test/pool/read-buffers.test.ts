import { expect, test } from 'vitest';
import { readBuffers } from '../../src/pool/read-buffers.ts';

test('memory that comes back is read into again', async () => {
  const buffers = readBuffers({ bytes: 8, most: 1 });
  const fill = async (into: Uint8Array): Promise<Uint8Array> => into.fill(1).subarray(0, 3);
  const first = await buffers.read(fill);
  expect(first.length).toBe(3);
  buffers.give(first.buffer);
  const second = await buffers.read(fill);
  expect(second.buffer).toBe(first.buffer);
  expect(second.buffer.byteLength).toBe(8);
});

test('what is read elsewhere is given in a buffer of its own, never as a part of what others hold', async () => {
  const buffers = readBuffers({ bytes: 8, most: 1 });
  const whole = new Uint8Array([1, 2, 3]);
  expect(await buffers.read(async () => whole)).toEqual({ buffer: whole.buffer, length: 3 });
  const part = await buffers.read(async () => new Uint8Array([0, 1, 2, 3]).subarray(1, 3));
  expect([...new Uint8Array(part.buffer)]).toEqual([1, 2]);
  const late = await buffers.read(async (into) => into.fill(7).subarray(2, 4));
  expect([...new Uint8Array(late.buffer)]).toEqual([7, 7]);
});

test('a read that fails keeps its memory for the next', async () => {
  const buffers = readBuffers({ bytes: 8, most: 1 });
  let first: ArrayBufferLike | undefined;
  const failing = buffers.read(async (into) => {
    first = into.buffer;
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect((await buffers.read(async (into) => into)).buffer).toBe(first);
});
