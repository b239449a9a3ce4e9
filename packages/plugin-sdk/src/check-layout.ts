/**
 * Holds a layout against the file it speaks of. A host runs it on every answer of a plugin, a plugin may run it on
 * its own: after it, every span lies inside the file, none overlap, and each length is what dtype and shape make it.
 */

import { blockOf, type Block } from './dtype.ts';
import { type Layout, LayoutError, type LayoutLimits, layoutLimits, type LayoutTensor } from './layout.ts';

export interface CheckedTensor extends LayoutTensor {
  /** Bytes of one element or block: a cut inside the tensor falls on a multiple of it. */
  readonly unit: number;
}

/** A layout that is true of its file, as far as can be told without the bytes of its tensors. */
export interface CheckedLayout extends Layout {
  readonly tensors: readonly CheckedTensor[];
}

/** The layout, or what is wrong with it: `code` as that of a LayoutError, `reason` for people. */
export type LayoutCheck =
  | { readonly ok: true; readonly layout: CheckedLayout }
  | { readonly ok: false; readonly code: string; readonly reason: string };

/** Checks a value that claims to be the layout of a file of `fileSize` bytes; copies it, sorted. Never throws. */
export function checkLayout(value: unknown, fileSize: number, limits: LayoutLimits = layoutLimits): LayoutCheck {
  try {
    return { ok: true, layout: checkedLayout(value, fileSize, limits) };
  } catch (error) {
    // Getters and proxies of a hostile value may throw anything; that too is only a layout that cannot be used.
    if (error instanceof LayoutError) return { ok: false, code: error.code, reason: error.message };
    return { ok: false, code: 'layout/unreadable', reason: 'reading the layout failed' };
  }
}

/** The layout of these tensors, sorted and checked; for the last line of a plugin. Throws a LayoutError. */
export function makeLayout(
  container: string,
  tensors: readonly LayoutTensor[],
  fileSize: number,
  limits: LayoutLimits = layoutLimits,
): Layout {
  checkHead({ container, tensors }, limits);
  // Nothing that is checked is kept: a large file has a hundred thousand of them.
  const shapes = shapeTable();
  for (const tensor of tensors) checkedTensor(tensor, { fileSize, limits, shapes });
  const sorted = tensors.toSorted(byPlace);
  refuseOverlaps(sorted);
  refuseDuplicates(sorted);
  return { container, tensors: sorted };
}

/** Tensors without bytes come before the one that begins at their place. */
function byPlace(a: LayoutTensor, b: LayoutTensor): number {
  return a.offset - b.offset || a.length - b.length || (a.name < b.name ? -1 : 1);
}

function checkedLayout(value: unknown, fileSize: number, limits: LayoutLimits): CheckedLayout {
  const { container, tensors } = checkHead(value, limits);
  const checked: CheckedTensor[] = [];
  const shapes = shapeTable();
  for (let index = 0; index < tensors.length; index += 1) {
    checked.push(checkedTensor(tensors[index], { fileSize, limits, shapes }));
  }
  checked.sort(byPlace);
  refuseOverlaps(checked);
  refuseDuplicates(checked);
  return { container, tensors: checked };
}

/** What is checked before any tensor is. */
function checkHead(
  value: unknown,
  limits: LayoutLimits,
): { readonly container: string; readonly tensors: readonly unknown[] } {
  const { container, tensors } = record(value, 'a layout');
  if (typeof container !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,63}$/.test(container)) {
    throw new LayoutError('layout/container', 'the container is not named as formats are');
  }
  if (!Array.isArray(tensors)) throw new LayoutError('layout/form', 'tensors is not a list');
  if (tensors.length > limits.tensors) {
    throw new LayoutError('layout/too-many-tensors', `${tensors.length} tensors, of at most ${limits.tensors}`);
  }
  return { container, tensors: tensors as readonly unknown[] };
}

interface TensorBounds {
  readonly fileSize: number;
  readonly limits: LayoutLimits;
  readonly shapes: ShapeTable;
}

/** Gives one list for all that are alike. */
type ShapeTable = (shape: readonly number[]) => readonly number[];

/** Lists that are remembered; a file of more has few of each. */
const mostShapes = 4096;

function shapeTable(): ShapeTable {
  const known = new Map<string, readonly number[]>();
  return (shape) => {
    const text = shape.join();
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size < mostShapes) known.set(text, shape);
    return shape;
  };
}

function checkedTensor(value: unknown, { fileSize, limits, shapes }: TensorBounds): CheckedTensor {
  const { block: ownBlock, byteOrder, dtype, length, name, offset, shape } = record(value, 'a tensor');
  // A UTF-16 unit is at least one byte of UTF-8, so the cheap comparison comes first.
  if (typeof name !== 'string' || name.length > limits.nameBytes || Buffer.byteLength(name) > limits.nameBytes) {
    throw new LayoutError('layout/name', `a name is no string of at most ${limits.nameBytes} bytes`);
  }
  if (!name.isWellFormed()) throw new LayoutError('layout/name', 'a name is no valid Unicode');
  // Made when there is something to say: a file has tens of thousands of tensors.
  const where = (): string => `tensor ${JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)}`;
  if (typeof dtype !== 'string' || !/^[A-Z][A-Z0-9_]{0,31}$/.test(dtype)) {
    throw new LayoutError('layout/dtype', `${where()}: the dtype is not named as dtypes are`);
  }
  if (!isSize(offset) || !isSize(length) || offset + length > fileSize) {
    throw new LayoutError('layout/out-of-file', `${where()}: its bytes do not lie within the ${fileSize} of the file`);
  }
  if (byteOrder !== undefined && byteOrder !== 'big') {
    throw new LayoutError('layout/byte-order', `${where()}: byteOrder is neither absent nor big`);
  }
  const dimensions = shapes(checkedShape(shape, where, limits));
  const block = checkedBlock(ownBlock, dtype, where);
  if (block !== undefined) checkLength(dimensions, block, length, where);
  return {
    name,
    dtype,
    shape: dimensions,
    offset,
    length,
    ...(ownBlock === undefined || block === undefined ? {} : { block }),
    ...(byteOrder === undefined ? {} : { byteOrder }),
    unit: block?.bytes ?? 1,
  };
}

function checkedShape(value: unknown, where: () => string, limits: LayoutLimits): readonly number[] {
  if (!Array.isArray(value) || value.length > limits.dimensions) {
    throw new LayoutError(
      'layout/shape',
      `${where()}: the shape is no list of at most ${limits.dimensions} dimensions`,
    );
  }
  const shape = Array.from(value as readonly unknown[]);
  if (!shape.every(isSize)) throw new LayoutError('layout/shape', `${where()}: a dimension is no whole number`);
  return shape;
}

function checkedBlock(value: unknown, dtype: string, where: () => string): Block | undefined {
  const canonical = blockOf(dtype);
  if (value === undefined) return canonical;
  const { bytes, elements } = record(value, `the block of ${where()}`);
  if (!isSize(bytes) || !isSize(elements) || bytes < 1 || elements < 1 || bytes > 65_536 || elements > 65_536) {
    throw new LayoutError('layout/block', `${where()}: a block is 1 to 65536 elements in 1 to 65536 bytes`);
  }
  if (canonical !== undefined && (canonical.bytes !== bytes || canonical.elements !== elements)) {
    throw new LayoutError('layout/block', `${where()}: the block is not the one of ${dtype}`);
  }
  return { elements, bytes };
}

function checkLength(shape: readonly number[], block: Block, length: number, where: () => string): void {
  const elements = shape.reduce((product, dimension) => product * BigInt(dimension), 1n);
  const perBlock = BigInt(block.elements);
  if (elements % perBlock !== 0n) {
    throw new LayoutError('layout/block', `${where()}: ${elements} elements are no whole number of blocks`);
  }
  const expected = (elements / perBlock) * BigInt(block.bytes);
  if (expected !== BigInt(length)) {
    throw new LayoutError(
      'layout/length',
      `${where()}: dtype and shape make ${expected} bytes, the span has ${length}`,
    );
  }
}

function refuseOverlaps(tensors: readonly LayoutTensor[]): void {
  let end = 0;
  for (const tensor of tensors) {
    if (tensor.length === 0) continue;
    if (tensor.offset < end) {
      throw new LayoutError('layout/overlap', `two tensors overlap at byte ${tensor.offset}`, tensor.offset);
    }
    end = tensor.offset + tensor.length;
  }
}

/** By sorting: a set of all names would be several times as large. */
function refuseDuplicates(tensors: readonly LayoutTensor[]): void {
  const order = Uint32Array.from(tensors.keys());
  const nameOf = (index: number): string => tensors[index]?.name ?? '';
  order.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : a - b));
  for (let at = 1; at < order.length; at += 1) {
    const [before = 0, index = 0] = [order[at - 1], order[at]];
    const name = nameOf(index);
    if (name !== nameOf(before)) continue;
    throw new LayoutError(
      'layout/duplicate-name',
      `two tensors are named ${JSON.stringify(name.slice(0, 80))}`,
      tensors[index]?.offset,
    );
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new LayoutError('layout/form', `${what} is not an object`);
  return value as Record<string, unknown>;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
