/** Says of each piece of a file what it may be built upon, as its tensors pass by in their order. */
import { blockOf } from '@mbk/plugin-sdk';
import type { Element, Piece } from '../../chunker/piece.ts';
import { isZero } from '../../chunker/zeros.ts';
import { probeElements, probeOf, probesOf } from '../../codec/derive.ts';
import type { TensorHints } from '../../format/layout-record.ts';
import type { PieceAbout } from '../chunk-sink.ts';
import type { AskRelatives } from '../cut-file.ts';
import { sketchOf } from './sketch.ts';
import type { TensorRelatives } from './tensor-catalogue.ts';
import { wantedOf } from './wanted.ts';

export interface RelativeSeeker {
  /** What is known of a piece with these bytes; undefined for one that is of no tensor. */
  about(piece: Piece, bytes: Uint8Array): PieceAbout | undefined;
  /** Of the tensors so far, by their number in the layout. */
  readonly hints: ReadonlyMap<number, TensorHints>;
}

export function relativeSeeker(ask: AskRelatives | undefined): RelativeSeeker {
  const hints = new Map<number, TensorHints>();
  let current: { readonly number: number; readonly relatives: Promise<TensorRelatives | undefined> } | undefined;

  const begin = (number: number, { dtype, unit }: Element, bytes: Uint8Array): void => {
    const head = bytes.subarray(0, probeBytes(dtype));
    // What begins with nothing but zeros says nothing of the rest.
    const isTelling = !isZero(head, 0, head.length);
    const probes = isTelling ? probesOf(head, dtype) : undefined;
    const sketch = isTelling ? sketchOf(bytes, unit) : undefined;
    if (sketch !== undefined) hints.set(number, { sketch, ...(probes !== undefined && { probes }) });
    const relatives = ask?.({ number, sketch, probe: isTelling ? probeOf(head, dtype) : undefined });
    relatives?.catch(() => undefined); // told to whoever stores a piece
    current = relatives && { number, relatives };
  };

  return {
    hints,
    about({ element, tensor, length }, bytes) {
      if (element === undefined || tensor === undefined) return undefined;
      const { number, offset } = tensor;
      if (offset === 0) begin(number, element, bytes);
      if (current?.number !== number) return { element };
      const { relatives } = current;
      const wanted = relatives.then((found) => found && wantedOf(found, element, { offset, length }));
      wanted.catch(() => undefined);
      return { element, wanted };
    },
  };
}

/** Bytes of what a probe looks at. */
function probeBytes(dtype: string): number {
  const block = blockOf(dtype);
  return block === undefined ? 0 : (probeElements / block.elements) * block.bytes;
}
