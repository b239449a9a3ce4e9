/**
 * Codec 3: the elements of a tensor as their differences from those of a base of the same length, in symbols that are
 * coded in the context of the base's element and of the differences before (docs/format.md, The delta codec). It works in
 * memory that each thread keeps for it, a segment at a time.
 *
 *   parameter offset  size  meaning
 *   0                 1     version, 1
 *   1                 1     what a unit is made of
 *   2                 2n    fields only: their widths
 */
import type { Element } from '../chunker/piece.ts';
import { viewOf } from '../format/bytes.ts';
import { malformedDelta } from './delta/cursor.ts';
import { estimatedBytes } from './delta/estimate.ts';
import { gather, scatter } from './delta/items.ts';
import { fieldParts, numberedParts, type Parts, partsNumbers, partsOf } from './delta/parts.ts';
import { loadSegment, segmentsOf } from './delta/segments.ts';
import { readPart, writePart } from './delta/stream.ts';
import { type DeltaWorkspace, mostPlainBytes, threadDeltaWorkspace } from './delta/workspace.ts';
import type { DecodeOptions, Encoded, FrameCodec, TakePart } from './frame-codec.ts';
import { alignedAs, frameMemory } from './tensor/workspace.ts';

const version = 1;

/** Reads what `encodeTensorDelta` wrote; the base is the first of `bases`. */
export const tensorDeltaReader: Pick<FrameCodec, 'number' | 'name' | 'decode' | 'decodeParts'> = {
  number: 3,
  name: 'tensor-delta',

  decode(stored, options) {
    const plain = new Uint8Array(options.plainLength);
    decodeTo(stored, options, threadDeltaWorkspace(), (bytes, offset) => {
      plain.set(bytes, offset);
      return true;
    });
    return plain;
  },

  decodeParts(stored, options, take: TakePart) {
    decodeTo(stored, options, threadDeltaWorkspace(), (bytes, offset) => {
      take(bytes, offset);
      return true;
    });
  },
};

/**
 * `plain` as what differs from `base`, whose elements are the same; undefined when that is not shorter, when their lengths
 * differ, and for more than 4 MiB. What it gives lies in memory of this thread and holds until it encodes again.
 */
export function encodeTensorDelta(
  plain: Uint8Array,
  element: Element,
  base: Uint8Array,
  workspace: () => DeltaWorkspace = threadDeltaWorkspace,
): Encoded | undefined {
  const parts = usableParts(plain, element, base);
  return parts && encode(workspace(), parts, plain, base);
}

/**
 * How many bytes `encodeTensorDelta` would make of it, from a sample of at most 65,536 items; the length of `plain` where
 * it makes nothing.
 */
export function estimateDelta(
  plain: Uint8Array,
  element: Element,
  base: Uint8Array,
  workspace: () => DeltaWorkspace = threadDeltaWorkspace,
): number {
  const parts = usableParts(plain, element, base);
  return parts === undefined ? plain.length : Math.min(estimatedBytes(workspace(), parts, plain, base), plain.length);
}

/** Whether `encoded` is that of `plain`: decoded a segment at a time, so that nothing is allocated. Errors: `value-invalid`. */
export function givesTensorDelta(
  plain: Uint8Array,
  { stored, parameters }: Encoded,
  base: Uint8Array,
  what: string,
  workspace: () => DeltaWorkspace = threadDeltaWorkspace,
): boolean {
  const options = { plainLength: plain.length, parameters, bases: [base], what };
  return decodeTo(stored, options, workspace(), (bytes, offset) => {
    return Buffer.compare(bytes, plain.subarray(offset, offset + bytes.length)) === 0;
  });
}

function usableParts(plain: Uint8Array, element: Element, base: Uint8Array): Parts | undefined {
  const isUsable = plain.length === base.length && plain.length > 0 && plain.length <= mostPlainBytes;
  return isUsable ? partsOf(element) : undefined;
}

function encode(workspace: DeltaWorkspace, parts: Parts, plain: Uint8Array, base: Uint8Array): Encoded | undefined {
  const { unit } = parts;
  const parameters = encodeParameters(parts);
  const stop = plain.length - parameters.length;
  const stored = frameMemory(plain.length);
  let to: number | undefined = 0;
  let done = 0;
  for (const segment of segmentsOf(plain.length, parts)) {
    const places = {
      plain: loadSegment(workspace, plain, segment, { unit, region: 'plain' }),
      base: loadSegment(workspace, base, segment, { unit, region: 'base' }),
    };
    for (const part of parts.parts) {
      to = writePart(workspace, { part, unit, units: segment.units, ...places }, { stored, to, stop });
      if (to === undefined) return undefined;
    }
    done = segment.offset + segment.units * unit;
  }
  if (to + plain.length - done >= stop) return undefined;
  stored.set(plain.subarray(done), to);
  return { stored: stored.subarray(0, to + plain.length - done), parameters };
}

/** Hands all bytes of a frame to `take`, part by part, until it says false. */
function decodeTo(
  stored: Uint8Array,
  { plainLength, parameters, bases, what }: DecodeOptions,
  workspace: DeltaWorkspace,
  take: (bytes: Uint8Array, offset: number) => boolean,
): boolean {
  const parts = decodeParameters(parameters, what);
  const [base] = bases ?? [];
  const cursor = { bytes: stored, position: 0, what };
  if (base?.length !== plainLength) throw malformedDelta(cursor, `its base has ${base?.length ?? 'no'} bytes`);
  const { kernels, at } = workspace;
  const { unit } = parts;
  const hasBits = parts.parts.some(({ kind }) => kind === 'bits');
  let done = 0;
  for (const segment of segmentsOf(plainLength, parts)) {
    const { offset, units } = segment;
    const length = units * unit;
    const from = loadSegment(workspace, base, segment, { unit, region: 'base' });
    // Frames are decoded to the start of an array.
    const to = alignedAs({ byteOffset: offset }, at.plain);
    if (hasBits) kernels.clearRange(to, length);
    for (const part of parts.parts) {
      gather(workspace, part, unit, units, from, at.baseItems);
      const items = readPart(workspace, part, units, cursor);
      scatter(workspace, part, unit, units, items, to);
    }
    if (!take(kernels.bytes.subarray(to, to + length), offset)) return false;
    done = offset + length;
  }
  if (stored.length - cursor.position !== plainLength - done) {
    throw malformedDelta(cursor, `${stored.length - cursor.position} bytes are left for ${plainLength - done}`);
  }
  return take(stored.subarray(cursor.position), done);
}

function encodeParameters({ number, parts }: Parts): Uint8Array {
  const widths = number === partsNumbers.fields ? parts.map(({ items }) => items) : [];
  const bytes = new Uint8Array(2 + 2 * widths.length);
  bytes[0] = version;
  bytes[1] = number;
  for (const [i, width] of widths.entries()) viewOf(bytes).setUint16(2 + 2 * i, width, true);
  return bytes;
}

function decodeParameters(parameters: Uint8Array, what: string): Parts {
  const [given, number = -1] = parameters;
  if (given !== version) throw malformedDelta({ what }, `its parameters have version ${given ?? 'none'}`);
  const view = viewOf(parameters);
  const widths = Array.from({ length: (parameters.length - 2) >> 1 }, (_, i) => view.getUint16(2 + 2 * i, true));
  const isFields = number === partsNumbers.fields;
  const known = isFields ? fieldParts(widths) : numberedParts(number);
  if (known === undefined || parameters.length !== (isFields ? 2 + 2 * widths.length : 2))
    throw malformedDelta({ what }, `units of kind ${number} in ${parameters.length} bytes`);
  return known;
}
