/**
 * Stores the content of files: each is read once, in large buffers, cut and hashed in the same pass (docs/format.md,
 * Content). What is recorded is what was read: the size, the hash and the chunks are of the same bytes.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { contentCutter } from '../chunker/content-cutter.ts';
import type { GearTable } from '../chunker/gear.ts';
import { layoutCutter } from '../chunker/layout-cutter.ts';
import type { Piece } from '../chunker/piece.ts';
import { asBlobId } from '../format/ids.ts';
import { encodeLayout, type Layout } from '../format/layout-record.ts';
import { parameters } from '../format/limits.ts';
import { emptySha256, type FileContent } from '../format/tree.ts';
import type { StoreBlob } from './blobs.ts';
import { chunkSink, type ChunkSink } from './chunk-sink.ts';

/** The bytes of a file as system calls give them. */
export interface FileReader {
  /** Fills `into` from `position` of the file on; how many bytes it read, 0 at the end. Blocks. */
  read(into: Uint8Array, position: number): number;
}

export interface StoreFileOptions {
  /** Bytes of the file when it was opened; no more are read, so a file that only grows is a prefix of itself. */
  readonly size: number;
  /** Checked for this size; the cuts follow it. */
  readonly layout?: Layout | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StoredFile {
  readonly content: FileContent;
  /** Bytes in zero runs, which take no room. */
  readonly zeroBytes: number;
}

export interface FileStorer {
  /** Stores one file; one at a time. Throws what `read` and `store` throw, and 'interrupted'. */
  store(reader: FileReader, options: StoreFileOptions): Promise<StoredFile>;
}

export interface FileStorerOptions {
  readonly store: StoreBlob;
  readonly gear: GearTable;
}

/** Bytes of one read. A longest chunk that is not complete, and a read, must fit into the window together. */
const readBytes = 4_194_304;
/** What a file costs besides its bytes, as so many bytes: about 20 µs. */
const smallFileCost = 32_768;
const windowBytes = parameters.maximumBytes + parameters.zeroRunBytes + readBytes;

/** A storer, whose buffers (12 MiB, and 4 MiB once a file has a layout) serve every file. */
export function fileStorer({ store, gear }: FileStorerOptions): FileStorer {
  const window = new Uint8Array(windowBytes);
  let skeleton: Uint8Array | undefined;
  /** Work since other things had their turn, in bytes. */
  let sinceTurn = 0;
  const gather = (): Uint8Array => (skeleton ??= new Uint8Array(parameters.pieceBytes));

  return {
    async store(reader, { size, layout, signal }) {
      const filled = readFully(reader, window.subarray(0, Math.min(size, readBytes)), 0);
      const layoutBytes = layout === undefined ? undefined : encodeLayout(layout);
      const isOneBlob = filled < (layoutBytes === undefined ? parameters.wholeFileBytes : parameters.smallTensorBytes);
      if (isOneBlob) {
        sinceTurn += filled + smallFileCost;
        if (sinceTurn > readBytes) {
          sinceTurn = 0;
          await takeTurn(signal);
        }
        return storeOneBlob(store, window.subarray(0, filled));
      }
      const cutter = layout === undefined || layoutBytes === undefined ? contentCutter(gear) : layoutCutter(layout);
      const sink = chunkSink(store, gather);
      const read = await readPieces({ reader, size, window, filled, cutter, sink, signal });
      const content = { size: read.size, sha256: asBlobId(read.sha256), chunks: await sink.finish() };
      // The layout of a file that shrank would speak of bytes that are not there.
      if (layoutBytes === undefined || read.size !== size) return { content, zeroBytes: read.zeroBytes };
      const { id } = await store('layout', layoutBytes);
      return { content: { ...content, layout: id }, zeroBytes: read.zeroBytes };
    },
  };
}

async function storeOneBlob(store: StoreBlob, bytes: Uint8Array): Promise<StoredFile> {
  const sha256 = bytes.length === 0 ? emptySha256 : (await store('data', bytes)).id;
  return { content: { size: bytes.length, sha256 }, zeroBytes: 0 };
}

interface ReadPiecesOptions {
  readonly reader: FileReader;
  readonly size: number;
  /** Holds the first `filled` bytes of the file. */
  readonly window: Uint8Array;
  readonly filled: number;
  readonly cutter: ReturnType<typeof contentCutter>;
  readonly sink: ChunkSink;
  readonly signal: AbortSignal | undefined;
}

interface ReadPieces {
  readonly size: number;
  readonly sha256: string;
  readonly zeroBytes: number;
}

/** Lets signals and displays have their turn: all else here blocks, or is done at once. */
async function takeTurn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  throwIfInterrupted(signal, 'storing a file');
}

/** Reads the file to its end and gives its pieces to the sink. */
async function readPieces({
  reader,
  size,
  window,
  filled,
  cutter,
  sink,
  signal,
}: ReadPiecesOptions): Promise<ReadPieces> {
  const hash = createHash('sha256');
  /** Offset in the file of the first byte of the window, and behind its last. */
  let start = 0;
  let end = filled;
  let zeroBytes = 0;

  const give = async (pieces: readonly Piece[]): Promise<void> => {
    for (const { kind, offset, length } of pieces) {
      if (kind === 'zero') {
        zeroBytes += length;
        await sink.zeros(length);
      } else {
        const bytes = window.subarray(offset - start, offset - start + length);
        await (kind === 'blob' ? sink.blob(bytes) : sink.skeleton(bytes));
      }
    }
  };

  for (let fresh = window.subarray(0, filled); fresh.length > 0;) {
    hash.update(fresh);
    await give(cutter.push(fresh));
    await takeTurn(signal);
    window.copyWithin(0, cutter.needed - start, end - start);
    start = cutter.needed;
    const from = end - start;
    const length = readFully(reader, window.subarray(from, from + Math.min(readBytes, size - end)), end);
    fresh = window.subarray(from, from + length);
    end += length;
  }
  await give(cutter.end());
  return { size: end, sha256: hash.digest('hex'), zeroBytes };
}

/** Fills `into` as far as the file goes; how many bytes that were. */
function readFully(reader: FileReader, into: Uint8Array, position: number): number {
  let filled = 0;
  while (filled < into.length) {
    const read = reader.read(into.subarray(filled), position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}
