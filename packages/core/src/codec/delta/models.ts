/** The models of the parts of a frame: made of what is to be coded, and made ready to code or to read. */
import { contextDecodeTableBytes, contextEncodeTableBytes, contextNextBytes } from '@mbk/kernels';
import { clusterContexts } from '../context/cluster.ts';
import {
  classMapBytes,
  type ContextModel,
  contextsOf,
  type ContextShape,
  lengthOfSymbol,
  lengthOfToken,
  mostTables,
  setMap,
  setNext,
} from '../context/model.ts';
import { setWeights } from '../context/weights.ts';
import { classify, differ, gather, gatheredBytes } from './items.ts';
import { type Part, type Parts, symbolsOf } from './parts.ts';
import { loadSegment, segmentsOf } from './segments.ts';
import { type DeltaWorkspace, mostTablesInAll } from './workspace.ts';

/** A model as the kernels take it. */
export interface ReadyModel {
  readonly next: Uint8Array;
  readonly map: Uint8Array;
  /** Where its tables are. */
  readonly tables: number;
  readonly lowClass: number;
}

/** How symbols are grouped by how long they are; one for each kind of part and gain. */
const nexts = new Map<string, Uint8Array>();

function nextFor(part: Part, gain: number): Uint8Array {
  const key = `${part.kind === 'numbers' ? 'tokens' : 'symbols'} ${gain}`;
  let next = nexts.get(key);
  if (next === undefined) {
    next = new Uint8Array(contextNextBytes);
    setNext(next, part.kind === 'numbers' ? lengthOfToken : lengthOfSymbol, gain);
    nexts.set(key, next);
  }
  return next;
}

function mapFor(shape: ContextShape, tableOf?: Uint8Array): Uint8Array {
  const map = new Uint8Array(classMapBytes);
  setMap(map, shape, tableOf);
  return map;
}

/**
 * Makes the tables of models, in which `undefined` stands for a part that has none. There are no more than
 * `mostTablesInAll`, and the weights of each add up.
 */
export function readyModels(
  workspace: DeltaWorkspace,
  parts: Parts,
  models: readonly (ContextModel | undefined)[],
  purpose: 'encode' | 'decode',
): readonly (ReadyModel | undefined)[] {
  const { kernels, at } = workspace;
  let table = at.tables;
  return models.map((model, i) => {
    const part = parts.parts[i];
    if (model === undefined || part === undefined) return undefined;
    const tables = table;
    for (const weights of model.weights) {
      kernels.bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength), at.weights);
      if (purpose === 'encode') kernels.makeContextEncodeTable(at.weights, table);
      else kernels.makeContextDecodeTable(at.weights, table);
      table += purpose === 'encode' ? contextEncodeTableBytes : contextDecodeTableBytes;
    }
    const { shape, tableOf } = model;
    return { next: nextFor(part, shape.gain), map: mapFor(shape, tableOf), tables, lowClass: shape.lowClass };
  });
}

/** The model of a part of a frame; undefined when none of its items differs from that of the base. */
export function fitModel(
  workspace: DeltaWorkspace,
  parts: Parts,
  part: Part,
  { plain, base }: { readonly plain: Uint8Array; readonly base: Uint8Array },
): ContextModel | undefined {
  const { kernels, at, counters } = workspace;
  const { unit } = parts;
  let shape: ContextShape | undefined;
  for (const segment of segmentsOf(plain.length, parts)) {
    const { units } = segment;
    gather(workspace, part, unit, units, loadSegment(workspace, plain, segment, { unit, region: 'plain' }), at.items);
    gather(workspace, part, unit, units, loadSegment(workspace, base, segment, { unit, region: 'base' }), at.baseItems);
    if (kernels.equalRanges(at.items, at.baseItems, gatheredBytes(part, units))) continue;
    const count = units * part.items;
    const symbols = differ(workspace, part, count);
    if (shape === undefined) {
      shape = shapeFor(workspace, part, count, symbols);
      startCounting(workspace, part, shape);
    }
    countItems(workspace, part, count, symbols, shape);
  }
  if (shape === undefined) return undefined;
  const { tableOf, counts } = clusterContexts(counters, {
    contexts: contextsOf(shape),
    symbols: symbolsOf(part),
    most: Math.min(mostTables, Math.floor(mostTablesInAll / parts.parts.length)),
  });
  const weights = counts.map((each) => {
    const own = new Uint16Array(256);
    setWeights(each, own);
    return own;
  });
  return { shape, tableOf, weights };
}

/** Makes the counters 0, and contexts those of a shape. */
export function startCounting({ kernels, at, counters }: DeltaWorkspace, part: Part, shape: ContextShape): void {
  kernels.bytes.set(nextFor(part, shape.gain), at.next);
  kernels.bytes.set(mapFor(shape), at.map);
  counters.fill(0);
}

/** Counts the symbols of items in the contexts of that shape. */
export function countItems(
  workspace: DeltaWorkspace,
  part: Part,
  count: number,
  symbols: number,
  { lowClass }: ContextShape,
): void {
  const { kernels, at } = workspace;
  classify(workspace, part, count, lowClass);
  kernels.findContexts(at.next, at.map, at.classes, symbols, count, at.contexts);
  kernels.countContexts(at.counters, at.contexts, symbols, count);
}

/** Items that are looked at to choose a shape, in runs of so many. */
const runs = 8;
const runItems = 512;
/** Outliers that do not count. */
const outliers = 1 / 256;

/** Which classes and states tell most of these items apart, by a sample of them. */
export function shapeFor(workspace: DeltaWorkspace, part: Part, count: number, symbols: number): ContextShape {
  const gain = part.kind !== 'numbers' || part.size === 2 ? 2 : part.size === 4 ? 1 : 0;
  const states = new Uint32Array(64);
  const exponents = new Uint32Array(4096);
  const next = nextFor(part, gain);
  const { bytes } = workspace.kernels;
  const exponentOf = exponentReader(workspace, part);
  const length = Math.min(runItems, Math.ceil(count / runs));
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
  const [least, largest] = spanOf(states, few);
  let stateShift = 0;
  while ((largest >> stateShift) - (least >> stateShift) > 15) stateShift += 1;
  return {
    hasClasses: part.kind !== 'numbers' || part.isFloat,
    lowClass: Math.max(spanOf(exponents, few)[1] - 15, 0),
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
  // All exponents lie in the upper two bytes.
  const shift = exponent - 8 * (size - 2);
  return (item) => {
    const end = at.baseItems + size * (item + 1);
    return (((((bytes[end - 1] ?? 0) & 127) << 8) | (bytes[end - 2] ?? 0)) >> shift) & 4095;
  };
}

/** The least and the largest of what was counted, less `few` on each side. */
function spanOf(counts: Uint32Array, few: number): readonly [least: number, largest: number] {
  let below = 0;
  const least = counts.findIndex((count) => (below += count) > few);
  let above = 0;
  const largest = counts.findLastIndex((count) => (above += count) > few);
  return [Math.max(least, 0), Math.max(largest, 0)];
}
