/**
 * Codec 2: the elements of a tensor in streams of like bytes, each stored, constant, Huffman-coded or coded with contexts
 * (docs/format.md, The tensor codec). It works in memory that each thread keeps for it, a segment at a time.
 *
 *   parameter offset  size  meaning
 *   0                 1     version, 1 or 2
 *   1                 1     transform
 *   2                 1     version 2: order, from how many numbers a number is foretold; else 0
 *   3                 2     version 2: how many numbers these lie apart; else 0
 *   2 or 5            2n    transform 0 only: widths of its fields
 */
import type { Element } from '../chunker/piece.ts';
import { viewOf } from '../format/bytes.ts';
import type { DecodeOptions, Encoded, FrameCodec, TakePart } from './frame-codec.ts';
import { setBlockClasses } from './tensor/block-classes.ts';
import { knownOfBlocks } from './tensor/context-shape.ts';
import { mostValues, paletteIn } from './tensor/palette.ts';
import { isUsable, mostOrder, type TensorPlan } from './tensor/plan.ts';
import {
  type CodedBytes,
  malformed,
  readStream,
  type StreamState,
  streamState,
  type StreamPlace,
  take as takeBytes,
  writeStream,
} from './tensor/stream.ts';
import {
  fieldsOf,
  isForeteller,
  join,
  mostTransformOfVersion1,
  numbered,
  paletteTransform,
  paletteUnitOf,
  split,
  type Transform,
  transformOf,
  transforms,
} from './tensor/transform.ts';
import { alignedAs, mostPlainBytes, segmentBytes, threadWorkspace, type Workspace } from './tensor/workspace.ts';

const number = 2;
const name = 'tensor';

/** Reads what any of them wrote. */
export const tensorReader: Pick<FrameCodec, 'number' | 'name' | 'decode' | 'decodeParts'> = {
  number,
  name,
  decode,
  decodeParts,
};

/**
 * The codec for frames of these elements; undefined when there is none. What it encodes lies in memory of this thread
 * and holds until the next frame is encoded or read. Frames of more than 4 MiB are a RangeError.
 */
export function tensorCodec(element: Element, workspace: () => Workspace = threadWorkspace): FrameCodec | undefined {
  const transform = transformOf(element);
  return transform && plannedCodec({ transform, contexts: false, order: 0, distance: 0 }, workspace);
}

/** The same, by a plan. */
export function plannedCodec(plan: TensorPlan, workspace: () => Workspace = threadWorkspace): FrameCodec {
  return {
    number,
    name,
    encode: (plain) => encode(plain, plan, workspace()),
    decode: (stored, options) => decode(stored, options, workspace),
    gives: (plain, { stored, parameters }, what) => gives(plain, stored, { parameters, what }, workspace()),
  };
}

function encode(plain: Uint8Array, plan: TensorPlan, workspace: Workspace): Encoded {
  if (plain.length > mostPlainBytes)
    throw new RangeError(`expected at most ${mostPlainBytes} bytes, got ${plain.length}`);
  const { kernels, at } = workspace;
  const { transform } = plan;
  const states = transform.streams.map(() => streamState());
  let to = writePalette(kernels.bytes, transform, at.frame);
  let done = 0;
  let before: number | undefined;
  for (const units of segmentsOf(plain.length, transform.unit)) {
    const end = done + units * transform.unit;
    const segment = plain.subarray(done, end);
    const from = alignedAs(segment, at.plain);
    keepHistory(workspace, plan, { before, from });
    kernels.bytes.set(segment, from);
    to = isForeteller(transform)
      ? writeForetold(workspace, plan, { units, from, state: states[0] ?? streamState(), to })
      : writeStreams(workspace, plan, { units, from, states, to });
    before = from + segment.length;
    done = end;
  }
  kernels.bytes.set(plain.subarray(done), to);
  to += plain.length - done;
  return { stored: kernels.bytes.subarray(at.frame, to), parameters: encodeParameters(plan) };
}

/** The values that units are some of, where a transform has such; the end of them. */
function writePalette(bytes: Uint8Array, { parts: [part] }: Transform, to: number): number {
  if (part?.kind !== 'palette') return to;
  const { unit, values } = part.palette;
  bytes[to] = values.length / unit - 1;
  bytes.set(values, to + 1);
  return to + 1 + values.length;
}

/** The transform with the values that the frame begins with. */
function readPalette(coded: CodedBytes, unit: number): Transform {
  const count = (takeBytes(coded, 1)[0] ?? 0) + 1;
  const palette = paletteIn(takeBytes(coded, count * unit).slice(), unit);
  if (palette === undefined) throw malformed(coded, `its ${count} values do not rise`);
  return paletteTransform(palette);
}

/** Throws unless each symbol of a segment is one of the values of a palette. */
function checkIndexes(
  { kernels, at }: Workspace,
  { parts: [part] }: Transform,
  units: number,
  coded: CodedBytes,
): void {
  if (part?.kind !== 'palette') return;
  const count = part.palette.values.length / part.palette.unit;
  if (count < mostValues && kernels.bytes.subarray(at.planes, at.planes + units).some((index) => index >= count))
    throw malformed(coded, `a unit is none of its ${count} values`);
}

interface SegmentStreams {
  readonly units: number;
  /** Where the segment lies. */
  readonly from: number;
  readonly states: readonly StreamState[];
}

function writeStreams(
  workspace: Workspace,
  { transform, contexts }: TensorPlan,
  { units, from, states, to }: SegmentStreams & { readonly to: number },
): number {
  split(transform, units, workspace, from);
  let end = to;
  for (const [i, place] of placesOf(workspace, transform, units, contexts).entries()) {
    if (contexts) classify(workspace, transform, units, i);
    end = writeStream(workspace, place, states[i] ?? streamState(), end);
  }
  return end;
}

function readStreams(
  workspace: Workspace,
  { transform, contexts }: TensorPlan,
  { units, from, states, coded }: SegmentStreams & { readonly coded: CodedBytes },
): void {
  for (const [i, place] of placesOf(workspace, transform, units, contexts).entries()) {
    if (contexts) classify(workspace, transform, units, i);
    readStream(workspace, coded, states[i] ?? streamState(), place);
  }
  checkIndexes(workspace, transform, units, coded);
  join(transform, units, workspace, from);
}

interface ForetoldSegment {
  readonly units: number;
  readonly from: number;
  readonly state: StreamState;
}

/** Tokens as a stream, and behind them the rests of all numbers. */
function writeForetold(
  workspace: Workspace,
  { transform, contexts, order, distance }: TensorPlan,
  { units, from, state, to }: ForetoldSegment & { readonly to: number },
): number {
  const { kernels, at } = workspace;
  const { size, isFloat } = numbersOf(transform);
  const z = at.planes + tokensRoom(units);
  kernels.differRows(from, units, size, distance, order, isFloat, z, at.planes);
  const [place] = placesOf(workspace, transform, units, contexts);
  const end = place === undefined ? to : writeStream(workspace, place, state, to);
  return size === 2 ? kernels.writeRest16(z, at.planes, units, end) : kernels.writeRest32(z, at.planes, units, end);
}

function readForetold(
  workspace: Workspace,
  { transform, contexts, order, distance }: TensorPlan,
  { units, from, state, coded }: ForetoldSegment & { readonly coded: CodedBytes },
): void {
  const { kernels, at } = workspace;
  const { size, isFloat } = numbersOf(transform);
  const [place] = placesOf(workspace, transform, units, contexts);
  if (place !== undefined) readStream(workspace, coded, state, place);
  const most = 4 * (8 * size - 1);
  if (kernels.bytes.subarray(at.planes, at.planes + units).some((token) => token >= most))
    throw malformed(coded, `a number of ${8 * size} bits has a token of ${most} or more`);
  const rests = takeBytes(coded, Math.ceil(kernels.restBits(at.planes, units) / 8));
  // Kernels look a little beyond what they read.
  const rest = at.planes + tokensRoom(units);
  kernels.bytes.set(rests, rest);
  if (size === 2) kernels.readRest16(at.planes, units, rest, from);
  else kernels.readRest32(at.planes, units, rest, from);
  kernels.sumRows(from, units, size, distance, order, isFloat);
}

/** What the numbers of a foreteller are. */
function numbersOf({ unit, isFloat }: Transform): { readonly size: 2 | 4; readonly isFloat: boolean } {
  return { size: unit === 2 ? 2 : 4, isFloat: isFloat === true };
}

/** Tokens, and what kernels write beyond. */
function tokensRoom(units: number): number {
  return Math.ceil(units / 64) * 64 + 64;
}

/** Has what numbers are foretold from right before `from`: the end of the segment before, or zeros. */
function keepHistory(
  { kernels }: Workspace,
  { transform, order, distance }: TensorPlan,
  { before, from }: { readonly before: number | undefined; readonly from: number },
): void {
  const length = order * distance * transform.unit;
  if (length === 0) return;
  if (before === undefined) kernels.bytes.fill(0, from - length, from);
  else kernels.copyRange(before - length, length, from - length);
}

/** Works out what the scales of blocks say of their numbers, before these are coded. */
function classify({ kernels, at }: Workspace, { blocks, streams }: Transform, units: number, stream: number): void {
  if (blocks?.stream !== stream) return;
  let from = at.planes;
  const places = streams.map((bytes) => {
    from += bytes * units;
    return from - bytes * units;
  });
  setBlockClasses(kernels.bytes, blocks, { at: places, units, to: at.classes });
}

/** The units of each segment of `length` bytes; what is no whole unit stands behind the last. */
function* segmentsOf(length: number, unit: number): Generator<number> {
  const most = Math.floor(segmentBytes / unit);
  for (let left = Math.floor(length / unit); left > 0; left -= most) yield Math.min(left, most);
}

/** Where the streams of a segment of `units` units lie. */
function placesOf({ at }: Workspace, transform: Transform, units: number, contexts: boolean): StreamPlace[] {
  const { streams, isNarrow, bits, blocks } = transform;
  const places: StreamPlace[] = [];
  let from = at.planes;
  for (const [i, bytes] of streams.entries()) {
    const length = bytes * units;
    const knowns = new Map(places.flatMap((earlier, k) => (earlier.length === length ? [[k, earlier.from]] : [])));
    if (blocks?.stream === i) knowns.set(knownOfBlocks, at.classes);
    places.push({
      from,
      length,
      isNarrow: isNarrow[i] === true,
      contexts: contexts ? { from, length, bits: bits[i] ?? 8, knowns, isTokens: isForeteller(transform) } : undefined,
    });
    from += length;
  }
  return places;
}

function decode(stored: Uint8Array, options: DecodeOptions, workspace = threadWorkspace): Uint8Array {
  const plain = new Uint8Array(options.plainLength);
  decodeTo(stored, options, workspace(), (bytes, offset) => {
    plain.set(bytes, offset);
    return true;
  });
  return plain;
}

function decodeParts(stored: Uint8Array, options: DecodeOptions, take: TakePart): void {
  decodeTo(stored, options, threadWorkspace(), (bytes, offset) => {
    take(bytes, offset);
    return true;
  });
}

/** Whether `stored` is that of `plain`: decoded a segment at a time, so that nothing is allocated. */
function gives(
  plain: Uint8Array,
  stored: Uint8Array,
  options: Omit<DecodeOptions, 'plainLength'>,
  workspace: Workspace,
): boolean {
  return decodeTo(stored, { ...options, plainLength: plain.length }, workspace, (bytes, offset) => {
    return Buffer.compare(bytes, plain.subarray(offset, offset + bytes.length)) === 0;
  });
}

/** Hands all bytes of a frame to `take`, part by part, until it says false. */
function decodeTo(
  stored: Uint8Array,
  { plainLength, parameters, what }: DecodeOptions,
  workspace: Workspace,
  take: (bytes: Uint8Array, offset: number) => boolean,
): boolean {
  const { kernels, at } = workspace;
  const coded = { bytes: stored, position: 0, what };
  const said = decodeParameters(parameters, what);
  const valueBytes = paletteUnitOf(said.transform.number);
  const plan = valueBytes === undefined ? said : { ...said, transform: readPalette(coded, valueBytes) };
  const { transform } = plan;
  const states = transform.streams.map(() => streamState());
  let done = 0;
  let before: number | undefined;
  for (const units of segmentsOf(plainLength, transform.unit)) {
    // Frames are decoded to the start of an array.
    const from = alignedAs({ byteOffset: done }, at.plain);
    keepHistory(workspace, plan, { before, from });
    if (isForeteller(transform))
      readForetold(workspace, plan, { units, from, state: states[0] ?? streamState(), coded });
    else readStreams(workspace, plan, { units, from, states, coded });
    const length = units * transform.unit;
    if (!take(kernels.bytes.subarray(from, from + length), done)) return false;
    before = from + length;
    done += length;
  }
  if (stored.length - coded.position !== plainLength - done) {
    throw malformed(coded, `${stored.length - coded.position} bytes are left for ${plainLength - done}`);
  }
  return take(stored.subarray(coded.position), done);
}

const versions = { streams: 1, contexts: 2 } as const;
const headBytes: Readonly<Record<number, number>> = { 1: 2, 2: 5 };

function encodeParameters({ transform, contexts, order, distance }: TensorPlan): Uint8Array {
  const isFirst = !contexts && transform.number <= mostTransformOfVersion1;
  const version = isFirst ? versions.streams : versions.contexts;
  const head = headBytes[version] ?? 0;
  const widths = transform.parts.flatMap((part) =>
    transform.number === transforms.fields && part.kind === 'field' ? [part.width] : [],
  );
  const bytes = new Uint8Array(head + 2 * widths.length);
  const view = viewOf(bytes);
  bytes[0] = version;
  bytes[1] = transform.number;
  if (!isFirst) {
    bytes[2] = order;
    view.setUint16(3, distance, true);
  }
  for (const [i, width] of widths.entries()) view.setUint16(head + 2 * i, width, true);
  return bytes;
}

function decodeParameters(parameters: Uint8Array, what: string): TensorPlan {
  const [version = 0, transform = -1, order = 0] = parameters;
  const head = headBytes[version];
  if (head === undefined) throw malformed({ what }, `its parameters have version ${version}`);
  const refuse = (): never => {
    throw malformed({ what }, `transform ${transform} in ${parameters.length} bytes`);
  };
  if (parameters.length < head) return refuse();
  const view = viewOf(parameters);
  const widths = Array.from({ length: (parameters.length - head) >> 1 }, (_, i) => view.getUint16(head + 2 * i, true));
  const isFields = transform === transforms.fields;
  const known = isFields ? fieldsOf(widths) : numbered(transform);
  const isWhole = parameters.length === head + (isFields ? 2 * widths.length : 0);
  if (known === undefined || !isWhole) return refuse();
  if (version === versions.streams) {
    if (known.number > mostTransformOfVersion1) return refuse();
    return { transform: known, contexts: false, order: 0, distance: 0 };
  }
  const distance = view.getUint16(3, true);
  const isSound = isForeteller(known)
    ? order >= 1 && order <= mostOrder && isUsable(distance, known.unit)
    : order === 0 && distance === 0;
  if (!isSound) throw malformed({ what }, `numbers are foretold from ${order}, ${distance} apart`);
  return { transform: known, contexts: true, order, distance };
}
