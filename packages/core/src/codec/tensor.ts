/**
 * Codec 2: the elements of a tensor in streams of like bytes, each stored, constant or Huffman-coded (docs/format.md,
 * Frames and codecs). It works in memory that each thread keeps for it, a segment at a time.
 *
 *   parameter offset  size  meaning
 *   0                 1     version, 1
 *   1                 1     transform
 *   2                 2n    transform 0 only: widths of its fields
 */
import type { Element } from '../chunker/piece.ts';
import { viewOf } from '../format/bytes.ts';
import type { DecodeOptions, Encoded, FrameCodec, TakePart } from './frame-codec.ts';
import { malformed, readStream, streamState, type StreamPlace, writeStream } from './tensor/stream.ts';
import { fieldsOf, join, numbered, split, type Transform, transformOf, transforms } from './tensor/transform.ts';
import { alignedAs, mostPlainBytes, segmentBytes, threadWorkspace, type Workspace } from './tensor/workspace.ts';

const version = 1;
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
 * and holds until it encodes again. Frames of more than 4 MiB are a RangeError.
 */
export function tensorCodec(element: Element, workspace: () => Workspace = threadWorkspace): FrameCodec | undefined {
  const transform = transformOf(element);
  if (transform === undefined) return undefined;
  return {
    number,
    name,
    encode: (plain) => encode(plain, transform, workspace()),
    decode: (stored, options) => decode(stored, options, workspace),
    gives: (plain, { stored, parameters }, what) => gives(plain, stored, { parameters, what }, workspace()),
  };
}

function encode(plain: Uint8Array, transform: Transform, workspace: Workspace): Encoded {
  if (plain.length > mostPlainBytes)
    throw new RangeError(`expected at most ${mostPlainBytes} bytes, got ${plain.length}`);
  const { kernels, at } = workspace;
  const states = transform.streams.map(() => streamState());
  let to = at.stored;
  let done = 0;
  for (const units of segmentsOf(plain.length, transform.unit)) {
    const end = done + units * transform.unit;
    const segment = plain.subarray(done, end);
    const from = alignedAs(segment, at.plain);
    kernels.bytes.set(segment, from);
    split(transform, units, workspace, from);
    for (const [i, place] of placesOf(transform, units, at.planes).entries()) {
      to = writeStream(workspace, place, states[i] ?? streamState(), to);
    }
    done = end;
  }
  kernels.bytes.set(plain.subarray(done), to);
  to += plain.length - done;
  return { stored: kernels.bytes.subarray(at.stored, to), parameters: encodeParameters(transform) };
}

/** The units of each segment of `length` bytes; what is no whole unit stands behind the last. */
function* segmentsOf(length: number, unit: number): Generator<number> {
  const most = Math.floor(segmentBytes / unit);
  for (let left = Math.floor(length / unit); left > 0; left -= most) yield Math.min(left, most);
}

/** Where the streams of a segment of `units` units lie. */
function placesOf({ streams, isNarrow }: Transform, units: number, planes: number): StreamPlace[] {
  let from = planes;
  return streams.map((bytes, i) => {
    const length = bytes * units;
    from += length;
    return { from: from - length, length, isNarrow: isNarrow[i] === true };
  });
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
  const transform = decodeParameters(parameters, what);
  const { kernels, at } = workspace;
  const coded = { bytes: stored, position: 0, what };
  const states = transform.streams.map(() => streamState());
  let done = 0;
  for (const units of segmentsOf(plainLength, transform.unit)) {
    for (const [i, place] of placesOf(transform, units, at.planes).entries()) {
      readStream(workspace, coded, states[i] ?? streamState(), place);
    }
    // Frames are decoded to the start of an array.
    const to = alignedAs({ byteOffset: done }, at.plain);
    join(transform, units, workspace, to);
    const length = units * transform.unit;
    if (!take(kernels.bytes.subarray(to, to + length), done)) return false;
    done += length;
  }
  if (stored.length - coded.position !== plainLength - done) {
    throw malformed(coded, `${stored.length - coded.position} bytes are left for ${plainLength - done}`);
  }
  return take(stored.subarray(coded.position), done);
}

function encodeParameters({ number: transform, parts }: Transform): Uint8Array {
  const widths = parts.flatMap((part) =>
    transform === transforms.fields && part.kind === 'field' ? [part.width] : [],
  );
  const bytes = new Uint8Array(2 + 2 * widths.length);
  bytes[0] = version;
  bytes[1] = transform;
  for (const [i, width] of widths.entries()) viewOf(bytes).setUint16(2 + 2 * i, width, true);
  return bytes;
}

function decodeParameters(parameters: Uint8Array, what: string): Transform {
  const [given, transform = -1] = parameters;
  if (given !== version) throw malformed({ what }, `its parameters have version ${given ?? 'none'}`);
  const view = viewOf(parameters);
  const widths = Array.from({ length: (parameters.length - 2) >> 1 }, (_, i) => view.getUint16(2 + 2 * i, true));
  const isWhole =
    transform === transforms.fields ? parameters.length === 2 + 2 * widths.length : parameters.length === 2;
  const known = transform === transforms.fields ? fieldsOf(widths) : numbered(transform);
  if (known === undefined || !isWhole)
    throw malformed({ what }, `transform ${transform} in ${parameters.length} bytes`);
  return known;
}
