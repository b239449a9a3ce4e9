/** The memory in which the delta codec works: one a thread, made when it is first needed, and used again and again. */
import {
  contextCountsBytes,
  contextDecodeTableBytes,
  contextEncodeTableBytes,
  type ContextKernels,
  contextLanesRoom,
  contextNextBytes,
  type DifferenceKernels,
  kernelMemory,
  kernelModule,
  type StreamKernels,
  wasmContexts,
  wasmDifferences,
  wasmStreams,
} from '@mbk/kernels';
import { parameters } from '../../format/limits.ts';
import { classMapBytes, lengthOfSymbol, lengthOfToken, mostModelBytes, nextOf } from '../context/model.ts';
import { mostTables } from '../context/tables.ts';
import { regionsOf } from '../regions.ts';
import { mostPlanBytes } from './parts.ts';

/** Bytes of a segment, and items of one of its parts, at most (docs/format.md, The delta codec). */
export const segmentBytes = 524_288;
/** Most bytes of a frame that is encoded: those of a piece of a tensor. */
export const mostPlainBytes: number = parameters.pieceBytes;
/** Contexts that are counted at once. */
const mostContexts = 256;

export type DeltaKernels = StreamKernels & ContextKernels & DifferenceKernels;

export interface DeltaWorkspace {
  readonly kernels: DeltaKernels;
  /** Counters of all contexts. */
  readonly counters: Uint32Array;
  /** The sum of each. */
  readonly sums: Uint32Array;
  /** How tokens and other symbols move the state, for each gain. */
  readonly nexts: Readonly<Record<'tokens' | 'symbols', readonly Uint8Array[]>>;
  /** Offsets of the regions. */
  readonly at: Readonly<Record<Region, number>>;
}

type Region =
  | 'counters'
  | 'sums'
  | 'weights'
  /** Tables to encode by, or to decode by. */
  | 'tables'
  | 'next'
  | 'map'
  /** Of each context its table. */
  | 'joined'
  | 'plan'
  | 'sizes'
  /** A segment as it was or is, and the same of the base. */
  | 'plain'
  | 'base'
  /** The items of one part of it, and of the base. */
  | 'items'
  | 'baseItems'
  /** What is known of each item, the symbol it becomes, and its context. */
  | 'classes'
  | 'symbols'
  | 'contexts'
  /** The model, lanes and rests of one part of a segment. */
  | 'coded';

const regionBytes: Readonly<Record<Region, number>> = {
  counters: mostContexts * contextCountsBytes,
  sums: 4 * mostContexts,
  weights: 512,
  tables: mostTables * Math.max(contextEncodeTableBytes, contextDecodeTableBytes),
  next: contextNextBytes,
  map: classMapBytes,
  joined: 256,
  plan: mostPlanBytes,
  sizes: 16,
  plain: segmentBytes,
  base: segmentBytes,
  items: segmentBytes,
  baseItems: segmentBytes,
  classes: segmentBytes,
  symbols: segmentBytes,
  contexts: segmentBytes,
  coded: mostModelBytes + 20 + contextLanesRoom(segmentBytes) + segmentBytes,
};

/**
 * Four lanes lie at a quarter of a region each, and a region is read along with others: those of one kind begin at
 * different places of a page of 4 KiB, or all of them would have the same lines of the cache.
 */
const stagger = 4096 + 832;

const gains = [0, 1, 2];

const regions = regionsOf(regionBytes, (bytes) => (bytes === segmentBytes ? stagger : 0));

/** Bytes of all regions. */
export const deltaWorkspaceBytes: number = regions.bytes;

/** A workspace in the memory of `kernels`, which has `deltaWorkspaceBytes`. */
export function deltaWorkspaceIn(kernels: DeltaKernels): DeltaWorkspace {
  const { at } = regions;
  const { buffer, byteOffset } = kernels.bytes;
  const wordsOf = (region: Region): Uint32Array =>
    new Uint32Array(buffer, byteOffset + at[region], regionBytes[region] / 4);
  const nexts = {
    tokens: gains.map((gain) => nextOf(lengthOfToken, gain)),
    symbols: gains.map((gain) => nextOf(lengthOfSymbol, gain)),
  };
  return { kernels, counters: wordsOf('counters'), sums: wordsOf('sums'), nexts, at };
}

/** The workspace of this thread: memory to work in, nothing that a call leaves to the next. */
export const threadDeltaWorkspace: () => DeltaWorkspace = once(() => {
  const memory = kernelMemory(deltaWorkspaceBytes);
  const module = kernelModule();
  return deltaWorkspaceIn({
    ...wasmStreams(memory, module),
    ...wasmContexts(memory, module),
    ...wasmDifferences(memory, module),
  });
});

/** Makes a value when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
