/**
 * Cuts a file along its layout: tensors into pieces, all other bytes into the skeleton (docs/format.md, Chunking).
 *
 * A piece of a tensor never crosses its end; a part of the skeleton never crosses a multiple of `pieceBytes` of the
 * skeleton, so each lies in one skeleton blob.
 */
import type { Layout, TensorSpan } from '../format/layout-record.ts';
import { parameters } from '../format/limits.ts';
import type { Element, Piece, PieceCutter } from './piece.ts';
import { isZero } from './zeros.ts';

const { pieceBytes } = parameters;

/** As much of a layout as the cuts depend on: of many tensors most are too small for pieces of their own. */
export function cutLayout({ container, tensors }: Layout): Layout {
  return { container, tensors: tensors.filter(({ length }) => length >= parameters.smallTensorBytes) };
}

/** A cutter for a file whose layout passed `checkLayout`; tensors of fewer than `smallTensorBytes` are skeleton. */
export function layoutCutter(layout: Layout, smallTensorBytes: number = parameters.smallTensorBytes): PieceCutter {
  const tensors = layout.tensors
    .map((span, number) => ({ ...span, number }))
    .filter((tensor) => tensor.length >= smallTensorBytes)
    .values();
  let tensor = next(tensors);
  let skeletonBytes = 0;
  let start = 0;
  let position = 0;
  let end = endOfPiece();
  /** Whether the current piece is zeros so far. */
  let zero = true;

  function isInTensor(): boolean {
    return tensor !== undefined && start >= tensor.offset;
  }

  /** Where the piece that begins at `start` ends; a last part of the skeleton may end before, with the file. */
  function endOfPiece(): number {
    if (tensor !== undefined && isInTensor()) {
      return Math.min(start + wholeUnits(tensor.unit), tensor.offset + tensor.length);
    }
    const endOfBlob = start + pieceBytes - (skeletonBytes % pieceBytes);
    return Math.min(endOfBlob, tensor?.offset ?? Infinity);
  }

  const takePiece = (): Piece => {
    const length = position - start;
    const inTensor = isInTensor();
    const kind = inTensor ? (zero ? 'zero' : 'blob') : 'skeleton';
    const piece: Piece = {
      kind,
      offset: start,
      length,
      ...(kind === 'blob' &&
        tensor && {
          element: elementOf(tensor),
          tensor: { number: tensor.number, offset: start - tensor.offset },
        }),
    };
    if (!inTensor) skeletonBytes += length;
    start = position;
    while (tensor !== undefined && start >= tensor.offset + tensor.length) tensor = next(tensors);
    end = endOfPiece();
    zero = true;
    return piece;
  };

  return {
    push(bytes) {
      const pieces: Piece[] = [];
      for (let i = 0; i < bytes.length;) {
        const to = Math.min(bytes.length, i + end - position);
        if (zero && isInTensor()) zero = isZero(bytes, i, to);
        position += to - i;
        i = to;
        if (position === end) pieces.push(takePiece());
      }
      return pieces;
    },
    end: () => (position > start ? [takePiece()] : []),
    get needed() {
      return start;
    },
  };
}

/** Of numbers with their first byte first nothing is known but how long they are. */
function elementOf({ dtype, unit, byteOrder, shape, length }: TensorSpan): Element {
  if (byteOrder === 'big') return { dtype: '', unit };
  const row = rowOf(shape, length);
  return { dtype, unit, ...(row !== undefined && row % unit === 0 && { row }) };
}

/** Rows of fewer elements are taken together: the kernels of convolutions. */
const leastRow = 16;

/** Bytes of a row; undefined for what has only one. The last dimension is the one whose elements lie side by side. */
function rowOf(shape: readonly number[], length: number): number | undefined {
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  let row = 1;
  for (const dimension of shape.slice(1).toReversed()) {
    row *= dimension;
    if (row >= leastRow) break;
  }
  const bytes = (length / elements) * row;
  return row >= leastRow && row < elements && Number.isInteger(bytes) ? bytes : undefined;
}

/** Bytes of the longest piece of whole units. */
function wholeUnits(unit: number): number {
  return pieceBytes - (pieceBytes % unit);
}

interface NumberedSpan extends TensorSpan {
  readonly number: number;
}

function next(tensors: ArrayIterator<NumberedSpan>): NumberedSpan | undefined {
  const { done, value } = tensors.next();
  return done === true ? undefined : value;
}
