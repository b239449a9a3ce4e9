/** The threads of a snapshot as the main thread uses them (`capture-worker.ts` is their side). */
import { kernelMemory, kernelModule, kernelScratchBytes } from '@mbk/kernels';
import type { GearTable } from '../../chunker/gear.ts';
import type { Chunk } from '../../format/chunk-list.ts';
import { asBlobId } from '../../format/ids.ts';
import { boxesIn } from '../../pack/base-frames.ts';
import { contentsOfColumns } from '../../pack/compact-contents.ts';
import type { Threads } from '../../pool/threads.ts';
import { Handover } from '../../pool/channel.ts';
import { garbageCollector } from '../../pool/collect-garbage.ts';
import { parameters } from '../../format/limits.ts';
import { workerPool, type PoolWorker } from '../../pool/worker-pool.ts';
import type { AssetPlugins } from '../asset-plugins.ts';
import type { StoreBlob } from '../blobs.ts';
import type { WantedBase } from '../relatives/relate.ts';
import type { Relatives } from '../relatives/relatives.ts';
import { windowBytes as leastWindowBytes, type AskRelatives, type CutFile, type TensorHead } from '../cut-file.ts';
import { storeContent, type FileStorer } from '../file-storer.ts';
import type {
  CaptureSetup,
  Claims,
  Destination,
  FileChunks,
  LargeFile,
  PackToPut,
  SharedPiece,
  SmallFiles,
  SmallFilesTaken,
} from './capture-calls.ts';
import type { CaptureStore } from './file-taker.ts';
import { largeLoad, loadTable, smallLoad } from './load-table.ts';

export interface CapturePool {
  /** Threads. */
  readonly size: number;
  /** Reads a batch of small files. */
  small(files: SmallFiles): Promise<SmallFilesTaken>;
  /** Stores large files whose other blobs go to `store`. */
  storer(store: StoreBlob, destination: Destination): FileStorer;
  /** Settles when all packs are put. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface CapturePoolOptions extends Omit<CaptureStore, 'relatives'> {
  readonly gear: GearTable;
  /** Of entry 1. */
  readonly smallTensorBytes: number;
  readonly plugins: AssetPlugins;
  readonly jobs: number;
  readonly relatives: Relatives | undefined;
  /** As many threads that were started before. */
  readonly threads?: Threads | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of a large file that are in memory for those who help with it, beyond the least: two pieces, and more for each. */
const helpBytes = 6_291_456;
const helpBytesEach = 1_048_576;
/** Of the windows of all threads together: a shared memory of WebAssembly has at most 2 GiB. */
const allWindowsBytes = 1_610_612_736;
/** Threads at most: each needs a window. */
export const mostJobs: number = Math.floor(allWindowsBytes / leastWindowBytes);
/** Of `worker.ts`. */
export const captureTaskName = 'capture';
/** So many small files leave tens of megabytes of garbage here: it is given back before a file that fills a window. */
const manySmallFiles = 16_384;
/** Batches that a thread has: one that it reads while others wait for an answer. */
const smallDepth = 3;

/**
 * Size at which threads close their packs: as much as the memory of a machine with so many cores allows
 * (docs/decisions/0009-threads-close-packs-early.md).
 */
function packBytesOf(jobs: number): number {
  return Math.min(parameters.packBytes, Math.max(2, jobs) * 3_145_728);
}

export function capturePool(options: CapturePoolOptions): CapturePool {
  const { keys, keyset, compression, gear, smallTensorBytes, plugins, jobs, claim, putPack, signal } = options;
  const windowBytes = Math.min(leastWindowBytes + helpBytes + helpBytesEach * jobs, Math.floor(allWindowsBytes / jobs));
  const memory = kernelMemory((kernelScratchBytes + windowBytes) * jobs);
  const kernels = kernelModule();
  const loadsBuffer = new SharedArrayBuffer(4 * jobs);
  const loads = loadTable(loadsBuffer);
  const listeners = new Map<number, (chunks: readonly Chunk[]) => Promise<void>>();
  const seekers = new Map<number, AskRelatives>();
  let files = 0;
  let smallFiles = 0;
  const queue: Array<(worker: PoolWorker) => void> = [];

  const { workers, close } = workerPool({
    task: captureTaskName,
    size: jobs,
    threads: options.threads,
    signal,
    setup: (number): CaptureSetup => ({
      number,
      keys,
      keyset,
      gear,
      smallTensorBytes,
      memory,
      kernels,
      scratch: number * kernelScratchBytes,
      window: { offset: jobs * kernelScratchBytes + number * windowBytes, length: windowBytes },
      loads: loadsBuffer,
      rules: plugins.rules,
      headBytes: plugins.headBytes,
      compression,
      packBytes: packBytesOf(jobs),
    }),
    handlers: () => ({
      claim({ destination, ids, lengths }: Claims): Uint8Array {
        const answer = new Uint8Array(lengths.length);
        for (const [place, length] of lengths.entries()) {
          if (claim(asBlobId(ids.slice(place * 64, place * 64 + 64)), length, destination)) answer[place] = 1;
        }
        return answer;
      },
      async pack({ key, parts, columns }: PackToPut) {
        await putPack({ key, parts, contents: contentsOfColumns(columns) });
        const buffers = parts.map(({ buffer }) => buffer);
        return new Handover(buffers, buffers);
      },
      chunks: ({ file, chunks }: FileChunks) => listeners.get(file)?.(chunks),
      piece: ({ thread, piece }: { readonly thread: number; readonly piece: SharedPiece }) =>
        workerAt(thread).call('piece', piece),
      relatives: ({ file, tensor }: { readonly file: number; readonly tensor: TensorHead }) =>
        seekers.get(file)?.(tensor),
      async base(wanted: WantedBase) {
        const found = await options.relatives?.find(wanted);
        return new Handover(found, typeof found === 'object' && 'frame' in found ? boxesIn([found.frame]) : []);
      },
    }),
  });

  const workerAt = (number: number): PoolWorker => {
    const worker = workers[number];
    if (worker === undefined) throw new RangeError(`expected a thread below ${jobs}, got ${number}`);
    return worker;
  };

  /** Gives what waits to threads that have little to do. */
  const serve = (): void => {
    while (queue.length > 0) {
      const number = loads.takeLeast(smallDepth, smallLoad);
      if (number === undefined) return;
      queue.shift()?.(workerAt(number));
    }
  };

  const large = async (
    file: Omit<LargeFile, 'file' | 'seeks'>,
    ask: AskRelatives | undefined,
    onChunk: (chunk: Chunk) => Promise<void> | void,
  ): Promise<CutFile> => {
    files += 1;
    const number = files;
    if (smallFiles >= manySmallFiles && file.size >= windowBytes) {
      smallFiles = 0;
      garbageCollector()({ type: 'major', flavor: 'last-resort' });
    }
    if (ask !== undefined) seekers.set(number, ask);
    listeners.set(number, async (chunks) => {
      for (const chunk of chunks) await onChunk(chunk);
    });
    // Whoever has the least to do; a thread reads more than one only when there are more of them than threads.
    const thread = loads.takeLeast(Infinity, largeLoad) ?? 0;
    try {
      const call: LargeFile = { ...file, file: number, seeks: ask !== undefined };
      return (await workerAt(thread).call('large', call, file.feed === undefined ? [] : [file.feed])) as CutFile;
    } finally {
      listeners.delete(number);
      seekers.delete(number);
      serve();
    }
  };

  return {
    size: jobs,

    async small(batch) {
      const { promise, resolve } = Promise.withResolvers<PoolWorker>();
      queue.push(resolve);
      serve();
      const worker = await promise;
      try {
        const taken = (await worker.call('small', batch, [batch.facts.buffer as ArrayBuffer])) as SmallFilesTaken;
        smallFiles += taken.sizes.length;
        return taken;
      } finally {
        serve();
      }
    },

    storer: (store, destination) => ({
      store: ({ fd }, { size, layout: wanted, location, feed, scansRows }) =>
        storeContent({ store, relatives: options.relatives }, { size, layout: wanted, location }, (how, onChunk) =>
          large({ destination, fd, size, layout: how.layout, feed, scansRows }, how.relativesOf, onChunk),
        ),
    }),

    async flush() {
      await Promise.all(workers.map((worker) => worker.call('flush')));
    },

    close,
  };
}
