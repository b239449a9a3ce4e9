/** Which stored blobs a piece of a tensor may be built upon: plain data, as it goes to the thread that stores the piece. */
import { blockOf } from '@mbk/plugin-sdk';
import type { Element } from '../../chunker/piece.ts';
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
}

/** Where a piece lies in its tensor, in bytes. */
export interface PiecePlace {
  readonly offset: number;
  readonly length: number;
}

/** Bytes of sources that one piece may be made from: they are in memory together. */
const mostSourceBytes = 33_554_432;

/** Undefined where there are none for this piece. */
export function wantedOf(
  { file, tensor, bases, sources }: TensorRelatives,
  element: Element,
  place: PiecePlace,
): Wanted | undefined {
  const wanted: Wanted = {
    file,
    tensor,
    bases: bases.flatMap(({ pieces, pieceBytes }) => pieces[place.offset / pieceBytes] ?? []),
    sources: sources.flatMap((source) => sourceOf(source, element, place) ?? []),
  };
  return wanted.bases.length + wanted.sources.length === 0 ? undefined : wanted;
}

/** The pieces of a source that hold the numbers of a piece; undefined where some of them are zeros that no blob holds. */
function sourceOf(
  { dtype, pieceBytes, pieces }: StoredTensor,
  element: Element,
  { offset, length }: PiecePlace,
): WantedSource | undefined {
  const block = blockOf(element.dtype);
  const source = blockOf(dtype);
  if (block?.bytes !== element.unit || source === undefined || source.elements !== 1) return undefined;
  const bytesFor = (bytes: number): number => Math.ceil(bytes / block.bytes) * block.elements * source.bytes;
  const from = bytesFor(offset);
  const to = from + bytesFor(length);
  if (to - from > mostSourceBytes) return undefined;
  const first = Math.floor(from / pieceBytes);
  const blobs = pieces.slice(first, Math.ceil(to / pieceBytes));
  if (blobs.length === 0 || blobs.includes(null)) return undefined;
  return { dtype, blobs: blobs.filter((id) => id !== null), offset: from - first * pieceBytes };
}
