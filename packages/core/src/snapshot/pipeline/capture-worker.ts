/** What a thread of a snapshot does: it reads, cuts and hashes files, and compresses, seals and packs what is new. */
import fs from 'node:fs';
import { memoryKernels } from '@mbk/kernels';
import { sha256Hex } from '../../crypto/hash.ts';
import type { Random } from '../../crypto/hash.ts';
import { releaseBytes } from '../../crypto/release-bytes.ts';
import type { Chunk } from '../../format/chunk-list.ts';
import { asBlobId, type BlobId } from '../../format/ids.ts';
import { parameters } from '../../format/limits.ts';
import { packColumns } from '../../pack/compact-contents.ts';
import { framePacker, type Relate } from '../../pack/frame-packer.ts';
import { pagePool, type PagePool } from '../../pack/pack-pages.ts';
import type { FinishedPack } from '../../pack/pack-writer.ts';
import type { Channel, Handlers } from '../../pool/channel.ts';
import type { PieceAbout } from '../chunk-sink.ts';
import { fileCutter, type CutFile, type TensorHead } from '../cut-file.ts';
import { relater, type FindBase } from '../relatives/relate.ts';
import type { TensorRelatives } from '../relatives/tensor-catalogue.ts';
import type {
  CaptureMain,
  CaptureSetup,
  LargeFile,
  PackToPut,
  SharedPiece,
  SmallFiles,
  SmallFilesTaken,
} from './capture-calls.ts';
import { largeLoad, loadTable, smallLoad } from './load-table.ts';
import { packSender } from './pack-sender.ts';
import { readSmallFiles } from './small-files.ts';

export interface CaptureContext {
  readonly main: Pick<Channel, 'call'>;
  readonly random: Random;
}

/** Where a piece goes, and what its bytes are. */
type PieceOptions = Pick<SharedPiece, 'destination' | 'element' | 'wanted'>;

/** Bytes of one batch of small files: what one solid frame holds, and the last file may go beyond. */
const batchBytes = parameters.frameBytes + parameters.wholeFileBytes;
/** A thread is helped with pieces of this size and more: a message costs as much as a smaller one. */
const helpedBytes = 65_536;
/** Chunks that are sent together. */
const chunksAtOnce = 256;

export function captureTask(setup: CaptureSetup, { main, random }: CaptureContext): Handlers {
  const pages = pagePool();
  const calls = callsOf(main, pages);
  const loads = loadTable(setup.loads);
  const { number, keys, keyset, compression, packBytes, smallTensorBytes } = setup;
  const kernels = memoryKernels(setup.memory, { scratch: setup.scratch, module: setup.kernels });
  const memory = kernels.bytes;
  // Each thread fills one pack: which of them a frame goes to is as random as which thread is free.
  const packer = framePacker({ keys, keyset, random, compression, openPacks: 1, packBytes, pages });
  const sender = packSender(packer, (pack) => calls.pack(pack));
  const window = memory.subarray(setup.window.offset, setup.window.offset + setup.window.length);
  const gear = kernels.gearScanner(setup.gear);
  const related = relater(calls.base, setup.compression);
  /** Places in the window for batches of small files, as long as no large file passes through it. */
  const places = Array.from({ length: Math.floor(window.length / batchBytes) }, (_, i) =>
    window.subarray(i * batchBytes, (i + 1) * batchBytes),
  );
  /** Batches that are in the window, each until it settles. */
  const inWindow = new Set<Promise<unknown>>();
  let largeWaiting = 0;
  /** Memory for batches that come while one does. */
  const batches: Uint8Array[] = [];
  /** Pieces that this thread stores of its own file and has not stored yet. */
  let own = 0;
  /** Large files pass through the window one after the other. */
  let turn: Promise<unknown> = Promise.resolve();

  /** Stores a blob, unless it is known. */
  const store = async (bytes: Uint8Array, { destination, element, wanted }: PieceOptions): Promise<BlobId> => {
    const id = asBlobId(sha256Hex(bytes));
    const claimed = await calls.claim({ destination, ids: id, lengths: Float64Array.of(bytes.length) });
    if (claimed[0] !== 1) return id;
    const pack = (relate?: Relate): Promise<void> =>
      sender.add({ type: 'data', id, bytes, element, relate }, destination.lifetime);
    await (element === undefined || wanted === undefined ? pack() : related.with(bytes, { element, wanted }, pack));
    return id;
  };

  /** Stores a piece of this thread's file, or has a thread store it that has less to do. */
  const storePiece = async (bytes: Uint8Array, options: PieceOptions): Promise<BlobId> => {
    const isLarge = bytes.length >= helpedBytes && bytes.buffer === memory.buffer;
    // Differences take ten times as long.
    const isLong = (options.wanted?.bases.length ?? 0) > 0;
    const helper = isLarge ? loads.takeHelper(number, own, isLong) : undefined;
    if (helper !== undefined) {
      return calls.piece(helper, { ...options, offset: bytes.byteOffset, length: bytes.length });
    }
    own += 1;
    try {
      return await store(bytes, options);
    } finally {
      own -= 1;
    }
  };

  /** Gives back what small files were read into: large ones mostly come alone, and need memory of their own. */
  const dropBatches = (): void => batches.splice(0).forEach(releaseBytes);

  /** Reads a batch of small files into `buffer`, and stores what is new. */
  const takeSmall = async (files: SmallFiles, buffer: Uint8Array): Promise<SmallFilesTaken> => {
    const { taken, blobs } = readSmallFiles(files, buffer, setup);
    if (blobs.length === 0) return taken;
    const { destination } = files;
    const ids = blobs.map(({ id }) => id).join('');
    const lengths = Float64Array.from(blobs, ({ bytes }) => bytes.length);
    const wanted = await calls.claim({ destination, ids, lengths });
    for (const [place, { id, bytes }] of blobs.entries()) {
      if (wanted[place] === 1) await sender.add({ type: 'data', id, bytes }, destination.lifetime);
    }
    return taken;
  };

  const takeInWindow = async (files: SmallFiles, place: Uint8Array<SharedArrayBuffer>): Promise<SmallFilesTaken> => {
    const taking = takeSmall(files, place);
    inWindow.add(taking);
    try {
      return await taking;
    } finally {
      inWindow.delete(taking);
      places.push(place);
    }
  };

  const takeBeside = async (files: SmallFiles): Promise<SmallFilesTaken> => {
    const buffer = batches.pop() ?? new Uint8Array(batchBytes);
    try {
      return await takeSmall(files, buffer);
    } finally {
      batches.push(buffer);
    }
  };

  const cutLarge = async (large: LargeFile): Promise<CutFile> => {
    const { file, fd, size, layout, feed, scansRows, seeks, destination } = large;
    const store = async (bytes: Uint8Array, about?: PieceAbout): Promise<BlobId> => {
      const wanted = await about?.wanted;
      return storePiece(bytes, { destination, element: about?.element, wanted });
    };
    const relativesOf = seeks ? (tensor: TensorHead) => calls.relatives(file, tensor) : undefined;
    const cutter = fileCutter({ store, gear, smallTensorBytes, kernels, window });
    let chunks: Chunk[] = [];
    const send = async (): Promise<void> => {
      if (chunks.length === 0) return;
      const sent = calls.chunks({ file, chunks });
      chunks = [];
      await sent;
    };
    const read = (into: Uint8Array, position: number): number => fs.readSync(fd, into, 0, into.length, position);
    try {
      const cut = await cutter.cut({ read }, { size, layout, feed, scansRows, relativesOf }, async (chunk) => {
        chunks.push(chunk);
        if (chunks.length >= chunksAtOnce) await send();
      });
      await send();
      return cut;
    } finally {
      loads.release(number, largeLoad);
    }
  };

  return {
    async small(files: SmallFiles): Promise<SmallFilesTaken> {
      const place = largeWaiting === 0 ? places.pop() : undefined;
      try {
        return await (place === undefined ? takeBeside(files) : takeInWindow(files, place));
      } finally {
        loads.release(number, smallLoad);
      }
    },

    large(file: LargeFile): Promise<CutFile> {
      dropBatches();
      largeWaiting += 1;
      const cut = turn
        .then(() => Promise.allSettled(inWindow))
        .then(() => cutLarge(file))
        .finally(() => void (largeWaiting -= 1));
      turn = cut.catch(() => undefined); // its caller is told
      return cut;
    },

    async piece({ offset, length, ...options }: SharedPiece): Promise<BlobId> {
      dropBatches();
      try {
        return await store(memory.subarray(offset, offset + length), options);
      } finally {
        loads.release(number, smallLoad);
      }
    },

    flush: () => sender.flush(),
  };
}

function callsOf(main: Pick<Channel, 'call'>, pages: PagePool): CaptureMain {
  return {
    claim: (claims) => main.call('claim', claims) as Promise<Uint8Array>,
    async pack({ key, parts, contents }: FinishedPack) {
      const buffers = parts.map(({ buffer }) => buffer);
      const pack: PackToPut = { key, parts, columns: packColumns(contents) };
      const back = (await main.call('pack', pack, buffers)) as readonly ArrayBuffer[];
      for (const buffer of back) pages.give(new Uint8Array(buffer));
    },
    chunks: (chunks) => main.call('chunks', chunks) as Promise<void>,
    piece: (thread, piece) => main.call('piece', { thread, piece }) as Promise<BlobId>,
    relatives: (file, tensor) => main.call('relatives', { file, tensor }) as Promise<TensorRelatives | undefined>,
    base: (wanted) => main.call('base', wanted) as ReturnType<FindBase>,
  };
}
