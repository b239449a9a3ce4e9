import { expect, test } from 'vitest';
import { asBlobId } from '../../../src/format/ids.ts';
import type { FinishedPack } from '../../../src/pack/pack-writer.ts';
import { packSender } from '../../../src/snapshot/pipeline/pack-sender.ts';

const blob = { type: 'data', id: asBlobId('0'.repeat(64)), bytes: new Uint8Array(1) } as const;

/** A sender whose every blob fills a pack; `put` is told of each. */
function senderOf(put: (key: string) => Promise<void>): ReturnType<typeof packSender> {
  let packs = 0;
  const pack = (): FinishedPack => ({ key: `pack ${(packs += 1)}` }) as FinishedPack;
  return packSender({ add: () => [pack()], flush: () => [pack()] }, ({ key }) => put(key));
}

test('one pack is on its way and one waits; then everything waits', async () => {
  const puts: Array<{ readonly key: string; readonly done: () => void }> = [];
  const sender = senderOf((key) => new Promise((done) => void puts.push({ key, done })));
  await sender.add(blob, 'long');
  await sender.add(blob, 'long');
  let isThird = false;
  const third = sender.add(blob, 'long').then(() => (isThird = true));
  await new Promise(setImmediate);
  expect([puts.map(({ key }) => key), isThird]).toEqual([['pack 1'], false]);
  puts[0]?.done();
  await third;
  await new Promise(setImmediate);
  expect(puts.map(({ key }) => key)).toEqual(['pack 1', 'pack 2']);
  const flushed = sender.flush();
  for (let turn = 0; turn < 8; turn += 1) {
    puts.at(-1)?.done();
    await new Promise(setImmediate);
  }
  await flushed;
  expect(puts.map(({ key }) => key)).toEqual(['pack 1', 'pack 2', 'pack 3', 'pack 4']);
});

test('a pack that cannot be put is told to whoever stores next, and to flush', async () => {
  const sender = senderOf(() => Promise.reject(new Error('no room')));
  await sender.add(blob, 'long');
  await sender.add(blob, 'long').catch(() => undefined);
  await expect(sender.add(blob, 'long')).rejects.toThrow('no room');
  await expect(sender.flush()).rejects.toThrow('no room');
});
