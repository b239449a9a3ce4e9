import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { MbkError } from '../../src/errors.ts';
import { Handover, openChannel, type Channel, type Handlers } from '../../src/pool/channel.ts';

const opened: MessageChannel[] = [];
afterEach(() => {
  for (const { port1 } of opened.splice(0)) port1.close();
});

/** Two sides of one channel. */
function pair(here: Handlers, there: Handlers): readonly [Channel, Channel] {
  const ports = new MessageChannel();
  opened.push(ports);
  return [openChannel(ports.port1, () => here), openChannel(ports.port2, () => there)];
}

describe('a channel', () => {
  test('carries calls both ways, each to its own answer, whatever their order', async () => {
    const waits: Array<() => void> = [];
    const [a, b] = pair(
      { double: (n: number) => n * 2 },
      { late: (n: number) => new Promise((resolve) => waits.push(() => resolve(-n))), early: (n: number) => n },
    );
    const late = a.call('late', 1);
    expect(await a.call('early', 2)).toBe(2);
    expect(await b.call('double', 21)).toBe(42);
    waits[0]?.();
    expect(await late).toBe(-1);
  });

  test('hands over buffers in place of copying them', async () => {
    const [a] = pair({}, { echo: (bytes: Uint8Array<ArrayBuffer>) => new Handover(bytes, [bytes.buffer]) });
    const bytes = new Uint8Array([1, 2, 3]);
    const answer = await a.call('echo', bytes, [bytes.buffer]);
    expect(bytes.byteLength).toBe(0);
    expect(answer).toEqual(new Uint8Array([1, 2, 3]));
  });

  test('keeps what tells errors apart: code, details and remedy of ours, code and call of the system’s', async () => {
    const cause = Object.assign(new Error('EIO: read'), { code: 'EIO', syscall: 'read' });
    const [a] = pair(
      {},
      {
        ours() {
          throw new MbkError('entry-damaged', 'bytes differ', { details: { key: 'k' }, remedy: 'Look.', cause });
        },
        system() {
          throw cause;
        },
        fault() {
          throw new TypeError('expected something else');
        },
      },
    );
    const ours = await a.call('ours').catch((error: unknown) => error);
    expect(ours).toBeInstanceOf(MbkError);
    expect(ours).toMatchObject({
      code: 'entry-damaged',
      details: { key: 'k' },
      remedy: 'Look.',
      cause: { code: 'EIO' },
    });
    await expect(a.call('system')).rejects.toMatchObject({ code: 'EIO', syscall: 'read' });
    await expect(a.call('fault')).rejects.toThrow('expected something else');
    await expect(a.call('unknown')).rejects.toThrow('unknown');
  });

  test('that is broken rejects what waits and what comes', async () => {
    const [a] = pair({}, { never: () => new Promise(() => undefined) });
    const waiting = a.call('never');
    a.break(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(a.call('never')).rejects.toThrow('gone');
  });
});
