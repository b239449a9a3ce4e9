/** Models of the parts of a segment: made of what is to be coded, and made ready to code or to read. */
import { contextCountsBytes, contextDecodeTableBytes, contextEncodeTableBytes, contextStates } from '@mbk/kernels';
import { type Clusters, clusterContexts } from '../context/cluster.ts';
import { type ContextModel, contextsOf, type ContextShape, mapOf } from '../context/model.ts';
import { mostTables } from '../context/tables.ts';
import { setWeights } from '../context/weights.ts';
import { classify } from './items.ts';
import { type Part, symbolsOf } from './parts.ts';
import type { DeltaWorkspace } from './workspace.ts';

/** Items of a part that are differences: their symbols are where this says, and the items of the base beside them. */
export interface Differences {
  readonly part: Part;
  readonly count: number;
  readonly symbols: number;
}

/** How contexts are found, and which share a table. */
export interface Fit extends Clusters {
  readonly shape: ContextShape;
}

/** Chooses contexts and counts the symbols in them. Leaves the context of each in the workspace. */
export function fit(workspace: DeltaWorkspace, differences: Differences): Fit {
  const { kernels, at, counters } = workspace;
  const { part, count, symbols } = differences;
  const shape = shapeFor(workspace, differences);
  const contexts = contextsOf(shape);
  kernels.bytes.set(nextFor(workspace, part, shape.gain), at.next);
  kernels.bytes.set(mapOf(shape), at.map);
  classify(workspace, part, count, shape.lowClass);
  kernels.findContexts(at.next, at.map, at.classes, symbols, count, at.contexts);
  kernels.clearRange(at.counters, contextCountsBytes * contexts);
  kernels.countContexts(at.counters, at.contexts, symbols, count);
  kernels.sumCounts(at.counters, contexts, at.sums);
  const counted = { counts: counters, symbols: symbolsOf(part), sums: workspace.sums.subarray(0, contexts) };
  return { shape, ...clusterContexts(counted, mostTables) };
}

/** What a frame says of a fit. */
export function modelOf({ shape, tableOf, counts }: Fit): ContextModel {
  const weights = counts.map((each) => {
    const own = new Uint16Array(256);
    setWeights(each, own);
    return own;
  });
  return { shape, tableOf, weights };
}

/** Makes the tables to encode by, and of the contexts in the workspace those of the tables. */
export function readyToEncode(
  { kernels, at }: DeltaWorkspace,
  { tableOf, weights }: ContextModel,
  count: number,
): void {
  kernels.bytes.set(tableOf, at.joined);
  kernels.translate(at.contexts, count, at.joined);
  for (const [i, each] of weights.entries()) {
    kernels.bytes.set(bytesOf(each), at.weights);
    kernels.makeContextEncodeTable(at.weights, at.tables + i * contextEncodeTableBytes);
  }
}

/** Makes the tables to decode by, whose weights add up, and the classes of the items of the base. */
export function readyToDecode(
  workspace: DeltaWorkspace,
  part: Part,
  { shape, tableOf, weights }: ContextModel,
  count: number,
): void {
  const { kernels, at } = workspace;
  kernels.bytes.set(nextFor(workspace, part, shape.gain), at.next);
  kernels.bytes.set(mapOf(shape, tableOf), at.map);
  classify(workspace, part, count, shape.lowClass);
  for (const [i, each] of weights.entries()) {
    kernels.bytes.set(bytesOf(each), at.weights);
    kernels.makeContextDecodeTable(at.weights, at.tables + i * contextDecodeTableBytes);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function nextFor({ nexts }: DeltaWorkspace, part: Part, gain: number): Uint8Array {
  const next = nexts[part.kind === 'numbers' ? 'tokens' : 'symbols'][gain];
  if (next === undefined) throw new RangeError(`expected a gain of 0 to 2, got ${gain}`);
  return next;
}

/** Items that are looked at to choose a shape, in runs of so many. */
const runs = 8;
const runItems = 256;
/** Outliers that do not count. */
const outliers = 1 / 256;

const states = new Uint32Array(contextStates);
const exponents = new Uint32Array(4096);

/** Which classes and states tell most of these items apart, by a sample of them. */
function shapeFor(workspace: DeltaWorkspace, { part, count, symbols }: Differences): ContextShape {
  const gain = part.kind !== 'numbers' || part.size === 2 ? 2 : part.size === 4 ? 1 : 0;
  const next = nextFor(workspace, part, gain);
  const { bytes } = workspace.kernels;
  const exponentOf = exponentReader(workspace, part);
  const length = Math.min(runItems, Math.ceil(count / runs));
  states.fill(0);
  exponents.fill(0);
  for (let run = 0; run < runs; run += 1) {
    const start = Math.floor(((count - length) * run) / (runs - 1));
    let state = 0;
    for (let i = start; i < start + length; i += 1) {
      state = next[256 * state + (bytes[symbols + i] ?? 0)] ?? 0;
      states[state] = (states[state] ?? 0) + 1;
      const exponent = exponentOf(i);
      exponents[exponent] = (exponents[exponent] ?? 0) + 1;
    }
  }
  const few = Math.floor(runs * length * outliers);
  const least = pastFew(states, few, 1);
  const largest = pastFew(states, few, -1);
  let stateShift = 0;
  while ((largest >> stateShift) - (least >> stateShift) > 15) stateShift += 1;
  return {
    hasClasses: part.kind !== 'numbers' || part.isFloat,
    lowClass: Math.max(pastFew(exponents, few, -1) - 15, 0),
    hasStates: true,
    stateShift,
    lowState: Math.max((largest >> stateShift) - 15, 0),
    gain,
  };
}

/** The exponent of an item of the base, where its class is made of that. */
function exponentReader({ kernels: { bytes }, at }: DeltaWorkspace, part: Part): (item: number) => number {
  if (part.kind !== 'numbers' || !part.isFloat) return () => 0;
  const { size, exponent } = part;
  // All of it lies in the upper two bytes.
  const shift = exponent - 8 * (size - 2);
  return (item) => {
    const end = at.baseItems + size * (item + 1);
    return (((((bytes[end - 1] ?? 0) & 127) << 8) | (bytes[end - 2] ?? 0)) >> shift) & 4095;
  };
}

/** The first that was counted from one side, less `few`. */
function pastFew(counts: Uint32Array, few: number, step: 1 | -1): number {
  let sum = 0;
  let i = step === 1 ? 0 : counts.length - 1;
  while (i >= 0 && i < counts.length) {
    sum += counts[i] ?? 0;
    if (sum > few) return i;
    i += step;
  }
  return 0;
}
