import { MessageChannel } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { FeedBroken, feedSender, readFeed } from '../../src/plugins/feed.ts';

describe('a feed', () => {
  test('brings all bytes in their order, whatever is done with the buffer meanwhile', async () => {
    const { port1, port2 } = new MessageChannel();
    const sender = feedSender(port1);
    const sending = (async () => {
      const buffer = new Uint8Array(3_000_000);
      for (let round = 1; round <= 5; round += 1) {
        buffer.fill(round);
        await sender.send(buffer);
      }
      buffer.fill(99);
      sender.end();
    })();
    const counts = new Map<number, number>();
    for await (const piece of readFeed(port2)) for (const byte of piece) counts.set(byte, (counts.get(byte) ?? 0) + 1);
    await sending;
    expect([...counts]).toEqual([1, 2, 3, 4, 5].map((round) => [round, 3_000_000]));
  });

  test('holds nobody up when its reader wants no more, or is gone', async () => {
    for (const leave of ['stop', 'close'] as const) {
      const { port1, port2 } = new MessageChannel();
      const sender = feedSender(port1);
      const sending = sender.send(new Uint8Array(64 << 20));
      if (leave === 'close') port2.close();
      else for await (const piece of readFeed(port2)) if (piece.length > 0) break;
      expect(await sending).toBeUndefined();
      sender.end();
      sender.close();
    }
  });

  test('that ends without an end is told', async () => {
    const { port1, port2 } = new MessageChannel();
    const sender = feedSender(port1);
    await sender.send(new Uint8Array(10));
    sender.close();
    await expect(async () => {
      for await (const _ of readFeed(port2)) void _;
    }).rejects.toThrow(FeedBroken);
  });
});
