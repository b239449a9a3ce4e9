/**
 * What the main thread and the threads of a snapshot ask of each other: plain data, so that it can be copied.
 *
 * The threads read, cut, hash, compress and seal; the main thread walks, knows what is stored, and puts.
 */
import type { KernelMemory, KernelModule } from '@mbk/kernels';
import type { MessagePort } from 'node:worker_threads';
import type { Compression } from '../../codec/compression.ts';
import type { Element } from '../../chunker/piece.ts';
import type { Keys, Keyset } from '../../crypto/keyset.ts';
import type { ByteString } from '../../format/byte-name.ts';
import type { Chunk } from '../../format/chunk-list.ts';
import type { BlobId, Lifetime } from '../../format/ids.ts';
import type { Layout } from '../../format/layout-record.ts';
import type { PackColumns } from '../../pack/compact-contents.ts';
import type { FinishedPack } from '../../pack/pack-writer.ts';
import type { AssetRule, KnownAsset } from '../asset-plugins.ts';
import type { TensorHead } from '../cut-file.ts';
import type { FindBase } from '../relatives/relate.ts';
import type { TensorRelatives } from '../relatives/tensor-catalogue.ts';
import type { Wanted } from '../relatives/wanted.ts';
import type { SourceFacts } from '../source-facts.ts';
import type { CollectionRef } from '../stat-cache.ts';

export interface CaptureSetup {
  /** This thread's number, from 0. */
  readonly number: number;
  readonly keys: Keys;
  readonly keyset: Keyset;
  readonly gear: Int32Array;
  readonly smallTensorBytes: number;
  /** Memory that all threads share: where each has its scratch and its window. */
  readonly memory: KernelMemory;
  readonly kernels: KernelModule;
  readonly scratch: number;
  readonly window: { readonly offset: number; readonly length: number };
  /** What each thread has to do (`loadOf`), for those who look for help. */
  readonly loads: SharedArrayBuffer;
  readonly rules: readonly AssetRule[];
  readonly headBytes: number;
  readonly compression: Compression | undefined;
  /** Size at which packs are closed. */
  readonly packBytes: number;
}

/** Whose blobs they are, for the main thread to count, and how long they live. */
export interface Destination extends CollectionRef {
  readonly lifetime: Lifetime;
}

/** Small files of one collection, to be read one after the other. */
export interface SmallFiles {
  readonly destination: Destination;
  /** Their locations with zero bytes between them: one text crosses threads sooner than many. */
  readonly locations: ByteString;
  /** Where in each location its path below the root begins: for display, and for the rules of plugins. */
  readonly pathsAt: number;
  /** Of each file as the walk saw it: `factNumbers`. */
  readonly facts: Float64Array;
}

/** What became of each small file. */
export interface SmallFilesTaken {
  /** SHA-256, one after the other; 64 zeros where there is none. */
  readonly ids: string;
  /** Bytes that were read. */
  readonly sizes: Float64Array;
  /** Files that were not as the walk saw them, by their place: as they were when they were opened. */
  readonly facts: ReadonlyArray<readonly [place: number, facts: SourceFacts]>;
  /** Assets that need no look inside before they are cut, and where the bytes of those that are examined are in `bodies`. */
  readonly assets: ReadonlyArray<
    KnownAsset & { readonly place: number; readonly offset: number; readonly length: number }
  >;
  readonly bodies: Uint8Array;
  /** Files for the main thread to take by itself: those a plugin looks into, changed, grown, replaced or unreadable. */
  readonly left: readonly number[];
}

/** An open file that is not small. */
export interface LargeFile {
  readonly destination: Destination;
  /** Names the file in `chunks`. */
  readonly file: number;
  readonly fd: number;
  readonly size: number;
  readonly layout: Layout | undefined;
  /** Changes hands. */
  readonly feed: MessagePort | undefined;
  readonly scansRows: boolean | undefined;
  /** Whether to ask what its tensors may be built upon. */
  readonly seeks: boolean;
}

/** Chunks of a large file, in order. */
export interface FileChunks {
  readonly file: number;
  readonly chunks: readonly Chunk[];
}

/** A blob in the shared windows that another thread may store. */
export interface SharedPiece {
  readonly destination: Destination;
  readonly offset: number;
  readonly length: number;
  readonly element: Element | undefined;
  readonly wanted: Wanted | undefined;
}

/** Asks which blobs are to be stored by the asker; the answer has a 1 for each. */
export interface Claims {
  readonly destination: Destination;
  /** One after the other, 64 digits each. */
  readonly ids: string;
  readonly lengths: Float64Array;
}

/** A finished pack; the buffers of its parts change hands, and come back when it is put. */
export interface PackToPut extends Pick<FinishedPack, 'key' | 'parts'> {
  readonly columns: PackColumns;
}

/** The calls of the main thread's side. */
export interface CaptureMain {
  claim(claims: Claims): Promise<Uint8Array>;
  pack(pack: FinishedPack): Promise<void>;
  chunks(chunks: FileChunks): Promise<void>;
  /** Has thread `thread` store a piece; its id. */
  piece(thread: number, piece: SharedPiece): Promise<BlobId>;
  /** What a tensor of a large file may be built upon. */
  relatives(file: number, tensor: TensorHead): Promise<TensorRelatives | undefined>;
  /** Where a blob is that may be built upon. */
  base: FindBase;
}

/** Numbers of each file in `SmallFiles.facts`: device, inode, size, mtime and ctime in milliseconds. */
export const factNumbers = 5;
