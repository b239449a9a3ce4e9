/**
 * Blobs by id: through the index to a frame of a pack, opened, decoded, and checked against the id, always.
 *
 * Damage is read a second time before it is believed, then another copy is tried. What this gives are views of decoded
 * frames: the caller does not change them.
 */
import type { Backend } from '../backend/backend.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { parameters } from '../format/limits.ts';
import { asPackId, type BlobId, type PackId, packKey, type PackKind } from '../format/ids.ts';
import { boxBytesOf, gatherBases, readBoxes, type Base, type BaseBox, type PlaceOf } from './base-frames.ts';
import type { BlobCopy } from './blob-copy.ts';
import { frameCache } from './frame-cache.ts';
import type { IndexSet, PackFilter } from './index-set.ts';
import { checkBlob, frameName, openFrame } from './open-pack.ts';
import type { OpenedPacks } from './opened-packs.ts';
import type { PackReader } from './pack-reader.ts';
import { type FrameReads, planReads, type PlanReadsOptions, type ReadPlan, type ReadRun } from './plan-reads.ts';
import { isDamage, readTwice } from './read-twice.ts';
import type { PackRow } from '../format/segment-rows.ts';
import { baseFinder, type BasedCopy, type WholeCopy } from './whole-copy.ts';

export interface BlobReaderOptions {
  readonly backend: Backend;
  readonly reader: PackReader;
  readonly index: IndexSet;
  /** Packs to read first: those not deleted or lost. */
  readonly prefers?: PackFilter | undefined;
  /** Told of every copy that could not be used, also where another one served. */
  readonly onBadCopy?: ((copy: BlobCopy, error: MbkError) => void) | undefined;
  /** Bound of the decoded frames in memory; 32 MiB unless given. */
  readonly frameCacheBytes?: number | undefined;
}

export interface Blob {
  readonly id: BlobId;
  readonly bytes: Uint8Array;
}

export interface BlobReader {
  /**
   * One blob. Errors: `blob-absent` (no copy is stored), `entry-damaged` with blob, pack and frame (no copy is sound),
   * `codec-unknown`, `role-denied`, those of the backend.
   */
  readBlob(kind: PackKind, id: BlobId, options?: ReadBlobOptions): Promise<Uint8Array>;
  /**
   * Many blobs, each distinct id once, in the order in which they lie in packs: frames are decoded once, neighbours read
   * together. Throws as `readBlob` does at the first blob that cannot be read, or tells `onFailed` and goes on.
   */
  readBlobs(kind: PackKind, ids: Iterable<BlobId>, options?: ReadBlobsOptions): AsyncGenerator<Blob>;
  /** How `readBlobs` would read, for those who open the frames themselves; what they cannot, they ask of `readBlobs`. */
  plan(kind: PackKind, ids: Iterable<BlobId>, options: Pick<PlanReadsOptions, 'runBytes'>): ReadPlan;
  /** Bytes of the frames of a run, unchecked; undefined when they cannot be had, which `readBlobs` then looks into. */
  readRun(run: ReadRun, options?: ReadRunOptions): Promise<Uint8Array | undefined>;
  /**
   * Which copies frames are decoded from, for those who open them themselves; undefined for a frame when some of them are
   * not stored. What several are built upon is one object.
   */
  planBases(kind: PackKind, frames: readonly BasedCopy[]): readonly (BasePlan | undefined)[];
  /**
   * What these frames are built upon, as `openBases` takes it, for as long as `packs` are open; undefined when it cannot be
   * had as planned, which `readBlobs` then looks into. Errors: those of the backend, `role-denied`.
   */
  readPlanned(plan: BasePlan, options: ReadPlannedOptions): Promise<readonly Base[] | undefined>;
  /** The blobs that a frame is built upon, from whichever copies are sound. Errors: those of `readBlob`. */
  readBases(frame: BasedCopy, options?: ReadBlobOptions): Promise<readonly Uint8Array[]>;
  /** Key of a pack's frames. Errors: `role-denied`, `entry-damaged`. */
  keyOf(row: PackRow): Uint8Array;
}

export interface BasePlan {
  readonly wholes: readonly WholeCopy[];
  /** Of memory that reading them takes: none where packs are files, which threads read themselves. */
  readonly bytes: number;
}

export interface ReadPlannedOptions extends ReadBlobOptions {
  readonly packs: OpenedPacks;
  /** Where blobs lie in files, for those that may be read there. */
  readonly placeOf?: PlaceOf | undefined;
}

export interface ReadRunOptions extends ReadBlobOptions {
  /** As in `Backend.get`. */
  readonly into?: Uint8Array | undefined;
}

export interface ReadBlobOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ReadBlobsOptions extends ReadBlobOptions {
  readonly onFailed?: ((id: BlobId, error: MbkError) => void) | undefined;
}

const defaultFrameCacheBytes = 32 * 1024 * 1024;
/** Of what is built upon other frames, in one run, where threads read these: neighbours are built upon the same. */
const openedBasedBytes: number = 4 * parameters.pieceBytes;

export function blobReader(options: BlobReaderOptions): BlobReader {
  const { backend, reader, index, prefers, onBadCopy, frameCacheBytes = defaultFrameCacheBytes } = options;
  const decoded = frameCache(frameCacheBytes);
  const basedBytes = backend.open === undefined ? undefined : openedBasedBytes;
  const reads = new Map<string, Promise<Uint8Array>>();

  return {
    readBlob,
    readBlobs,
    plan: (kind, ids, { runBytes }) => planReads(index, kind, ids, { prefers, runBytes, basedBytes }),
    readRun,
    planBases(kind, frames) {
      const basesBelow = baseFinder(index, kind, prefers ?? (() => true));
      return frames.map((frame) => {
        const wholes = basesBelow(frame);
        return wholes && { wholes, bytes: backend.open === undefined ? boxBytesOf(wholes) : 0 };
      });
    },
    readPlanned,
    readBases: (frame, { signal } = {}) => basesOf(frame, signal),
    keyOf: reader.keyOf,
  };

  function readBlob(kind: PackKind, id: BlobId, { signal }: ReadBlobOptions = {}): Promise<Uint8Array> {
    return readSome(kind, id, () => true, signal);
  }

  /** A blob from any of the copies that will do. */
  async function readSome(
    kind: PackKind,
    id: BlobId,
    willDo: (copy: BlobCopy) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const failures: CopyFailure[] = [];
    for (const copy of index.lookup(kind, id, prefers)) {
      if (!willDo(copy)) continue;
      try {
        return await readCopy(copy, signal);
      } catch (error) {
        if (!isMbkError(error) || !isBadCopy(error)) throw error;
        onBadCopy?.(copy, error);
        failures.push({ copy, error });
      }
    }
    throw verdict(kind, id, failures);
  }

  async function readCopy(copy: BlobCopy, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const cached = decoded.get(nameOf(copy));
    if (cached !== undefined) return blobIn(cached, copy);
    // What of them is damaged was read twice already.
    const bases = await basesOf(copy, signal);
    return readTwice(async () => {
      const plain = await readFrame(copy, bases, signal);
      const bytes = blobIn(plain, copy);
      decoded.put(nameOf(copy), plain);
      return bytes;
    });
  }

  /** The frame of a copy; callers that ask for one frame at the same time share one read. */
  async function readFrame(
    copy: BlobCopy,
    bases: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const name = nameOf(copy);
    const underWay = reads.get(name);
    if (underWay !== undefined) return underWay;
    const { pack, number, frame } = copy;
    const read = backend
      .get(packKey(pack.kind, pack.id), { offset: frame.offset, length: frame.boxLength, signal })
      .then((box) => openFrame(reader.keyOf(pack), pack, number, frame, box, bases))
      .finally(() => reads.delete(name));
    reads.set(name, read);
    return read;
  }

  /** What a frame is built upon: of smaller depth and the same keyset, so that it ends (docs/format.md, Frames and codecs). */
  async function basesOf({ pack, frame }: BasedCopy, signal: AbortSignal | undefined): Promise<readonly Uint8Array[]> {
    const bases: Uint8Array[] = [];
    for (const id of frame.bases) {
      const willDo = (base: BlobCopy): boolean => base.frame.depth < frame.depth && base.pack.keyset === pack.keyset;
      bases.push(await readSome(pack.kind, id, willDo, signal));
    }
    return bases;
  }

  async function* readBlobs(
    kind: PackKind,
    ids: Iterable<BlobId>,
    { signal, onFailed }: ReadBlobsOptions = {},
  ): AsyncGenerator<Blob> {
    const { runs, absent } = planReads(index, kind, ids, { prefers });
    for (const run of runs) {
      const bytes = await readRun(run, { signal });
      for (const reading of run.frames) {
        const plain =
          bytes === undefined ? undefined : openIn(bytes.subarray(reading.frame.offset - run.offset), reading);
        for (const copy of reading.copies) yield* orFailed(copy.id, () => oneOf(kind, copy, plain, signal), onFailed);
      }
    }
    for (const id of absent) yield* orFailed(id, () => readBlob(kind, id, { signal }), onFailed);
  }

  async function readRun(
    { pack, offset, length }: ReadRun,
    { signal, into }: ReadRunOptions = {},
  ): Promise<Uint8Array | undefined> {
    try {
      return await backend.get(packKey(pack.kind, pack.id), { offset, length, into, signal });
    } catch (error) {
      if (isMbkError(error) && isBadCopy(error)) return undefined;
      throw error;
    }
  }

  async function readPlanned(
    { wholes }: BasePlan,
    { packs, placeOf, signal }: ReadPlannedOptions,
  ): Promise<readonly Base[] | undefined> {
    const read = readBoxes(backend, signal);
    const boxOf = async (copy: BlobCopy): Promise<BaseBox> => {
      const opened = await packs.open(copy.pack);
      return opened === undefined ? read(copy) : { fd: opened.fd };
    };
    try {
      return await gatherBases(wholes, { boxOf, keyOf: reader.keyOf, placeOf });
    } catch (error) {
      if (isMbkError(error) && isBadCopy(error)) return undefined;
      throw error;
    }
  }

  /** Undefined also for what is built upon other frames: these are seldom near. */
  function openIn(bytes: Uint8Array, { pack, number, frame }: FrameReads): Uint8Array | undefined {
    if (frame.bases.length > 0) return undefined;
    try {
      return openFrame(reader.keyOf(pack), pack, number, frame, bytes.subarray(0, frame.boxLength));
    } catch (error) {
      if (isMbkError(error) && isBadCopy(error)) return undefined;
      throw error;
    }
  }

  /** A blob of a frame that was opened, or, where that does not hold it soundly, from wherever it can be had. */
  async function oneOf(
    kind: PackKind,
    copy: BlobCopy,
    plain: Uint8Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    if (plain === undefined) return readBlob(kind, copy.id, { signal });
    try {
      return blobIn(plain, copy);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return readBlob(kind, copy.id, { signal });
    }
  }
}

async function* orFailed(
  id: BlobId,
  read: () => Promise<Uint8Array>,
  onFailed: ReadBlobsOptions['onFailed'],
): AsyncGenerator<Blob> {
  let bytes: Uint8Array;
  try {
    bytes = await read();
  } catch (error) {
    if (onFailed === undefined || !isMbkError(error) || !(isBadCopy(error) || isMbkError(error, 'blob-absent')))
      throw error;
    onFailed(id, error);
    return;
  }
  yield { id, bytes };
}

function blobIn(plain: Uint8Array, { id, pack, number, offset, length }: BlobCopy): Uint8Array {
  const bytes = plain.subarray(offset, offset + length);
  checkBlob(id, bytes, pack, number);
  return bytes;
}

function nameOf({ pack, number }: BlobCopy): string {
  return `${pack.id} ${number}`;
}

/** Why a copy could not be used: `blob-absent` where a base of it is. */
interface CopyFailure {
  readonly copy: BlobCopy;
  readonly error: MbkError;
}

/** Whether another copy may serve where this error was met. */
function isBadCopy(error: MbkError): boolean {
  return isDamage(error) || isMbkError(error, 'entry-absent', 'blob-absent', 'codec-unknown');
}

function verdict(kind: PackKind, id: BlobId, failures: readonly CopyFailure[]): MbkError {
  const found = failures.filter(({ error }) => !isMbkError(error, 'entry-absent', 'blob-absent'));
  const packs = failures.flatMap(({ copy, error }) => [copy.pack.id, ...packsIn(error)]);
  const [first] = found;
  if (first === undefined) {
    const why =
      packs.length === 0 ? 'no index segment names it' : `its packs are not in the storage: ${packs.join(', ')}`;
    return new MbkError('blob-absent', `${kind} blob ${id} is not stored: ${why}`, { details: { blob: id, packs } });
  }
  if (first.error.code === 'codec-unknown') return first.error;
  const { copy, error: cause } = first;
  const message = `blob ${id} cannot be read from ${frameName(copy.pack, copy.number)}: ${cause.message}`;
  return new MbkError('entry-damaged', message, {
    details: { blob: id, pack: copy.pack.id, frame: copy.number, packs },
    cause,
  });
}

/** Of a base that is absent. */
function packsIn({ code, details }: MbkError): readonly PackId[] {
  return code === 'blob-absent' && Array.isArray(details['packs']) ? details['packs'].map(asPackId) : [];
}
