/**
 * Small files on their way to the thread that writes them: numbers in one array and names in one text, because to copy an
 * object for each file between threads takes longer than to work out where it goes.
 */
import type { ByteString } from '../../format/byte-name.ts';
import { asBlobId, type BlobId } from '../../format/ids.ts';
import type { FrameRow } from '../../format/pack-footer.ts';
import type { PackRow } from '../../format/segment-rows.ts';
import type { Base } from '../../pack/base-frames.ts';
import type { FileToPlace } from '../../snapshot/place-file.ts';
import type { FramesJob, RunBytes } from './checkout-task.ts';

/** A file that holds one blob and nothing else. */
export interface SmallFile extends FileToPlace {
  /** Of its folder. */
  readonly place: ByteString;
  /** Bytes. */
  readonly size: number;
}

export interface SmallColumns {
  /** Each once. */
  readonly places: readonly ByteString[];
  /** Joined by `/`, which no name has. */
  readonly names: string;
  readonly temporaries: string;
  /** `numbersOfFile` of each: number of its place, 1 where that is free, size, mode, owner, group, time in two parts. */
  readonly numbers: Float64Array;
}

/** `FramesJob<readonly SmallFile[]>` in columns. */
export interface SmallJob {
  readonly key: Uint8Array;
  readonly pack: PackRow;
  readonly bytes: RunBytes;
  readonly frames: readonly {
    readonly number: number;
    readonly frame: FrameRow;
    readonly bases?: readonly Base[] | undefined;
    readonly blobs: number;
  }[];
  /** In hex, one after the other. */
  readonly ids: string;
  /** Of each blob: its offset in the frame, its length, and how many files it is. */
  readonly spans: Uint32Array;
  readonly files: SmallColumns;
}

const numbersOfFile = 8;
const idLength = 64;

export function packFiles(files: readonly SmallFile[]): SmallColumns {
  const places = new Map<ByteString, number>();
  const numbers = new Float64Array(files.length * numbersOfFile);
  let at = 0;
  for (const { place, isFree, size, mode, owner, mtime } of files) {
    const number = places.get(place) ?? places.size;
    if (number === places.size) places.set(place, number);
    numbers[at] = number;
    numbers[at + 1] = isFree === true ? 1 : 0;
    numbers[at + 2] = size;
    numbers[at + 3] = mode;
    numbers.set(owner, at + 4);
    numbers.set(mtime, at + 6);
    at += numbersOfFile;
  }
  return {
    places: [...places.keys()],
    names: files.map(({ name }) => name).join('/'),
    temporaries: files.map(({ temporary }) => temporary).join('/'),
    numbers,
  };
}

export function unpackFiles({ places, names, temporaries, numbers }: SmallColumns): SmallFile[] {
  const allTemporaries = temporaries.split('/');
  const one = (index: number): number => numbers[index] ?? 0;
  return (numbers.length === 0 ? [] : names.split('/')).map((name, file) => {
    const at = file * numbersOfFile;
    return {
      place: places[one(at)] ?? '',
      name,
      temporary: allTemporaries[file] ?? '',
      isFree: one(at + 1) === 1,
      size: one(at + 2),
      mode: one(at + 3),
      owner: [one(at + 4), one(at + 5)],
      mtime: [one(at + 6), one(at + 7)],
    };
  });
}

/** `fileOf` gives each file as it is sent. */
export function packSmallJob<Use>(
  { frames, ...job }: FramesJob<readonly Use[]>,
  fileOf: (use: Use) => SmallFile,
): SmallJob {
  const blobs = frames.flatMap((frame) => frame.blobs);
  const spans = new Uint32Array(blobs.length * 3);
  for (const [index, { offset, length, use }] of blobs.entries()) spans.set([offset, length, use.length], index * 3);
  return {
    ...job,
    frames: frames.map((one) => ({ ...one, blobs: one.blobs.length })),
    ids: blobs.map(({ id }) => id).join(''),
    spans,
    files: packFiles(blobs.flatMap(({ use }) => use.map(fileOf))),
  };
}

export function unpackSmallJob({ frames, ids, spans, files, ...job }: SmallJob): FramesJob<readonly SmallFile[]> {
  const allFiles = unpackFiles(files);
  let blob = 0;
  let file = 0;
  const next = (): { id: BlobId; offset: number; length: number; use: SmallFile[] } => {
    const [offset = 0, length = 0, uses = 0] = spans.subarray(blob * 3, blob * 3 + 3);
    const id = asBlobId(ids.slice(blob * idLength, (blob + 1) * idLength));
    blob += 1;
    file += uses;
    return { id, offset, length, use: allFiles.slice(file - uses, file) };
  };
  return {
    ...job,
    frames: frames.map((one) => ({ ...one, blobs: Array.from({ length: one.blobs }, next) })),
  };
}
