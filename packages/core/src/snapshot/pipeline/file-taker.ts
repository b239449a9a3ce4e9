/**
 * Takes the files of a snapshot that have to be read: in this thread as long as there is little to do, else in worker
 * threads, small files in batches and large ones each by a thread that the others help.
 */
import type { Compression } from '../../codec/compression.ts';
import type { Keys, Keyset } from '../../crypto/keyset.ts';
import type { GearTable } from '../../chunker/gear.ts';
import { MbkError } from '../../errors.ts';
import { asBlobId, type BlobId, type BlobType } from '../../format/ids.ts';
import { displayBytes } from '../../format/byte-name.ts';
import { parameters } from '../../format/limits.ts';
import type { FinishedPack } from '../../pack/pack-writer.ts';
import type { AskedAsset, Examined } from '../../plugins/examiner.ts';
import { defaultJobs, type Threads } from '../../pool/threads.ts';
import type { AssetPlugins } from '../asset-plugins.ts';
import type { StoreBlob } from '../blobs.ts';
import type { PieceAbout } from '../chunk-sink.ts';
import { fileStorer, type FileStorer } from '../file-storer.ts';
import { lastRank, type Rank } from '../relatives/precision.ts';
import type { Relatives } from '../relatives/relatives.ts';
import { isFleeting } from '../folder-handles.ts';
import type { SourceFacts } from '../source-facts.ts';
import type { WalkedFile } from '../walk.ts';
import { factNumbers, type Destination, type SmallFilesTaken } from './capture-calls.ts';
import { capturePool, mostJobs, type CapturePool } from './capture-pool.ts';
import { takeFile, type TakenFile } from './take-file.ts';

export { captureTaskName } from './capture-pool.ts';

export interface FileTaker {
  /**
   * Takes a file; any number at once, in any order, and one whose location is fleeting before the walk goes on. Rejects
   * with what the store throws, and 'interrupted'.
   */
  take(walked: WalkedFile, destination: Destination): Promise<TakenFile>;
  /** Begins what waits for more to come with it. Call it when nothing more comes until something is done. */
  hurry(): void;
  /** Settles when everything that was taken is packed and put. */
  finish(): Promise<void>;
  /** Ends the threads; what is not taken by then is rejected. */
  close(): Promise<void>;
}

/** How a snapshot's threads and this one store blobs. */
export interface CaptureStore {
  readonly keys: Keys;
  readonly keyset: Keyset;
  /** Of data blobs; `fast` unless given. */
  readonly compression?: Compression | undefined;
  /** Stores a blob from here. */
  store(
    type: BlobType,
    bytes: Uint8Array,
    destination: Destination,
    about?: PieceAbout,
  ): Promise<{ readonly id: BlobId }>;
  /** Whether a data blob is to be stored by whoever asks. */
  claim(id: BlobId, byteLength: number, destination: Destination): boolean;
  putPack(pack: FinishedPack): Promise<void>;
  /** Settles when all that was stored from here is put. */
  flush(): Promise<void>;
  /** What is stored that tensors may be built upon, with how to have put what is being packed; nothing unless given. */
  readonly relatives?: ((flush: () => Promise<void>) => Relatives) | undefined;
}

export interface FileTakerOptions {
  readonly store: CaptureStore;
  readonly plugins: AssetPlugins;
  readonly gear: GearTable;
  /** Of entry 1. */
  readonly smallTensorBytes: number;
  /** Threads: with 1 all is done here; unless given, one for each core, and none while there is little to do. */
  readonly jobs: number | undefined;
  /** Threads that were started before: all is done by them, and their number is that of the jobs. */
  readonly threads?: Threads | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Less than this is done before threads have started. */
const littleBytes = 8_388_608;
const littleFiles = 256;
/** Bytes of small files that may wait for plugins. */
const mostBodies = 33_554_432;
/** Small files that one batch has at most. */
const batchFiles = 256;

/** How many threads a snapshot uses. */
export function captureJobs(jobs: number | undefined): number {
  return Math.min(jobs ?? defaultJobs(), mostJobs);
}

interface Waiting {
  readonly walked: WalkedFile;
  readonly destination: Destination;
  readonly taken: PromiseWithResolvers<TakenFile>;
}

interface LargeWaiting {
  readonly waiting: Waiting;
  /** A file of a higher rank is left for later. */
  readonly most: Rank | undefined;
}

interface LaterFile {
  readonly waiting: Waiting;
  readonly rank: Rank;
}

export function fileTaker(options: FileTakerOptions): FileTaker {
  const { store, plugins, gear, smallTensorBytes, signal } = options;
  const { threads } = options;
  const jobs = threads?.workers.length ?? captureJobs(options.jobs);
  const little =
    threads === undefined && options.jobs === undefined
      ? { bytes: littleBytes, files: littleFiles }
      : { bytes: 0, files: 0 };
  let pool: CapturePool | undefined;
  /** Files that wait because there may be little to do. */
  let held: Waiting[] = [];
  let heldBytes = 0;
  /** Small files that wait for a batch, by where they go. */
  const batches = new Map<Destination, { readonly files: Waiting[]; bytes: number }>();
  /** Large files that wait for a thread. */
  const large: LargeWaiting[] = [];
  let largeRunning = 0;
  /** Files that are taken after those of which they may have been made, when nothing more comes. */
  const later: LaterFile[] = [];
  let isHurried = false;
  /** Bytes of small files that wait for plugins. */
  let bodiesWaiting = 0;
  const relatives = store.relatives?.(async () => {
    await pool?.flush();
    await store.flush();
  });
  /** Without relatives no order is better than another. */
  const firstRank = relatives === undefined ? undefined : 0;

  let here: Promise<unknown> = Promise.resolve();
  /** What the file at hand belongs to: one storer and its window serve all collections. */
  let current: Destination | undefined;
  const storeHere: StoreBlob = (type, bytes, about) => {
    if (current === undefined) throw new TypeError('expected a file at hand');
    return store.store(type, bytes, current, about);
  };
  /** Made when it is needed first: its window takes memory. */
  let storer: FileStorer | undefined;
  let isClosed = false;

  /** Takes a file in this thread, one after the other. */
  const takeHere = (waiting: Waiting): void => {
    here = here.then(() => takeNow(waiting, isFleeting(waiting.walked.location) ? undefined : firstRank));
  };
  const takeNow = async (waiting: Waiting, most: Rank | undefined): Promise<void> => {
    const { walked, destination, taken } = waiting;
    try {
      if (isClosed) throw new MbkError('interrupted', 'the snapshot ended before this file was read');
      current = destination;
      storer ??= fileStorer({ store: storeHere, gear, relatives, smallTensorBytes });
      const { collection } = destination;
      const file = await takeFile(walked, { storer, plugins, collection, most, signal });
      if ('rank' in file) later.push({ waiting, rank: file.rank });
      else taken.resolve(file.examined);
    } catch (error) {
      taken.reject(error);
    }
  };
  const takeLaterHere = async (): Promise<void> => {
    for (const { waiting } of later.splice(0).sort((a, b) => a.rank - b.rank)) await takeNow(waiting, undefined);
  };

  const startPool = (): CapturePool => {
    const started = capturePool({ ...store, gear, smallTensorBytes, plugins, jobs, threads, relatives, signal });
    for (const waiting of held) dispatch(started, waiting);
    held = [];
    return started;
  };

  const dispatch = (to: CapturePool, waiting: Waiting): void => {
    if (waiting.walked.facts.size < parameters.wholeFileBytes) addToBatch(to, waiting);
    else {
      large.push({ waiting, most: firstRank });
      startLarge(to);
    }
  };

  const startLarge = (to: CapturePool): void => {
    while (largeRunning < to.size) {
      const waiting = large.shift();
      if (waiting === undefined) return;
      largeRunning += 1;
      void takeLarge(to, waiting).finally(() => {
        largeRunning -= 1;
        startLarge(to);
        takeLater(to);
      });
    }
  };

  const takeLarge = async (to: CapturePool, { waiting, most }: LargeWaiting): Promise<void> => {
    const { walked, destination, taken } = waiting;
    try {
      const remote = to.storer((type, bytes) => store.store(type, bytes, destination), destination);
      const { collection } = destination;
      const file = await takeFile(walked, { storer: remote, plugins, collection, most, signal });
      if ('rank' in file) later.push({ waiting, rank: file.rank });
      else taken.resolve(file.examined);
    } catch (error) {
      taken.reject(error);
    }
  };

  const addToBatch = (to: CapturePool, waiting: Waiting): void => {
    const { destination } = waiting;
    const batch = batches.get(destination) ?? { files: [], bytes: 0 };
    batches.set(destination, batch);
    batch.files.push(waiting);
    batch.bytes += waiting.walked.facts.size;
    if (batch.bytes >= parameters.frameBytes || batch.files.length >= batchFiles) {
      batches.delete(destination);
      void takeBatch(to, batch.files);
    }
  };

  const takeBatch = async (to: CapturePool, files: readonly Waiting[]): Promise<void> => {
    const [first] = files;
    if (first === undefined) return;
    let done: SmallFilesTaken;
    try {
      done = await to.small({
        destination: first.destination,
        locations: files.map(({ walked }) => walked.location).join('\0'),
        // All lie below one root; what is found through a handle never comes here.
        pathsAt: first.walked.location.length - first.walked.path.length,
        facts: numbersOf(files),
      });
    } catch (error) {
      for (const { taken } of files) taken.reject(error);
      return;
    }
    const left = new Set(done.left);
    const facts = new Map(done.facts);
    const assets = new Map(done.assets.map((asset) => [asset.place, asset]));
    const examined = examineSmall(files, done);
    for (const [place, waiting] of files.entries()) {
      const { walked, taken } = waiting;
      if (left.has(place)) {
        large.push({ waiting, most: firstRank });
        continue;
      }
      const asset = assets.get(place);
      const content = { size: done.sizes[place] ?? 0, sha256: asBlobId(done.ids.slice(place * 64, place * 64 + 64)) };
      const capture = {
        kind: 'captured',
        facts: facts.get(place) ?? walked.facts,
        content,
        zeroBytes: 0,
        changed: false,
      } as const;
      const plain = asset && { kind: asset.kind };
      const report = examined.get(place);
      if (report === undefined) taken.resolve({ capture, asset: plain });
      else taken.resolve(report.then((found) => ({ capture, asset: plain && { ...plain, ...found } })));
    }
    startLarge(to);
    takeLater(to);
  };

  /** A file is read again where plugins are so far behind that no more bytes can wait for them. */
  const examineLater = async (asset: AskedAsset, waiting: Waiting | undefined): Promise<Examined | undefined> => {
    if (waiting === undefined) return undefined;
    const { facts: identity, location } = waiting.walked;
    return plugins.examiner?.file(asset, { location, identity });
  };

  /** What plugins say of the small files of a batch that were sent along for it, by place. */
  const examineSmall = (
    files: readonly Waiting[],
    { assets, bodies }: SmallFilesTaken,
  ): Map<number, Promise<Examined | undefined>> => {
    const { examiner } = plugins;
    if (examiner === undefined) return new Map();
    const asked = assets.flatMap(({ place, number, kind, examines, offset, length }) => {
      const waiting = files[place];
      if (examines === undefined || waiting === undefined) return [];
      const path = displayBytes(waiting.walked.path);
      const { collection } = waiting.destination;
      return [{ place, path, plugin: number, kind, collection, reads: examines, offset, length }];
    });
    if (asked.length === 0) return new Map();
    if (bodiesWaiting > mostBodies)
      return new Map(asked.map(({ place, ...asset }) => [place, examineLater(asset, files[place])]));
    bodiesWaiting += bodies.length;
    const all = examiner.many(asked, bodies).finally(() => void (bodiesWaiting -= bodies.length));
    all.catch(() => undefined); // told to whoever waits for one of them
    return new Map(asked.map(({ place }, i) => [place, all.then((found) => found[i])]));
  };

  const hurry = (): void => {
    for (const waiting of held) takeHere(waiting);
    held = [];
    heldBytes = 0;
    if (pool === undefined) {
      here = here.then(takeLaterHere);
      return;
    }
    for (const { files } of batches.values()) void takeBatch(pool, files);
    batches.clear();
    isHurried = true;
    takeLater(pool);
  };

  /** Begins the files of the next rank, when all of lower ones are taken and nothing else comes. */
  const takeLater = (to: CapturePool): void => {
    if (!isHurried || largeRunning > 0 || large.length > 0 || later.length === 0) return;
    const rank = later.reduce((least, { rank: own }) => (own < least ? own : least), lastRank);
    const next = later.filter((one) => one.rank === rank);
    const others = later.filter((one) => one.rank !== rank);
    later.splice(0, later.length, ...others);
    large.push(...next.map(({ waiting }) => ({ waiting, most: undefined })));
    startLarge(to);
  };

  return {
    take(walked, destination) {
      const waiting: Waiting = { walked, destination, taken: Promise.withResolvers() };
      isHurried = false;
      if (jobs === 1 || isFleeting(walked.location)) takeHere(waiting);
      else if (pool !== undefined) dispatch(pool, waiting);
      else {
        held.push(waiting);
        heldBytes += walked.facts.size;
        if (heldBytes >= little.bytes || held.length >= little.files) pool = startPool();
      }
      return waiting.taken.promise;
    },
    hurry,
    async finish() {
      hurry();
      await here;
      await pool?.flush();
    },
    async close() {
      isClosed = true;
      await (pool ?? threads)?.close();
      await here;
      for (const { waiting } of later.splice(0))
        waiting.taken.reject(new MbkError('interrupted', 'the snapshot ended before this file was read'));
    },
  };
}

function numbersOf(files: readonly Waiting[]): Float64Array {
  const numbers = new Float64Array(files.length * factNumbers);
  for (const [place, { walked }] of files.entries()) {
    const { dev, ino, size, mtimeMs, ctimeMs }: SourceFacts = walked.facts;
    numbers.set([dev, ino, size, mtimeMs, ctimeMs], place * factNumbers);
  }
  return numbers;
}
