import { expect, test } from 'vitest';
import { utf8 } from '../../src/format/bytes.ts';
import { feedSender } from '../../src/plugins/feed.ts';
import { oddHost } from './odd-host.ts';

const asset = { path: 'a.lines', plugin: 0, kind: 'dataset/lines', collection: undefined, reads: 'stream' } as const;

test('whoever asks while a stream is read gets an answer, and the next stream its turn', async () => {
  const host = oddHost(undefined);
  const { examiner } = host;
  // Threads take over from each other whatever was asked of them before.
  for (let round = 0; round < 2; round += 1) {
    const [first, second] = [examiner.feed(asset, 4), examiner.feed(asset, 2)];
    const sender = feedSender(first.port);
    await sender.send(utf8('1\n'));
    expect(await host.describe(0)).toMatchObject({ name: 'odd' });
    const next = feedSender(second.port);
    await next.send(utf8('3\n'));
    next.end();
    expect(await host.describe(0)).toMatchObject({ name: 'odd' });
    await sender.send(utf8('2\n'));
    sender.end();
    expect((await first.examined)?.report.facts).toEqual({ lines: 2, bytes: 4 });
    expect((await second.examined)?.report.facts).toEqual({ lines: 1, bytes: 2 });
  }
});

test('a stream that never comes whole holds up none behind it', async () => {
  const { examiner } = oddHost(undefined);
  const broken = examiner.feed(asset, 4);
  feedSender(broken.port).close();
  const whole = examiner.feed(asset, 2);
  const sender = feedSender(whole.port);
  await sender.send(utf8('1\n'));
  sender.end();
  expect(await broken.examined).toBeUndefined();
  expect((await whole.examined)?.report.facts).toEqual({ lines: 1, bytes: 2 });
});
