/**
 * One part of a segment (docs/format.md, The delta codec):
 *
 *   size  meaning
 *   1     mode: 0 the same as the base, 1 coded, 2 stored
 *   …     mode 1: the model
 *   12    mode 1: bytes of the four lanes, 3 each
 *   …     mode 1: the lanes, then the rests of all items
 *   …     mode 2: the items
 */
import { contextLanesRoom } from '@mbk/kernels';
import { readModel, writeModel } from '../context/model.ts';
import { alignedAs } from '../tensor/workspace.ts';
import { type Cursor, malformedDelta, takeBytes } from './cursor.ts';
import { differ, gather, gatheredBytes, restBytes, symbolsAt, undiffer, writeRests } from './items.ts';
import { fit, modelOf, readyToDecode, readyToEncode } from './models.ts';
import { type Part, symbolsOf } from './parts.ts';
import type { DeltaWorkspace } from './workspace.ts';

const modes = { same: 0, coded: 1, stored: 2 } as const;
const sizesBytes = 12;

export interface PartOfSegment {
  readonly part: Part;
  readonly unit: number;
  readonly units: number;
  /** Where the segment is in the workspace, and that of the base. */
  readonly plain: number;
  readonly base: number;
}

/** Where a part is written. */
export interface PartPlace {
  readonly stored: Uint8Array;
  readonly to: number;
  /** Nothing is written here or behind it. */
  readonly stop: number;
}

/** Writes a part; the offset behind it, or undefined when there is no room. */
export function writePart(
  workspace: DeltaWorkspace,
  { part, unit, units, plain, base }: PartOfSegment,
  { stored, to, stop }: PartPlace,
): number | undefined {
  const { kernels, at } = workspace;
  const length = gatheredBytes(part, units);
  if (to >= stop) return undefined;
  gather(workspace, part, unit, units, plain, at.items);
  gather(workspace, part, unit, units, base, at.baseItems);
  if (kernels.equalRanges(at.items, at.baseItems, length)) {
    stored[to] = modes.same;
    return to + 1;
  }
  const from = alignedAs({ byteOffset: stored.byteOffset + to + 1 }, at.coded);
  const coded = encode(workspace, part, units * part.items, from);
  // Numbers of a few bits would grow if they were stored.
  const isStored = part.kind !== 'bits' && coded >= length;
  const end = to + 1 + (isStored ? length : coded);
  if (end > stop) return undefined;
  if (isStored) gather(workspace, part, unit, units, plain, from);
  stored[to] = isStored ? modes.stored : modes.coded;
  stored.set(kernels.bytes.subarray(from, from + end - to - 1), to + 1);
  return end;
}

/** Codes the items, which become something else, to `to`: the model, the sizes, lanes and rests; bytes of all of it. */
function encode(workspace: DeltaWorkspace, part: Part, count: number, to: number): number {
  const { kernels, at } = workspace;
  const symbols = differ(workspace, part, count);
  const model = modelOf(fit(workspace, { part, count, symbols }));
  readyToEncode(workspace, model, count);
  const sizesAt = writeModel(kernels.bytes, model, to);
  const lanesAt = sizesAt + sizesBytes;
  const end = kernels.encodeContexts(at.tables, at.contexts, symbols, count, lanesAt, at.sizes);
  for (let lane = 0; lane < 4; lane += 1) kernels.copyRange(at.sizes + 4 * lane, 3, sizesAt + 3 * lane);
  return writeRests(workspace, part, count, end) - to;
}

/** Reads a part of which the items of the base are gathered; where its items are then. Errors: `value-invalid`. */
export function readPart(workspace: DeltaWorkspace, part: Part, units: number, cursor: Cursor): number {
  const { kernels, at } = workspace;
  const mode = takeBytes(cursor, 1)[0] ?? 0;
  switch (mode) {
    case modes.same:
      return at.baseItems;
    case modes.stored: {
      const bytes = takeBytes(cursor, gatheredBytes(part, units));
      const to = alignedAs(bytes, at.items);
      kernels.bytes.set(bytes, to);
      return to;
    }
    case modes.coded:
      decode(workspace, part, units * part.items, cursor);
      return at.items;
    default:
      throw malformedDelta(cursor, `a part has mode ${mode}`);
  }
}

function decode(workspace: DeltaWorkspace, part: Part, count: number, cursor: Cursor): void {
  const { kernels, at } = workspace;
  const read = readModel(cursor.bytes.subarray(cursor.position), symbolsOf(part));
  if (typeof read === 'string') throw malformedDelta(cursor, read);
  cursor.position += read.length;
  const sizes = takeBytes(cursor, sizesBytes);
  const size = (lane: number): number =>
    (sizes[3 * lane] ?? 0) | ((sizes[3 * lane + 1] ?? 0) << 8) | ((sizes[3 * lane + 2] ?? 0) << 16);
  const lanes = [size(0), size(1), size(2), size(3)] as const;
  const total = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  if (total > contextLanesRoom(count)) throw malformedDelta(cursor, `${count} symbols in ${total} bytes`);
  readyToDecode(workspace, part, read.model, count);
  const from = place(workspace, takeBytes(cursor, total));
  if (!kernels.decodeContexts(at.tables, at.next, at.map, at.classes, from, lanes, symbolsAt(workspace, part), count))
    throw malformedDelta(cursor, 'its lanes do not end where their symbols do');
  const rest = restBytes(workspace, part, count);
  undiffer(workspace, part, count, rest === 0 ? at.coded : place(workspace, takeBytes(cursor, rest)));
}

/** Copies stored bytes to where the kernels find them. */
function place({ kernels, at }: DeltaWorkspace, bytes: Uint8Array): number {
  const to = alignedAs(bytes, at.coded);
  kernels.bytes.set(bytes, to);
  return to;
}
