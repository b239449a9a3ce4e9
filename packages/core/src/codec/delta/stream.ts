/**
 * One part of a segment (docs/format.md, The delta codec):
 *
 *   size  meaning
 *   1     mode: 0 the same as the base, 1 coded, 2 stored
 *   12    mode 1: bytes of the four lanes, 3 each
 *   …     mode 1: the lanes, then the rests of all items
 *   …     mode 2: the items
 */
import { contextLanesRoom } from '@mbk/kernels';
import { alignedAs } from '../tensor/workspace.ts';
import { type Cursor, malformedDelta, takeBytes } from './cursor.ts';
import { classify, differ, gather, gatheredBytes, restBytes, symbolsAt, undiffer, writeRests } from './items.ts';
import type { ReadyModel } from './models.ts';
import type { Part } from './parts.ts';
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

/**
 * Writes a part at `to`, and nothing at `stop` or behind it; the offset behind it, or undefined when there is no room. It
 * has a model unless all items are those of the base.
 */
export function writePart(
  workspace: DeltaWorkspace,
  { part, unit, units, plain, base }: PartOfSegment,
  model: ReadyModel | undefined,
  { to, stop }: { readonly to: number; readonly stop: number },
): number | undefined {
  const { kernels, at } = workspace;
  const { bytes } = kernels;
  const length = gatheredBytes(part, units);
  gather(workspace, part, unit, units, plain, at.items);
  gather(workspace, part, unit, units, base, at.baseItems);
  if (to >= stop) return undefined;
  if (model === undefined || kernels.equalRanges(at.items, at.baseItems, length)) {
    bytes[to] = modes.same;
    return to + 1;
  }
  const coded = encode(workspace, part, units * part.items, model);
  // Numbers of a few bits would grow if they were stored.
  if (part.kind !== 'bits' && sizesBytes + coded >= length) {
    if (to + 1 + length > stop) return undefined;
    bytes[to] = modes.stored;
    gather(workspace, part, unit, units, plain, to + 1);
    return to + 1 + length;
  }
  if (to + 1 + sizesBytes + coded > stop) return undefined;
  bytes[to] = modes.coded;
  for (let lane = 0; lane < 4; lane += 1) kernels.copyRange(at.sizes + 4 * lane, 3, to + 1 + 3 * lane);
  kernels.copyRange(at.coded, coded, to + 1 + sizesBytes);
  return to + 1 + sizesBytes + coded;
}

/** Codes the items, which become something else; bytes of their lanes and rests together. */
function encode(workspace: DeltaWorkspace, part: Part, count: number, model: ReadyModel): number {
  const { kernels, at } = workspace;
  const symbols = differ(workspace, part, count);
  classify(workspace, part, count, model.lowClass);
  kernels.bytes.set(model.next, at.next);
  kernels.bytes.set(model.map, at.map);
  kernels.findContexts(at.next, at.map, at.classes, symbols, count, at.contexts);
  const end = kernels.encodeContexts(model.tables, at.contexts, symbols, count, at.coded, at.sizes);
  return writeRests(workspace, part, count, end) - at.coded;
}

/** Reads a part of which the items of the base are gathered; where its items are then. Errors: `value-invalid`. */
export function readPart(
  workspace: DeltaWorkspace,
  part: Part,
  units: number,
  model: ReadyModel | undefined,
  cursor: Cursor,
): number {
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
      if (model === undefined) throw malformedDelta(cursor, 'a part is coded and has no model');
      decode(workspace, part, units * part.items, model, cursor);
      return at.items;
    default:
      throw malformedDelta(cursor, `a part has mode ${mode}`);
  }
}

function decode(workspace: DeltaWorkspace, part: Part, count: number, model: ReadyModel, cursor: Cursor): void {
  const { kernels, at } = workspace;
  const sizes = takeBytes(cursor, sizesBytes);
  const size = (lane: number): number =>
    (sizes[3 * lane] ?? 0) | ((sizes[3 * lane + 1] ?? 0) << 8) | ((sizes[3 * lane + 2] ?? 0) << 16);
  const lanes = [size(0), size(1), size(2), size(3)] as const;
  const total = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  if (total > contextLanesRoom(count)) throw malformedDelta(cursor, `${count} symbols in ${total} bytes`);
  classify(workspace, part, count, model.lowClass);
  kernels.bytes.set(model.next, at.next);
  kernels.bytes.set(model.map, at.map);
  const symbols = symbolsAt(workspace, part);
  const from = place(workspace, takeBytes(cursor, total));
  if (!kernels.decodeContexts(model.tables, at.next, at.map, at.classes, from, lanes, symbols, count))
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
