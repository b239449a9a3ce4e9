/** Which stored blobs a piece of a tensor may be built upon: plain data, as it goes to the thread that stores the piece. */
import { blockOf } from '@mbk/plugin-sdk';
import type { Element } from '../../chunker/piece.ts';
import { blockElements, orderKinds, probeElements, type RowOrder } from '../../codec/derive.ts';
import type { BlobId } from '../../format/ids.ts';
import type { StoredTensor, TensorRelatives } from './tensor-catalogue.ts';

export interface Wanted {
  /** Numbers of file and tensor: what was found of one piece of it holds for the others. */
  readonly file: number;
  readonly tensor: number;
  /** Pieces at the same place of other tensors. */
  readonly bases: readonly BlobId[];
  readonly sources: readonly WantedSource[];
}

export interface WantedSource {
  readonly dtype: string;
  readonly blobs: readonly BlobId[];
  /** Where in the first blob the numbers of the piece begin, in bytes. */
  readonly offset: number;
  /** The same for orders in which a converter may have put the rows. */
  readonly orders: readonly WantedOrder[];
}

/** `offset` is where the first group begins. */
export interface WantedOrder extends Pick<WantedSource, 'blobs' | 'offset'> {
  readonly order: RowOrder;
}

/** Where a piece lies in its tensor, in bytes. */
export interface PiecePlace {
  readonly offset: number;
  readonly length: number;
}

/** Bytes of sources that one piece may be made from: they are in memory together. */
const mostSourceBytes = 33_554_432;
/**
 * Rows of a group that may be in another order, the likeliest first: the dimensions of attention heads, whose halves
 * llama.cpp's converter puts row by row beside each other in the queries and keys of llama and its kin.
 */
const groupRows = [128, 64, 256, 96, 80, 32, 112, 160, 192, 48, 16];

/** Undefined where there are none for this piece. */
export function wantedOf(
  { file, tensor, shape, bases, sources }: TensorRelatives,
  element: Element,
  place: PiecePlace,
): Wanted | undefined {
  const wanted: Wanted = {
    file,
    tensor,
    bases: bases.flatMap(({ pieces, pieceBytes }) => pieces[place.offset / pieceBytes] ?? []),
    sources: sources.flatMap((source) => sourceOf(source, element, place, shape) ?? []),
  };
  return wanted.bases.length + wanted.sources.length === 0 ? undefined : wanted;
}

/** Undefined where some of its numbers are zeros that no blob holds, or there are too many. */
function sourceOf(
  stored: StoredTensor,
  element: Element,
  { offset, length }: PiecePlace,
  shape: readonly number[],
): WantedSource | undefined {
  const { dtype } = stored;
  const block = blockOf(element.dtype);
  const source = blockOf(dtype);
  if (block?.bytes !== element.unit || source === undefined || source.elements !== 1) return undefined;
  const elementsFor = (bytes: number): number => Math.ceil(bytes / block.bytes) * block.elements;
  const start = elementsFor(offset);
  const end = start + elementsFor(length);
  const range = rangeOf(stored, start * source.bytes, end * source.bytes);
  if (range === undefined) return undefined;
  const orders = ordersOf(shape).flatMap((order) => {
    const group = order.elements * order.rows;
    const first = Math.floor(start / group) * group;
    const whole = rangeOf(stored, first * source.bytes, Math.ceil(end / group) * group * source.bytes);
    return whole === undefined ? [] : [{ ...whole, order: { ...order, skip: start - first } }];
  });
  return { dtype, ...range, orders };
}

/** Orders that a tensor of this shape may have. */
function ordersOf(shape: readonly number[]): readonly Omit<RowOrder, 'skip'>[] {
  const elements = shape.at(-1) ?? 0;
  const rows = shape.slice(0, -1).reduce((product, dimension) => product * dimension, 1);
  if (elements < probeElements || elements % blockElements !== 0) return [];
  const groups = groupRows.filter((group) => rows % group === 0);
  return groups.flatMap((group) => orderKinds.map((kind) => ({ kind, elements, rows: group })));
}

/** The pieces that hold bytes of a tensor, from `from` up to `to`. */
function rangeOf(
  { pieceBytes, pieces }: StoredTensor,
  from: number,
  to: number,
): Pick<WantedSource, 'blobs' | 'offset'> | undefined {
  if (to - from > mostSourceBytes) return undefined;
  const first = Math.floor(from / pieceBytes);
  const blobs = pieces.slice(first, Math.ceil(to / pieceBytes));
  if (blobs.length === 0 || blobs.includes(null)) return undefined;
  return { blobs: blobs.filter((id) => id !== null), offset: from - first * pieceBytes };
}
