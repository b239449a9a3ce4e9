/** The memory in which the tensor codec works: one a thread, made when it is first needed, and used again and again. */
import {
  contextCountsBytes,
  contextDecodeTableBytes,
  type ContextKernels,
  contextLanesRoom,
  contextMapBytes,
  contextNextBytes,
  decodeTableBytes,
  type DifferenceKernels,
  encodeTableBytes,
  kernelMemory,
  kernelModule,
  laneCountsBytes,
  longestCode,
  type StreamKernels,
  wasmContexts,
  wasmDifferences,
  wasmStreams,
} from '@mbk/kernels';
import { parameters } from '../../format/limits.ts';
import { regionsOf } from '../regions.ts';
import type { NextTables } from './context-shape.ts';

/** Bytes of a segment, or less by what is no whole unit (docs/format.md, Frames and codecs). */
export const segmentBytes = 262_144;
/** Bytes of the streams of a segment at most: those of Q2_K, one number a symbol, are 276 for each 84 bytes. */
const planeBytes = Math.ceil((segmentBytes * 276) / 84);
/** Bytes before a segment that its numbers may be foretold from, at most. */
export const historyBytes = 49_152;
/** What a coded segment takes beyond its symbols at most: a stream that is coded saves what its lengths and sizes take. */
const codedOverhead = 65_536;
/** Most bytes of a frame that is encoded: those of a piece of a tensor. */
export const mostPlainBytes: number = parameters.pieceBytes;

/** Bytes that the lanes of `symbols` symbols have at most. */
export function mostLaneBytes(symbols: number): number {
  return Math.ceil((symbols * longestCode) / 8) + 4;
}

/**
 * The place from `offset` on, a round number, that lies to a word as the start of `bytes` does: only then V8 copies into
 * and out of shared memory word by word and not byte by byte.
 */
export function alignedAs({ byteOffset }: { readonly byteOffset: number }, offset: number): number {
  return offset + (byteOffset & 7);
}

export type TensorKernels = StreamKernels & ContextKernels & DifferenceKernels;

export interface Workspace {
  readonly kernels: TensorKernels;
  /** Four tables of counters as the kernels leave them. */
  readonly counters: Uint32Array;
  /** Counters of 256 contexts. */
  readonly contextCounts: Uint32Array;
  /** Their sums. */
  readonly contextSums: Uint32Array;
  readonly nexts: NextTables;
  /** Offsets of the regions. */
  readonly at: Readonly<Record<Region, number>>;
}

type Region =
  | 'counters'
  | 'lengths'
  | 'plan'
  | 'encodeTable'
  | 'decodeTable'
  | 'contextCounts'
  | 'sums'
  | 'weights'
  | 'sizes'
  | 'next'
  | 'map'
  /** Tables of contexts. */
  | 'tables'
  /** What the scales of blocks say of each of their numbers. */
  | 'classes'
  /** Bytes of 0, and the context of each symbol. */
  | 'nothing'
  | 'contexts'
  /** The end of the segment before. Right before the next one. */
  | 'history'
  /** A segment as it was or is. */
  | 'plain'
  /** Its streams one after the other. */
  | 'planes'
  /** The lanes of one stream, to be read. */
  | 'coded'
  /** The coded form of a frame, as it is written or read. */
  | 'frame';

const regionBytes: Readonly<Record<Region, number>> = {
  counters: laneCountsBytes,
  lengths: 256,
  plan: 256,
  encodeTable: encodeTableBytes,
  decodeTable: decodeTableBytes,
  contextCounts: 256 * contextCountsBytes,
  sums: 1024,
  weights: 512,
  sizes: 16,
  next: contextNextBytes,
  map: contextMapBytes,
  tables: 16 * contextDecodeTableBytes,
  classes: planeBytes + 832,
  nothing: planeBytes + 1664,
  contexts: planeBytes + 2496,
  history: historyBytes + 64,
  plain: segmentBytes,
  planes: planeBytes,
  coded: contextLanesRoom(planeBytes),
  frame: mostPlainBytes + codedOverhead,
};

const regions = regionsOf(regionBytes);

/** Bytes of all regions. */
export const workspaceBytes: number = regions.bytes;

/** A workspace in the memory of `kernels`, which has `workspaceBytes`. */
export function workspaceIn(kernels: TensorKernels): Workspace {
  const { at } = regions;
  const { buffer, byteOffset } = kernels.bytes;
  return {
    kernels,
    counters: new Uint32Array(buffer, byteOffset + at.counters, laneCountsBytes / 4),
    contextCounts: new Uint32Array(buffer, byteOffset + at.contextCounts, (256 * contextCountsBytes) / 4),
    contextSums: new Uint32Array(buffer, byteOffset + at.sums, 256),
    nexts: new Map(),
    at,
  };
}

/** The workspace of this thread: memory to work in, nothing that a call leaves to the next. */
export const threadWorkspace: () => Workspace = once(() => {
  const memory = kernelMemory(workspaceBytes);
  const module = kernelModule();
  return workspaceIn({
    ...wasmStreams(memory, module),
    ...wasmContexts(memory, module),
    ...wasmDifferences(memory, module),
  });
});

/**
 * Memory of this thread for the coded form of a frame of `bytes` that is to be read or written, for one frame at a time:
 * what codecs encode lies there too, and kernels find it there without a copy. Of its own where it is larger than those
 * that mbk writes.
 */
export function frameMemory(bytes: number): Uint8Array {
  if (bytes > regionBytes.frame) return new Uint8Array(bytes);
  const { kernels, at } = threadWorkspace();
  return kernels.bytes.subarray(at.frame, at.frame + bytes);
}

/** Makes a value when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
