/**
 * Codec 4: a recipe in place of bytes that were made of floats which are stored (docs/format.md, The derive codec). The
 * bases hold the floats; what the recipe gives otherwise is kept block by block. It works a segment at a time, so neither
 * the floats nor the bytes are ever in memory twice.
 *
 *   parameter offset  size  meaning
 *   0                 1     version: 1, or 2 where rows are in another order
 *   1                 1     source: type of the floats
 *   2                 1     recipe
 *   3                 4     where the first of them is in the bases, in version 2 the first group of rows
 *   7                 1     in version 2: order of the rows of a group
 *   8                 4     elements of a row
 *   12                4     rows of a group
 *   16                4     elements of the first group before the first
 *
 *   stored            size  meaning
 *   …                 4     number of a block that the recipe does not give, each larger than the one before
 *   …                 –     the block
 *   …                 –     the rest: what is no whole unit
 */
import type { Element } from '../chunker/piece.ts';
import { MbkError } from '../errors.ts';
import { viewOf } from '../format/bytes.ts';
import type { DecodeOptions, Encoded, FrameCodec, TakePart } from './frame-codec.ts';
import {
  blockBytesOf,
  blockElements,
  numberedRecipe,
  numberedSource,
  type Recipe,
  recipesFor,
  type Source,
  sourceOf,
} from './derive/recipe.ts';
import { orderedRows, type RowOrder, sourceBytes } from './derive/source-bytes.ts';
import { makeSegment, segmentElements, threadWorkspace, type Workspace } from './derive/workspace.ts';

export { probedDtype, probeElements, probeOf, probesOf } from './derive/probes.ts';
export { blockElements } from './derive/recipe.ts';
export type { RowOrder } from './derive/source-bytes.ts';

/** Versions of the parameters: without an order of rows, and with one. */
const versions = { plain: 1, ordered: 2 } as const;
const parameterBytes = { plain: 7, ordered: 20 } as const;
/** Where in the parameters the offset is. */
export const offsetAt = 3;
const kindAt = 7;
const rowAt = 8;
const groupAt = 12;
const skipAt = 16;
/** In parameters each has its place here as its number. */
export const orderKinds: readonly RowOrder['kind'][] = ['interleaved', 'parted'];
const numberBytes = 4;
const mostNumber = 0xffff_ffff;

/** What is kept may take this part of the bytes; more, and they were not made of this source. */
const mostKept = 1 / 32;
/** A recipe that does not give this part of the first of several segments is none of this tensor. */
const mostOfFirst = 1 / 2;

/** Floats that bytes may have been made of. */
export interface DeriveSource {
  /** A float type of 32 or 16 bits. */
  readonly dtype: string;
  /** They hold the elements one after the other; a cut between two may be anywhere. */
  readonly bases: readonly Uint8Array[];
  /** Where the first element is in all bytes of the bases, or the first group of rows that are in another order. */
  readonly offset: number;
  /** Of rows that another program put in this order. */
  readonly order?: RowOrder | undefined;
}

export const deriveReader: Pick<FrameCodec, 'number' | 'name' | 'decode' | 'decodeParts'> = {
  number: 4,
  name: 'derive',
  decode,
  decodeParts,
};

/**
 * The form of bytes that a recipe makes of `source`, compared bit for bit; undefined when none does, or keeping what
 * differs takes more than 1/32 of them. The element of `plain` that lies first is made of the source's first.
 */
export function encodeDerived(
  plain: Uint8Array,
  element: Element,
  source: DeriveSource,
  workspace: () => Workspace = threadWorkspace,
): Encoded | undefined {
  const { offset, order } = source;
  const floats = sourceOf(source.dtype);
  const isPlace = offset >= 0 && offset <= mostNumber;
  if (floats === undefined || !isPlace) return undefined;
  const plans = recipesFor(element.dtype)
    .map((recipe) => ({
      source: floats,
      recipe,
      units: Math.floor(plain.length / recipe.bytes),
      offset,
      order,
    }))
    .filter(
      (plan) => plan.recipe.bytes === element.unit && plan.units > 0 && isPlan(plan) && hasSource(plan, source.bases),
    );
  if (plans.length === 0) return undefined;
  const best = bestOf(plain, plans, { bases: source.bases, workspace: workspace() });
  if (best === undefined) return undefined;
  return { stored: kept(plain, best.plan.recipe, best.exceptions), parameters: encodeParameters(best.plan) };
}

/**
 * Whether `encoded` with these bases gives `plain`: decoded a segment at a time, so that nothing is allocated. Errors: as
 * those of decoding.
 */
export function derivedGives(
  plain: Uint8Array,
  { stored, parameters }: Encoded,
  { bases, what }: Pick<DecodeOptions, 'bases' | 'what'>,
): boolean {
  return decodeTo(stored, { plainLength: plain.length, parameters, bases, what }, (bytes, offset) => {
    return Buffer.compare(bytes, plain.subarray(offset, offset + bytes.length)) === 0;
  });
}

interface Trial {
  readonly bases: readonly Uint8Array[];
  /** Bytes that may be kept. */
  readonly room: number;
  readonly workspace: Workspace;
}

interface Found {
  readonly plan: Plan;
  readonly exceptions: readonly number[];
}

/** The plan that keeps least, of equals the first; undefined when all keep too much. */
function bestOf(plain: Uint8Array, plans: readonly Plan[], trial: Omit<Trial, 'room'>): Found | undefined {
  let room = Math.floor(plain.length * mostKept);
  // Most often one gives all: then the first difference ends the trial of another.
  for (const plan of plans) {
    const least = keptBytes(plain, plan, 0);
    const exceptions = least > room ? undefined : exceptionsOf(plain, plan, { ...trial, room: least });
    if (exceptions !== undefined) return { plan, exceptions };
  }
  let best: Found | undefined;
  for (const plan of plans) {
    const exceptions = exceptionsOf(plain, plan, { ...trial, room });
    if (exceptions === undefined) continue;
    best = { plan, exceptions };
    room = keptBytes(plain, plan, exceptions.length) - 1;
  }
  return best;
}

/** How all units of a frame are made. */
interface Plan {
  readonly source: Source;
  readonly recipe: Recipe;
  readonly units: number;
  readonly offset: number;
  readonly order: RowOrder | undefined;
}

/** Whether a plan makes something else of its source, and the rows of an order are whole blocks. */
function isPlan({ source, recipe, order }: Pick<Plan, 'source' | 'recipe' | 'order'>): boolean {
  if (order === undefined) return source.dtype !== recipe.dtype;
  const { elements, rows, skip } = order;
  const isInNumbers = [elements, rows, skip].every((number) => number >= 0 && number <= mostNumber);
  const isWhole = elements > 0 && elements % blockElements === 0 && skip % recipe.elements === 0;
  return isInNumbers && isWhole && rows > 0 && rows % 2 === 0;
}

function hasSource({ source, recipe, units, offset, order }: Plan, bases: readonly Uint8Array[]): boolean {
  const bytes = bases.reduce((sum, { length }) => sum + length, 0);
  const elements = (order?.skip ?? 0) + units * recipe.elements;
  const group = (order?.elements ?? 1) * (order?.rows ?? 1);
  return offset + Math.ceil(elements / group) * group * source.bytes <= bytes;
}

interface Segment {
  /** As the recipe makes it; it may be changed. */
  readonly bytes: Uint8Array;
  /** Where it begins in the frame. */
  readonly offset: number;
}

/** All units of a frame as they are made, segment by segment, each in memory that holds until the next. */
function* segmentsOf(plan: Plan, bases: readonly Uint8Array[], workspace: Workspace): Generator<Segment> {
  const { recipe, source, offset, order } = plan;
  const from = order === undefined ? sourceBytes(bases, offset) : orderedRows(bases, offset, order, source.bytes);
  const most = segmentElements / recipe.elements;
  for (let done = 0; done < plan.units; done += most) {
    const units = Math.min(most, plan.units - done);
    yield { bytes: makeSegment(workspace, from, { source, recipe, units }), offset: done * recipe.bytes };
  }
}

/** The blocks that a recipe does not give; undefined when keeping them takes more than `room`. */
function exceptionsOf(plain: Uint8Array, plan: Plan, trial: Trial): readonly number[] | undefined {
  const blockBytes = blockBytesOf(plan.recipe);
  const exceptions: number[] = [];
  if (keptBytes(plain, plan, 0) > trial.room) return undefined;
  for (const { bytes, offset } of segmentsOf(plan, trial.bases, trial.workspace)) {
    const wanted = plain.subarray(offset, offset + bytes.length);
    if (Buffer.compare(bytes, wanted) === 0) continue;
    for (let at = 0; at < bytes.length; at += blockBytes) {
      if (!isSame(bytes, wanted, at, Math.min(at + blockBytes, bytes.length))) {
        exceptions.push((offset + at) / blockBytes);
      }
    }
    if (keptBytes(plain, plan, exceptions.length) > trial.room) return undefined;
    const isFirst = offset === 0 && bytes.length < plan.units * plan.recipe.bytes;
    if (isFirst && exceptions.length * blockBytes > bytes.length * mostOfFirst) return undefined;
  }
  return exceptions;
}

/** Bytes of so many blocks with their numbers, and of the rest. */
function keptBytes(plain: Uint8Array, { recipe, units }: Plan, blocks: number): number {
  return blocks * (numberBytes + blockBytesOf(recipe)) + plain.length - units * recipe.bytes;
}

function isSame(a: Uint8Array, b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function kept(plain: Uint8Array, recipe: Recipe, exceptions: readonly number[]): Uint8Array {
  const blockBytes = blockBytesOf(recipe);
  const end = plain.length - (plain.length % recipe.bytes);
  const parts = exceptions.flatMap((block) => {
    const number = new Uint8Array(numberBytes);
    viewOf(number).setUint32(0, block, true);
    return [number, plain.subarray(block * blockBytes, Math.min((block + 1) * blockBytes, end))];
  });
  return Uint8Array.from(Buffer.concat([...parts, plain.subarray(end)]));
}

function decode(stored: Uint8Array, options: DecodeOptions, workspace = threadWorkspace): Uint8Array {
  let plain: Uint8Array | undefined;
  decodeTo(
    stored,
    options,
    (bytes, offset) => {
      // When the first part is there, parameters and bases are known to be right.
      plain ??= new Uint8Array(options.plainLength);
      plain.set(bytes, offset);
      return true;
    },
    workspace,
  );
  return plain ?? new Uint8Array(options.plainLength);
}

function decodeParts(stored: Uint8Array, options: DecodeOptions, take: TakePart): void {
  decodeTo(stored, options, (bytes, offset) => {
    take(bytes, offset);
    return true;
  });
}

/** Hands all bytes of a frame to `take`, part by part, until it says false. */
function decodeTo(
  stored: Uint8Array,
  { plainLength, parameters, bases = [], what }: DecodeOptions,
  take: (bytes: Uint8Array, offset: number) => boolean,
  workspace = threadWorkspace,
): boolean {
  const plan = decodeParameters(parameters, plainLength, what);
  if (!hasSource(plan, bases)) throw malformed(what, 'its bases do not hold what it is made of');
  const end = plan.units * plan.recipe.bytes;
  const exceptions = exceptionReader(stored, { plan, what, end: stored.length - (plainLength - end) });
  for (const { bytes, offset } of segmentsOf(plan, bases, workspace())) {
    exceptions.apply(bytes, offset);
    if (!take(bytes, offset)) return false;
  }
  return take(stored.subarray(exceptions.end()), end);
}

/** Reads the blocks that are kept, one segment after the other. */
function exceptionReader(
  stored: Uint8Array,
  { plan, what, end }: { readonly plan: Plan; readonly what: string; readonly end: number },
): { apply(bytes: Uint8Array, offset: number): void; end(): number } {
  if (end < 0) throw malformed(what, `it ends ${-end} bytes early`);
  const blockBytes = blockBytesOf(plan.recipe);
  const all = plan.units * plan.recipe.bytes;
  const view = viewOf(stored);
  let position = 0;
  let last = -1;
  /** Where the next block begins in the frame; infinite when there is none. */
  const next = (): number => {
    if (position === end) return Infinity;
    if (position + numberBytes > end) throw malformed(what, 'a number of a block is cut');
    const block = view.getUint32(position, true);
    if (block <= last || block * blockBytes >= all) throw malformed(what, `block ${block} after block ${last}`);
    return block * blockBytes;
  };
  return {
    apply(bytes, offset) {
      for (let start = next(); start < offset + bytes.length; start = next()) {
        const from = position + numberBytes;
        const length = Math.min(blockBytes, all - start);
        if (from + length > end) throw malformed(what, 'a block is cut');
        bytes.set(stored.subarray(from, from + length), start - offset);
        last = start / blockBytes;
        position = from + length;
      }
    },

    end() {
      if (position !== end) throw malformed(what, `${end - position} bytes are left`);
      return end;
    },
  };
}

function encodeParameters({ source, recipe, offset, order }: Plan): Uint8Array {
  const kind = order === undefined ? 'plain' : 'ordered';
  const parameters = new Uint8Array(parameterBytes[kind]);
  const view = viewOf(parameters);
  parameters.set([versions[kind], source.number, recipe.number]);
  view.setUint32(offsetAt, offset, true);
  if (order !== undefined) {
    view.setUint8(kindAt, orderKinds.indexOf(order.kind));
    view.setUint32(rowAt, order.elements, true);
    view.setUint32(groupAt, order.rows, true);
    view.setUint32(skipAt, order.skip, true);
  }
  return parameters;
}

function decodeParameters(parameters: Uint8Array, plainLength: number, what: string): Plan {
  const [given, from = -1, number = -1] = parameters;
  if (given !== versions.plain && given !== versions.ordered) {
    throw malformed(what, `its parameters have version ${given ?? 'none'}`);
  }
  const kind = given === versions.ordered ? 'ordered' : 'plain';
  if (parameters.length !== parameterBytes[kind]) {
    throw malformed(what, `its parameters have ${parameters.length} bytes`);
  }
  const view = viewOf(parameters);
  const order = kind === 'plain' ? undefined : decodeOrder(view, what);
  const source = numberedSource(from);
  const recipe = numberedRecipe(number);
  if (source === undefined || recipe === undefined || !isPlan({ source, recipe, order })) {
    throw malformed(what, `recipe ${number} of source ${from}${order === undefined ? '' : ' with rows in an order'}`);
  }
  return {
    source,
    recipe,
    units: Math.floor(plainLength / recipe.bytes),
    offset: view.getUint32(offsetAt, true),
    order,
  };
}

function decodeOrder(parameters: DataView, what: string): RowOrder {
  const at = (offset: number): number => parameters.getUint32(offset, true);
  const kind = orderKinds[parameters.getUint8(kindAt)];
  if (kind === undefined) throw malformed(what, `its rows are in order ${parameters.getUint8(kindAt)}`);
  return { kind, elements: at(rowAt), rows: at(groupAt), skip: at(skipAt) };
}

function malformed(what: string, why: string): MbkError {
  return new MbkError('value-invalid', `${what} is no derived frame: ${why}`);
}
