/**
 * One stream of a segment, stored, constant or coded (docs/format.md, Frames and codecs):
 *
 *   size  meaning
 *   1     mode: 0 stored, 1 constant, 2 coded, 3 coded with the lengths that this stream had before; 4 and 5 with
 *         contexts (context-stream.ts)
 *   n     mode 0: the bytes
 *   1     mode 1: the byte
 *   1     mode 2: first symbol that has a code
 *   1     mode 2: last symbol that has a code
 *   …     mode 2: length of the code of each symbol from the first to the last, a nibble each, low half first
 *   12    modes 2 and 3: bytes of the four lanes, 3 each
 *   …     modes 2 and 3: the lanes
 */
import { contextLanesRoom, type StreamKernels } from '@mbk/kernels';
import { MbkError } from '../../errors.ts';
import { readStreamModel, type StreamModel } from './context-model.ts';
import { contextModes, type ContextPlace, planContexts, readContexts, writeContexts } from './context-stream.ts';
import { setCodeLengths } from './code-lengths.ts';
import { alignedAs, mostLaneBytes, type Workspace } from './workspace.ts';

export const modes = { stored: 0, constant: 1, coded: 2, codedAgain: 3 } as const;

/** Of a stream that is coded: what its segments before leave to those behind. */
export interface StreamState {
  /** The code lengths that were written or read last; those of no symbol at first. */
  readonly lengths: Uint8Array;
  /** Whether there are any. */
  hasLengths: boolean;
  /** The same of contexts. */
  model: StreamModel | undefined;
  /** Whether contexts did not pay in a segment before: then they are not tried again. */
  isWithout: boolean;
}

export function streamState(): StreamState {
  return { lengths: new Uint8Array(256), hasLengths: false, model: undefined, isWithout: false };
}

/** A coded stream must save this part of its bytes: reading it takes longer than copying. */
const leastSaving = 1 / 64;
/** Longer streams are tried by two samples of this many bytes first. */
const sampleBytes = 8192;
const sampleFrom = 4 * sampleBytes;
/** Old lengths are used again as long as they cost at most this part more than new ones: they need no new table. */
const againCosts = 1 / 256;

const counts = new Uint32Array(256);
const fresh = new Uint8Array(256);
const laneSizes: [number, number, number, number] = [0, 0, 0, 0];

export interface StreamPlace {
  /** Offset of its bytes in the workspace. */
  readonly from: number;
  /** How many; at least 1. */
  readonly length: number;
  readonly isNarrow: boolean;
  /** Where it may be coded with contexts. */
  readonly contexts?: ContextPlace | undefined;
}

/** Contexts must save this part of what a stream takes without: they are read at a third of the speed. */
const contextSaving = 1 / 256;
/** Shorter streams have no contexts. */
const leastContexts = 64;

/** Writes a stream to offset `to` of the workspace; the offset behind it. */
export function writeStream(
  workspace: Workspace,
  { from, length, isNarrow, contexts }: StreamPlace,
  state: StreamState,
  to: number,
): number {
  const { kernels } = workspace;
  const { bytes } = kernels;
  const coded = contexts && tryContexts(workspace, contexts, { isNarrow, state, to });
  if (coded !== undefined) return coded;
  // One that was coded in the segment before will be again.
  const isTried = isNarrow || state.hasLengths || length <= sampleFrom;
  if (!isTried && !samplePays(workspace, from, length)) return store(kernels, from, length, to);
  counts.fill(0);
  if (count(workspace, from, length) === 1) {
    bytes[to] = modes.constant;
    bytes[to + 1] = bytes[from] ?? 0;
    return to + 2;
  }
  setCodeLengths(counts, fresh);
  const freshBits = bitsOf(fresh) + 8 * lengthsBytes(fresh);
  const againBits = state.hasLengths ? bitsOf(state.lengths) : Infinity;
  const isAgain = againBits <= freshBits * (1 + againCosts);
  if (!isAgain) {
    state.lengths.set(fresh);
    state.hasLengths = true;
  }
  const codedBytes = sizeLanes(workspace, state.lengths) + sizesBytes + (isAgain ? 0 : lengthsBytes(fresh));
  if (!isNarrow && codedBytes > length * (1 - leastSaving)) {
    if (!isAgain) state.hasLengths = false;
    return store(kernels, from, length, to);
  }
  bytes[to] = isAgain ? modes.codedAgain : modes.coded;
  const sizesAt = isAgain ? to + 1 : writeLengths(bytes, state.lengths, to + 1);
  for (const [lane, size] of laneSizes.entries()) writeUint24(bytes, sizesAt + 3 * lane, size);
  return encode(workspace, state.lengths, from, length, sizesAt + sizesBytes);
}

/** Writes a stream with contexts where that saves; the end of it, or undefined. */
function tryContexts(
  workspace: Workspace,
  place: ContextPlace,
  { isNarrow, state, to }: { readonly isNarrow: boolean; readonly state: StreamState; readonly to: number },
): number | undefined {
  const { from, length } = place;
  if (length < leastContexts || state.isWithout) return undefined;
  counts.fill(0);
  if (count(workspace, from, length) === 1) return undefined;
  setCodeLengths(counts, fresh);
  const plain = Math.ceil(bitsOf(fresh) / 8) + 1 + sizesBytes;
  const without = isNarrow ? plain : Math.min(plain, length + 1);
  const plan = planContexts(workspace, place, state.model);
  state.isWithout = plan.bytes > without * (1 - contextSaving);
  if (state.isWithout) return undefined;
  state.model = plan.model;
  return writeContexts(workspace, place, plan, to);
}

/** Bytes of the sizes of lanes. */
const sizesBytes = 12;

function store(kernels: StreamKernels, from: number, length: number, to: number): number {
  kernels.bytes[to] = modes.stored;
  kernels.copyRange(from, length, to + 1);
  return to + 1 + length;
}

function samplePays(workspace: Workspace, from: number, length: number): boolean {
  counts.fill(0);
  const step = Math.floor(length / 4);
  count(workspace, from + step, sampleBytes);
  if (count(workspace, from + length - step, sampleBytes) === 1) return true;
  setCodeLengths(counts, fresh);
  return bitsOf(fresh) <= 8 * 2 * sampleBytes * (1 - leastSaving);
}

/** Adds the bytes of a range to `counts`, and leaves those of its quarters in the counters; how many differ. */
function count({ kernels, counters, at }: Workspace, from: number, length: number): number {
  kernels.laneCounts(at.counters, from, length);
  let kinds = 0;
  for (let symbol = 0; symbol < 256; symbol += 1) {
    const all =
      (counts[symbol] ?? 0) +
      (counters[symbol] ?? 0) +
      (counters[256 + symbol] ?? 0) +
      (counters[512 + symbol] ?? 0) +
      (counters[768 + symbol] ?? 0);
    counts[symbol] = all;
    if (all > 0) kinds += 1;
  }
  return kinds;
}

/** Bits of all that `counts` counts; infinite when something has no code. */
function bitsOf(lengths: Uint8Array): number {
  let bits = 0;
  for (let symbol = 0; symbol < 256; symbol += 1) {
    const times = counts[symbol] ?? 0;
    const length = lengths[symbol] ?? 0;
    if (times > 0 && length === 0) return Infinity;
    bits += times * length;
  }
  return bits;
}

/** Sets `laneSizes` by the counters; their sum. */
function sizeLanes({ counters }: Workspace, lengths: Uint8Array): number {
  let sum = 0;
  for (let lane = 0; lane < 4; lane += 1) {
    let bits = 0;
    for (let symbol = 0; symbol < 256; symbol += 1)
      bits += (counters[256 * lane + symbol] ?? 0) * (lengths[symbol] ?? 0);
    const size = Math.ceil(bits / 8);
    laneSizes[lane] = size;
    sum += size;
  }
  return sum;
}

function encode({ kernels, at }: Workspace, lengths: Uint8Array, from: number, length: number, to: number): number {
  kernels.bytes.set(lengths, at.lengths);
  kernels.makeEncodeTable(at.lengths, at.encodeTable);
  const quarter = Math.ceil(length / 4);
  const end = from + length;
  const [a, b, c] = [1, 2, 3].map((lane) => Math.min(from + lane * quarter, end)) as [number, number, number];
  const [to1, to2, to3] = [
    to + laneSizes[0],
    to + laneSizes[0] + laneSizes[1],
    to + laneSizes[0] + laneSizes[1] + laneSizes[2],
  ];
  kernels.encodeLanes(at.encodeTable, from, a, to, to1, a, b, to1, to2);
  kernels.encodeLanes(at.encodeTable, b, c, to2, to3, c, end, to3, to3 + laneSizes[3]);
  return to3 + laneSizes[3];
}

function firstOf(lengths: Uint8Array): number {
  return lengths.findIndex((length) => length > 0);
}

function lastOf(lengths: Uint8Array): number {
  return lengths.findLastIndex((length) => length > 0);
}

/** Bytes that the lengths take. */
function lengthsBytes(lengths: Uint8Array): number {
  return 2 + Math.ceil((lastOf(lengths) - firstOf(lengths) + 1) / 2);
}

function writeLengths(bytes: Uint8Array, lengths: Uint8Array, to: number): number {
  const first = firstOf(lengths);
  const last = lastOf(lengths);
  bytes[to] = first;
  bytes[to + 1] = last;
  let at = to + 2;
  for (let symbol = first; symbol <= last; symbol += 2) {
    bytes[at] = (lengths[symbol] ?? 0) | (symbol < last ? (lengths[symbol + 1] ?? 0) << 4 : 0);
    at += 1;
  }
  return at;
}

function writeUint24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255;
  bytes[at + 1] = (value >> 8) & 255;
  bytes[at + 2] = value >> 16;
}

/** Coded bytes that are read one part after the other. */
export interface CodedBytes {
  readonly bytes: Uint8Array;
  position: number;
  /** Names them in messages. */
  readonly what: string;
}

/** Reads a stream of `length` bytes to offset `to` of the workspace. Errors: `value-invalid`. */
export function readStream(
  workspace: Workspace,
  coded: CodedBytes,
  state: StreamState,
  { from: to, length, contexts }: StreamPlace,
): void {
  const { kernels } = workspace;
  const mode = take(coded, 1)[0] ?? 0;
  if ((mode === contextModes.coded || mode === contextModes.again) && contexts !== undefined) {
    decodeContexts(workspace, coded, state, contexts, mode);
    return;
  }
  switch (mode) {
    case modes.stored:
      kernels.copyRange(place(workspace, coded, length), length, to);
      return;
    case modes.constant:
      kernels.bytes.fill(take(coded, 1)[0] ?? 0, to, to + length);
      return;
    case modes.coded:
      readLengths(coded, state.lengths);
      state.hasLengths = true;
      break;
    case modes.codedAgain:
      if (!state.hasLengths) throw malformed(coded, 'a stream uses code lengths that none had before');
      break;
    default:
      throw malformed(coded, `a stream has mode ${mode}`);
  }
  decode(workspace, coded, state, to, length);
}

function decodeContexts(
  workspace: Workspace,
  coded: CodedBytes,
  state: StreamState,
  contexts: ContextPlace,
  mode: number,
): void {
  if (mode === contextModes.coded) {
    const read = readStreamModel(coded.bytes.subarray(coded.position));
    if (typeof read === 'string') throw malformed(coded, read);
    coded.position += read.length;
    state.model = read.model;
  }
  const { model } = state;
  if (model === undefined) throw malformed(coded, 'a stream uses contexts that none had before');
  const lanes = readSizes(coded);
  const total = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  // A byte and a half for each symbol, and the states.
  if (total > contextLanesRoom(contexts.length)) throw malformed(coded, `${contexts.length} symbols in ${total} bytes`);
  const from = place(workspace, coded, total);
  const problem = readContexts(workspace, contexts, model, { from, lanes });
  if (problem !== undefined) throw malformed(coded, problem);
}

function readSizes(coded: CodedBytes): readonly [number, number, number, number] {
  const sizes = take(coded, sizesBytes);
  const size = (lane: number): number =>
    (sizes[3 * lane] ?? 0) | ((sizes[3 * lane + 1] ?? 0) << 8) | ((sizes[3 * lane + 2] ?? 0) << 16);
  return [size(0), size(1), size(2), size(3)];
}

function decode(workspace: Workspace, coded: CodedBytes, state: StreamState, to: number, length: number): void {
  const { kernels, at } = workspace;
  const lanes = readSizes(coded);
  const total = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  if (total > mostLaneBytes(length)) throw malformed(coded, `${length} symbols in ${total} bytes`);
  const from = place(workspace, coded, total);
  kernels.bytes.set(state.lengths, at.lengths);
  const isComplete = kernels.makeDecodeTable(at.lengths, at.decodeTable);
  if (!isComplete) throw malformed(coded, 'its code lengths are not those of a complete code');
  const isShort = total * 8 < length * shortBits;
  if (!kernels.decodeLanes(at.decodeTable, from, lanes, to, length, isShort)) {
    throw malformed(coded, 'its lanes do not end where their symbols do');
  }
}

/** Bits of a symbol below which several are looked up at once. */
const shortBits = 4.5;

/** The offset in the workspace of the next `length` coded bytes, copied there unless they are there. */
function place({ kernels, at }: Workspace, coded: CodedBytes, length: number): number {
  const bytes = take(coded, length);
  if (bytes.buffer === kernels.bytes.buffer) return bytes.byteOffset - kernels.bytes.byteOffset;
  const from = alignedAs(bytes, at.coded);
  kernels.bytes.set(bytes, from);
  return from;
}

function readLengths(coded: CodedBytes, lengths: Uint8Array): void {
  const [first = 0, last = 0] = take(coded, 2);
  if (first >= last) throw malformed(coded, `codes from symbol ${first} to ${last}`);
  const nibbles = take(coded, Math.ceil((last - first + 1) / 2));
  lengths.fill(0);
  for (let symbol = first; symbol <= last; symbol += 1) {
    const i = symbol - first;
    lengths[symbol] = ((nibbles[i >> 1] ?? 0) >> (4 * (i & 1))) & 15;
  }
}

/** The next `length` bytes. */
export function take(coded: CodedBytes, length: number): Uint8Array {
  const { bytes, position } = coded;
  if (position + length > bytes.length)
    throw malformed(coded, `it ends ${position + length - bytes.length} bytes early`);
  coded.position = position + length;
  return bytes.subarray(position, position + length);
}

export function malformed({ what }: Pick<CodedBytes, 'what'>, why: string): MbkError {
  return new MbkError('value-invalid', `${what} is no tensor frame: ${why}`);
}
