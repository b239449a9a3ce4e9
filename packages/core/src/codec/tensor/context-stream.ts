/**
 * One stream of a segment, coded with contexts (docs/format.md, Streams with contexts). Which contexts is tried when a frame
 * begins, and again when they do not fit any more.
 *
 *   size  meaning
 *   1     mode: 4 with a model, 5 with the one that this stream had before
 *   …     mode 4: the model
 *   12    bytes of the four lanes, 3 each
 *   …     the lanes
 */
import { contextDecodeTableBytes, contextEncodeTableBytes, contextMapBytes, contextWeightSum } from '@mbk/kernels';
import { clusterContexts } from '../context/cluster.ts';
import { selfBits } from '../context/entropy.ts';
import { setWeights } from '../context/weights.ts';
import { mostTables } from '../context/tables.ts';
import { modelBytes, type StreamModel, writeStreamModel } from './context-model.ts';
import {
  type ContextShape,
  contextNext,
  contextsIn,
  knownNothing,
  knownOfBlocks,
  setContextMap,
  type StateKind,
  stateKinds,
} from './context-shape.ts';
import type { Workspace } from './workspace.ts';

/** A stream as contexts see it. */
export interface ContextPlace {
  readonly from: number;
  readonly length: number;
  /** Bits of its symbols. */
  readonly bits: number;
  /** Where what is known of its symbols lies, by its number in a model: an earlier stream, or what the scales of blocks say. */
  readonly knowns: ReadonlyMap<number, number>;
  /** Whether its symbols are tokens of numbers. */
  readonly isTokens: boolean;
}

export interface ContextPlan {
  readonly model: StreamModel;
  readonly isAgain: boolean;
  /** What the stream takes, about. */
  readonly bytes: number;
}

/** Symbols that contexts are chosen by. */
const sampleSymbols = 65_536;
/** What a weight takes, about. */
const weightBits = 7;
/** An old model is used again as long as it costs at most this part more than its own contexts would with new weights. */
const againCosts = 1 / 256;
const laneSizesBytes = 12;
/** Four states of four bytes. */
const statesBytes = 16;

/** How the stream is best coded with contexts, and what it takes. */
export function planContexts(workspace: Workspace, place: ContextPlace, old: StreamModel | undefined): ContextPlan {
  const again = old && planAgain(workspace, place, old);
  if (again !== undefined) return again;
  const shape = chooseShape(workspace, place);
  countShape(workspace, place, shape, place.length);
  const contexts = contextsIn(shape);
  workspace.kernels.sumCounts(workspace.at.contextCounts, contexts, workspace.at.sums);
  const sums = workspace.contextSums.subarray(0, contexts);
  const symbols = 1 << place.bits;
  const { tableOf, counts } = clusterContexts({ counts: workspace.contextCounts, symbols, sums }, mostTables);
  const weights = counts.map((each) => {
    const own = new Uint16Array(256);
    setWeights(each, own);
    return own;
  });
  const model = { shape, tableOf, weights };
  const bits = counts.reduce((sum, each, table) => sum + costOf(each, weights[table] ?? new Uint16Array(256)), 0);
  const bytes = 1 + modelBytes(model) + laneSizesBytes + statesBytes + Math.ceil(bits / 8);
  return { model, isAgain: false, bytes };
}

function planAgain(workspace: Workspace, place: ContextPlace, model: StreamModel): ContextPlan | undefined {
  const tables = model.weights.length;
  countWith(workspace, place, model.shape, { tableOf: model.tableOf, tables, length: place.length });
  let bits = 0;
  let least = 0;
  for (const [table, weights] of model.weights.entries()) {
    const counts = workspace.contextCounts.subarray(256 * table, 256 * (table + 1));
    bits += costOf(counts, weights);
    least += entropyOf(counts);
  }
  // An infinite one too: a symbol that the model does not have.
  if (!(bits <= least * (1 + againCosts) + 64)) return undefined;
  return { model, isAgain: true, bytes: 1 + laneSizesBytes + statesBytes + Math.ceil(bits / 8) };
}

/** Bits of what is counted, by these weights; infinite when something has none. */
function costOf(counts: Uint32Array, weights: Uint16Array): number {
  let bits = 0;
  for (let symbol = 0; symbol < counts.length; symbol += 1) {
    const count = counts[symbol] ?? 0;
    if (count === 0) continue;
    const weight = weights[symbol] ?? 0;
    if (weight === 0) return Infinity;
    bits += count * (logOfSum - selfBits(weight) / weight);
  }
  return bits;
}

const logOfSum = 31 - Math.clz32(contextWeightSum);

function entropyOf(counts: Uint32Array): number {
  let total = 0;
  let bits = 0;
  for (let symbol = 0; symbol < counts.length; symbol += 1) {
    const count = counts[symbol] ?? 0;
    if (count === 0) continue;
    total += count;
    bits -= selfBits(count);
  }
  return bits + selfBits(total);
}

/** The contexts that make least of the first symbols. */
function chooseShape(workspace: Workspace, place: ContextPlace): ContextShape {
  const length = Math.min(place.length, sampleSymbols);
  let best: ContextShape | undefined;
  let least = Infinity;
  for (const shape of shapesFor(workspace, place)) {
    countShape(workspace, place, shape, length);
    const contexts = contextsIn(shape);
    let bits = 0;
    let weights = 0;
    for (let context = 0; context < contexts; context += 1) {
      const counts = workspace.contextCounts.subarray(256 * context, 256 * (context + 1));
      bits += entropyOf(counts);
      for (let symbol = 0; symbol < 256; symbol += 1) if ((counts[symbol] ?? 0) > 0) weights += 1;
    }
    const total = bits + (weights * weightBits * length) / Math.max(place.length, 4 * length);
    if (total >= least) continue;
    least = total;
    best = shape;
  }
  return best ?? plainShape(stateKinds.none);
}

function plainShape(state: StateKind): ContextShape {
  return { state, known: knownNothing, classShift: 0, lowClass: 0 };
}

function shapesFor(workspace: Workspace, { knowns, bits, isTokens, length }: ContextPlace): ContextShape[] {
  if (isTokens) return [stateKinds.none, stateKinds.lengths].map(plainShape).filter((shape) => isWorth(shape, length));
  const states = [stateKinds.none, stateKinds.last, stateKinds.mean, ...(bits <= 6 ? [stateKinds.three] : [])];
  const shapes = states.map(plainShape).filter((shape) => isWorth(shape, length));
  for (const [known, from] of knowns) {
    const isBlocks = known === knownOfBlocks;
    for (const classShift of isBlocks ? [0] : [0, 3]) {
      const lowClass = isBlocks ? 0 : lowClassOf(workspace, from, length, classShift);
      const own = isBlocks ? [stateKinds.none, stateKinds.last] : [stateKinds.none, stateKinds.lowest, stateKinds.last];
      for (const state of own) {
        const shape = { state, known, classShift, lowClass };
        if (isWorth(shape, length)) shapes.push(shape);
      }
    }
  }
  return shapes;
}

/** Whether there are enough symbols to learn so many contexts from. */
function isWorth(shape: ContextShape, length: number): boolean {
  return contextsIn(shape) * symbolsOfContext <= length;
}

const symbolsOfContext = 64;

/** The class that is 15 below the highest one that is not rare. */
function lowClassOf({ kernels, counters, at }: Workspace, from: number, length: number, shift: number): number {
  const seen = Math.min(length, sampleSymbols);
  kernels.laneCounts(at.counters, from, seen);
  let above = 0;
  for (let byte = 255; byte > 0; byte -= 1) {
    for (let lane = 0; lane < 4; lane += 1) above += counters[256 * lane + byte] ?? 0;
    if (above > seen / 1024) return Math.max((byte >> shift) - 15, 0);
  }
  return 0;
}

function countShape(workspace: Workspace, place: ContextPlace, shape: ContextShape, length: number): void {
  countWith(workspace, place, shape, { tables: contextsIn(shape), length });
}

/** Counts the first symbols by their contexts, or by the tables of these. */
function countWith(
  workspace: Workspace,
  place: ContextPlace,
  shape: ContextShape,
  options: { readonly tableOf?: Uint8Array; readonly tables: number; readonly length: number },
): void {
  const { kernels, contextCounts, at } = workspace;
  const { tables, length } = options;
  contextCounts.fill(0, 0, 256 * tables);
  findContexts(workspace, place, shape, options);
  kernels.countContexts(at.contextCounts, at.contexts, place.from, length);
}

function findContexts(
  workspace: Workspace,
  place: ContextPlace,
  shape: ContextShape,
  { tableOf, length }: { readonly tableOf?: Uint8Array; readonly length: number },
): void {
  const { kernels, at } = workspace;
  setTables(workspace, shape, place.bits, tableOf);
  kernels.findContexts(at.next, at.map, knownAt(workspace, place, shape, length), place.from, length, at.contexts);
}

function setTables({ kernels, nexts, at }: Workspace, shape: ContextShape, bits: number, tableOf?: Uint8Array): void {
  kernels.bytes.set(contextNext(nexts, shape.state, bits), at.next);
  setContextMap(kernels.bytes.subarray(at.map, at.map + contextMapBytes), shape, tableOf);
}

/** Where what is known lies; bytes of 0 where that is nothing. */
function knownAt(
  { kernels, at }: Workspace,
  { knowns }: ContextPlace,
  { known }: ContextShape,
  length: number,
): number {
  const from = known === knownNothing ? undefined : knowns.get(known);
  if (from === undefined) kernels.bytes.fill(0, at.nothing, at.nothing + length);
  return from ?? at.nothing;
}

/** Writes a stream as planned to `to`; the end of it. */
export function writeContexts(workspace: Workspace, place: ContextPlace, plan: ContextPlan, to: number): number {
  const { kernels, at } = workspace;
  const { model, isAgain } = plan;
  const { length } = place;
  kernels.bytes[to] = isAgain ? contextModes.again : contextModes.coded;
  const sizesAt = isAgain ? to + 1 : writeStreamModel(kernels.bytes, model, to + 1);
  for (const [table, weights] of model.weights.entries()) {
    putWeights(workspace, weights);
    kernels.makeContextEncodeTable(at.weights, at.tables + table * contextEncodeTableBytes);
  }
  findContexts(workspace, place, model.shape, { tableOf: model.tableOf, length });
  const end = kernels.encodeContexts(at.tables, at.contexts, place.from, length, at.coded, at.sizes);
  const sizes = new DataView(kernels.bytes.buffer, kernels.bytes.byteOffset + at.sizes, 16);
  for (let lane = 0; lane < 4; lane += 1) {
    const size = sizes.getUint32(4 * lane, true);
    kernels.bytes[sizesAt + 3 * lane] = size & 255;
    kernels.bytes[sizesAt + 3 * lane + 1] = (size >> 8) & 255;
    kernels.bytes[sizesAt + 3 * lane + 2] = size >> 16;
  }
  kernels.copyRange(at.coded, end - at.coded, sizesAt + laneSizesBytes);
  return sizesAt + laneSizesBytes + end - at.coded;
}

export const contextModes = { coded: 4, again: 5 } as const;

/** Reads symbols from lanes at `from` to where the stream lies; a text that says why not. */
export function readContexts(
  workspace: Workspace,
  place: ContextPlace,
  model: StreamModel,
  { from, lanes }: { readonly from: number; readonly lanes: readonly [number, number, number, number] },
): string | undefined {
  const { kernels, at } = workspace;
  const { shape } = model;
  if (shape.known !== knownNothing && !place.knowns.has(shape.known))
    return `nothing is known of stream ${shape.known}`;
  for (const [table, weights] of model.weights.entries()) {
    putWeights(workspace, weights);
    kernels.makeContextDecodeTable(at.weights, at.tables + table * contextDecodeTableBytes);
  }
  setTables(workspace, shape, place.bits, model.tableOf);
  const known = knownAt(workspace, place, shape, place.length);
  return kernels.decodeContexts(at.tables, at.next, at.map, known, from, lanes, place.from, place.length)
    ? undefined
    : 'its lanes do not end where their symbols do';
}

function putWeights({ kernels, at }: Workspace, weights: Uint16Array): void {
  kernels.bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength), at.weights);
}
