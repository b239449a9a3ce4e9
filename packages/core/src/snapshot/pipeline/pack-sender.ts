/**
 * Packs what a thread stores and hands the finished packs to whoever puts them. One pack may be on its way while the next
 * is filled; when that is full too, everything waits, which bounds what is in memory.
 */
import type { Lifetime } from '../../format/ids.ts';
import type { BlobToPack, FramePacker } from '../../pack/frame-packer.ts';
import type { FinishedPack } from '../../pack/pack-writer.ts';

export interface PackSender {
  /** Takes a blob, whose bytes are the caller's again when this settles. Rejects when a pack could not be put. */
  add(blob: BlobToPack, lifetime: Lifetime): Promise<void>;
  /** Settles when everything is put. */
  flush(): Promise<void>;
}

export function packSender(packer: FramePacker, put: (pack: FinishedPack) => Promise<void>): PackSender {
  /** The puts so far; the last one may be under way. */
  let puts: Promise<void> = Promise.resolve();
  /** Settles when the newest pack is no longer waiting for the one before it. */
  let begun: Promise<void> = puts;
  let waiting = 0;

  const send = (finished: readonly FinishedPack[]): void => {
    for (const pack of finished) {
      waiting += 1;
      begun = puts;
      puts = begun.then(() => {
        waiting -= 1;
        return put(pack);
      });
      puts.catch(() => undefined); // told to whoever adds or flushes next
    }
  };

  return {
    async add(blob, lifetime) {
      while (waiting > 0) await begun;
      send(packer.add(blob, lifetime));
    },
    async flush() {
      send(packer.flush());
      await puts;
    },
  };
}
