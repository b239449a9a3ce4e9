/**
 * Reads a file once, in large buffers, hashes and cuts it in the same pass and has its pieces stored (docs/format.md,
 * Content). What is recorded is what was read: the size, the hash and the chunks are of the same bytes.
 *
 * Reading goes on while pieces are being stored, as far as the window has room.
 */
import type { Kernels } from '@mbk/kernels';
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { contentCutter } from '../chunker/content-cutter.ts';
import type { GearScanner } from '../chunker/gear.ts';
import { layoutCutter } from '../chunker/layout-cutter.ts';
import type { Piece } from '../chunker/piece.ts';
import type { Chunk } from '../format/chunk-list.ts';
import type { ByteString } from '../format/byte-name.ts';
import { asBlobId, type BlobId } from '../format/ids.ts';
import type { Layout, TensorHints } from '../format/layout-record.ts';
import { layoutFileBytes, parameters } from '../format/limits.ts';
import { emptySha256 } from '../format/tree.ts';
import { fastNonFinite } from '../plugins/fast-non-finite.ts';
import { feedSender } from '../plugins/feed.ts';
import { rowCollector, type RowScan } from '../plugins/row-scan.ts';
import { chunkSink, type StorePiece } from './chunk-sink.ts';
import { relativeSeeker } from './relatives/relative-seeker.ts';
import type { TensorRelatives } from './relatives/tensor-catalogue.ts';
import { fileWindow } from './file-window.ts';

/** The bytes of a file as system calls give them. */
export interface FileReader {
  /** Fills `into` from `position` of the file on; how many bytes it read, 0 at the end. Blocks. */
  read(into: Uint8Array, position: number): number;
  /** Settles when the next read, of at most `readBytes`, needs not wait for anybody: of what comes from elsewhere. */
  ready?(): Promise<void>;
}

export interface CutFileOptions {
  /** Bytes of the file when it was opened; no more are read, so a file that only grows is a prefix of itself. */
  readonly size: number;
  /** Where the file lies, for others that read it once more. */
  readonly location?: ByteString | undefined;
  /** Checked for this size; the cuts follow it. */
  readonly layout?: Layout | undefined;
  /** Where a plugin wants the bytes, as they are read. */
  readonly feed?: MessagePort | undefined;
  /** Whether the rows of its tensors are looked at. */
  readonly scansRows?: boolean | undefined;
  /** Asked, once for each tensor that is cut into pieces, what its pieces may be built upon. */
  readonly relativesOf?: AskRelatives | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A tensor of the layout by its number, and what its first numbers are. */
export interface TensorHead {
  readonly number: number;
  readonly probe: string | undefined;
  readonly sketch: string | undefined;
}

/** Undefined where there is nothing that it may be built upon. */
export type AskRelatives = (tensor: TensorHead) => Promise<TensorRelatives | undefined>;

export interface CutFile {
  /** Bytes that were read. */
  readonly size: number;
  readonly sha256: BlobId;
  /** Whether the file is one blob, whose id is `sha256` (or empty): there were no chunks. */
  readonly isWhole: boolean;
  /** Bytes in zero runs, which take no room. */
  readonly zeroBytes: number;
  readonly rows?: RowScan | undefined;
  /** What finds its tensors when others may be built upon them, by the number of the tensor. */
  readonly hints?: ReadonlyMap<number, TensorHints> | undefined;
}

export interface FileCutter {
  /**
   * Cuts one file; one at a time. `onChunk` gets its chunks in order. Throws what `read`, the store and `onChunk` throw,
   * and 'interrupted'; then too nothing of the file is in use any more.
   */
  cut(reader: FileReader, options: CutFileOptions, onChunk: (chunk: Chunk) => Promise<void> | void): Promise<CutFile>;
}

export interface FileCutterOptions {
  readonly store: StorePiece;
  readonly gear: GearScanner;
  /** Of entry 1; that of new repositories unless given. */
  readonly smallTensorBytes?: number | undefined;
  /** For what looks at numbers; the gear has its own. */
  readonly kernels?: Kernels | undefined;
  /** What files pass through; of `windowBytes` or more unless given. More lets more pieces be stored at once. */
  readonly window?: Uint8Array | undefined;
}

/** Bytes of one read. A longest chunk that is not complete, and a read, must fit into the window together. */
export const readBytes = 4_194_304;
/** The least that a window may have. */
export const windowBytes: number = parameters.maximumBytes + parameters.zeroRunBytes + readBytes;
/** What is cut by its content is read in smaller steps, and mostly needs no more room than this: its chunks are small. */
const contentReadBytes = readBytes / 2;
const contentWindowBytes = 3 * contentReadBytes;
/** What a file costs besides its bytes, as so many bytes: about 20 µs. */
const smallFileCost = 32_768;

export function fileCutter({
  store,
  gear,
  smallTensorBytes,
  kernels,
  window: buffer = new Uint8Array(windowBytes),
}: FileCutterOptions): FileCutter {
  /** Work since other things had their turn, in bytes. */
  let sinceTurn = 0;

  return {
    async cut(reader, { size, layout, feed: port, scansRows, relativesOf, signal }, onChunk) {
      const feed = port && feedSender(port);
      const first = buffer.subarray(0, Math.min(size, readBytes));
      await reader.ready?.();
      const filled = readFully(reader, first, 0);
      const isWhole = filled < (layout === undefined ? parameters.wholeFileBytes : layoutFileBytes);
      if (isWhole) {
        sinceTurn += filled + smallFileCost;
        if (sinceTurn > readBytes) {
          sinceTurn = 0;
          await takeTurn(signal);
        }
        await feed?.send(buffer.subarray(0, filled));
        feed?.end();
        const sha256 = filled === 0 ? emptySha256 : await store(buffer.subarray(0, filled));
        return { size: filled, sha256, isWhole, zeroBytes: 0 };
      }
      const cutter = layout === undefined ? contentCutter(gear) : layoutCutter(layout, smallTensorBytes);
      const window = fileWindow(buffer, layout === undefined ? contentWindowBytes : buffer.length);
      const step = layout === undefined ? contentReadBytes : readBytes;
      const sink = chunkSink(store, onChunk);
      const hash = createHash('sha256');
      const rows = scansRows === true && layout !== undefined ? rowCollector() : undefined;
      const seeker = layout === undefined ? undefined : relativeSeeker(relativesOf);
      let zeroBytes = 0;
      const give = (pieces: readonly Piece[]): void => {
        for (const piece of pieces) {
          const { kind, offset, length, element } = piece;
          if (kind === 'zero') {
            zeroBytes += length;
            rows?.zeros(offset, length);
            sink.zeros(length);
          } else {
            const bytes = window.view(offset, length);
            const dtype = element?.dtype ?? '';
            if (dtype !== '') rows?.piece(offset, length, dtype, fastNonFinite(bytes, dtype, undefined, kernels));
            if (kind === 'blob') window.lend(bytes, sink.blob(bytes, seeker?.about(piece, bytes)));
            else sink.skeleton(bytes);
          }
        }
      };

      let end = filled;
      try {
        for (let fresh = first.subarray(0, filled); fresh.length > 0;) {
          hash.update(fresh);
          await feed?.send(fresh);
          give(cutter.push(fresh));
          await takeTurn(signal);
          await sink.keepUp();
          await reader.ready?.();
          const room = await window.room(cutter.needed, end, Math.min(step, size - end));
          fresh = room.subarray(0, readFully(reader, room, end));
          end += fresh.length;
        }
        give(cutter.end());
        await sink.finish();
        feed?.end();
      } catch (error) {
        feed?.close();
        throw error;
      } finally {
        await window.returned();
      }
      const sha256 = asBlobId(hash.digest('hex'));
      return { size: end, sha256, isWhole, zeroBytes, rows: rows?.result(), hints: seeker?.hints };
    },
  };
}

/** Lets signals and displays have their turn: all else here blocks, or is done at once. */
async function takeTurn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  throwIfInterrupted(signal, 'storing a file');
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
