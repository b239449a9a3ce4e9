/**
 * The packs that a session fills: one or two at a time for each kind and lifetime, frames going to either at random, so
 * that neither the sizes nor the order of packs show where one file ends and the next begins.
 */
import type { Compression } from '../codec/compression.ts';
import type { Random } from '../crypto/hash.ts';
import type { Keys, Keyset } from '../crypto/keyset.ts';
import type { Lifetime, PackKind } from '../format/ids.ts';
import { parameters } from '../format/limits.ts';
import type { PagePool } from './pack-pages.ts';
import { type FinishedPack, type NewFrame, type PackWriter, packWriter } from './pack-writer.ts';

export interface OpenPacksOptions {
  readonly keys: Keys;
  readonly keyset: Keyset;
  readonly random: Random;
  /** Of what data packs hold; `fast` unless given. */
  readonly compression?: Compression | undefined;
  /** How many packs of one kind and lifetime are open, 1 or 2. */
  readonly openPacks: 1 | 2;
  /** Size at which a pack is closed; 32 MiB unless given. */
  readonly packBytes?: number | undefined;
  /** Where the pages of packs come from; whoever puts a pack gives them back. */
  readonly pages?: PagePool | undefined;
}

export interface OpenPacks {
  /** Adds a frame to an open pack, and gives the pack that this closed, if any. */
  addFrame(kind: PackKind, lifetime: Lifetime, frame: NewFrame): FinishedPack | undefined;
  /** Closes all. */
  closeAll(): FinishedPack[];
}

/** The second pack is opened when the first has this part of its size: a small snapshot makes one pack. */
const firstAlone = 1 / 8;
/** What all open packs may hold together, in packs; then the largest is closed early. */
const packsInMemory = 3;

export function openPacks(options: OpenPacksOptions): OpenPacks {
  const { random, openPacks: most, packBytes = parameters.packBytes } = options;
  let open: PackWriter[] = [];

  const close = (pack: PackWriter): FinishedPack => {
    open = open.filter((one) => one !== pack);
    return pack.close();
  };

  function choose(kind: PackKind, lifetime: Lifetime): PackWriter {
    const candidates = open.filter((pack) => pack.kind === kind && pack.lifetime === lifetime);
    const [first] = candidates;
    const enough = candidates.length === most || (first !== undefined && first.byteLength < packBytes * firstAlone);
    if (first !== undefined && enough) return candidates[((random(1)[0] ?? 0) & 1) % candidates.length] ?? first;
    const pack = packWriter({ ...options, kind, lifetime });
    open.push(pack);
    return pack;
  }

  return {
    addFrame(kind, lifetime, frame) {
      const pack = choose(kind, lifetime);
      pack.addFrame(frame);
      if (pack.isFull) return close(pack);
      const total = open.reduce((bytes, one) => bytes + one.byteLength, 0);
      if (total < packBytes * packsInMemory) return undefined;
      return close(open.reduce((largest, one) => (one.byteLength > largest.byteLength ? one : largest)));
    },
    closeAll: () => open.map(close),
  };
}
