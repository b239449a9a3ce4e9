/**
 * Bytes of a file on their way from the thread that reads it to the plugin thread: copied once, pieces in order, so many
 * under way at once. A reader that wants no more, or is gone, holds nobody up.
 */
import type { MessagePort } from 'node:worker_threads';

/** Bytes of a piece, and pieces that may be under way. */
const pieceBytes = 1_048_576;
const mostUnderWay = 4;

type ToReader = { readonly bytes: Uint8Array } | { readonly end: true };
type ToSender = { readonly taken: true } | { readonly enough: true };

export interface FeedSender {
  /** Sends copies of `bytes`; waits while the reader is behind. */
  send(bytes: Uint8Array): Promise<void>;
  /** Says that this was all. */
  end(): void;
  /** Leaves the reader without an end. */
  close(): void;
}

export function feedSender(port: MessagePort): FeedSender {
  let underWay = 0;
  let isOver = false;
  let wake: (() => void) | undefined;
  const stop = (): void => {
    isOver = true;
    wake?.();
  };
  port.on('message', (message: ToSender) => {
    if ('enough' in message) return stop();
    underWay -= 1;
    wake?.();
  });
  port.on('close', stop);
  port.unref();
  return {
    async send(bytes) {
      for (let at = 0; at < bytes.length && !isOver; at += pieceBytes) {
        while (underWay >= mostUnderWay && !isOver) {
          port.ref();
          await new Promise<void>((resolve) => (wake = resolve));
          port.unref();
        }
        if (isOver) return;
        const piece = bytes.slice(at, at + pieceBytes);
        underWay += 1;
        port.postMessage({ bytes: piece } satisfies ToReader, [piece.buffer as ArrayBuffer]);
      }
    },
    end() {
      if (!isOver) port.postMessage({ end: true } satisfies ToReader);
      // The reader closes the port when it has taken what is under way.
    },
    close: () => port.close(),
  };
}

/** The pieces as they come; throws a FeedBroken if they end without an end. */
export async function* readFeed(port: MessagePort): AsyncGenerator<Uint8Array> {
  const queue: ToReader[] = [];
  let isClosed = false;
  let wake: (() => void) | undefined;
  port.on('message', (message: ToReader) => {
    queue.push(message);
    wake?.();
  });
  port.on('close', () => {
    isClosed = true;
    wake?.();
  });
  try {
    for (;;) {
      const message = queue.shift();
      if (message !== undefined) {
        if ('end' in message) return;
        yield message.bytes;
        port.postMessage({ taken: true } satisfies ToSender);
      } else if (isClosed) throw new FeedBroken('the file was not read to its end');
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    if (!isClosed) port.postMessage({ enough: true } satisfies ToSender);
    port.close();
  }
}

/** The file ended before its end: it changed while it was read, or the snapshot ends. */
export class FeedBroken extends Error {
  override readonly name = 'FeedBroken';
}
