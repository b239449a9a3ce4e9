/**
 * Whether a piece was made of a source that comes base by base, so that only one of its bases is in memory at a time: a
 * recipe that gives all of each part gives the whole.
 */
import { blockOf } from '@mbk/plugin-sdk';
import type { Element } from '../chunker/piece.ts';
import { viewOf } from '../format/bytes.ts';
import { encodeDerived, offsetAt } from './derive.ts';
import type { Encoded } from './frame-codec.ts';

export interface PartsDeriver {
  /** Takes the next base; false once it is clear that no recipe gives all of the piece in this way. */
  push(base: Uint8Array): boolean;
  /** What `encodeDerived` makes of all bases together; undefined where they do not give all of the piece. */
  finish(): Encoded | undefined;
}

export interface PartsSource {
  readonly dtype: string;
  /** Where the first element is in the first base, in bytes. */
  readonly offset: number;
}

export function partsDeriver(plain: Uint8Array, element: Element, { dtype, offset }: PartsSource): PartsDeriver {
  /** Bytes of the source that a unit is made of. */
  const unitBytes = (blockOf(element.dtype)?.elements ?? 0) * (blockOf(dtype)?.bytes ?? 0);
  let from = offset;
  let done = 0;
  let parameters: Uint8Array | undefined;
  let isGiven = unitBytes > 0;

  const take = (base: Uint8Array): boolean => {
    const units = Math.min((base.length - from) / unitBytes, (plain.length - done) / element.unit);
    if (!Number.isInteger(units) || units < 1) return false;
    const part = plain.subarray(done, done + units * element.unit);
    const encoded = encodeDerived(part, element, { dtype, bases: [base], offset: from });
    if (encoded === undefined || encoded.stored.length > 0) return false;
    if (parameters !== undefined && !isSameRecipe(parameters, encoded.parameters)) return false;
    parameters ??= encoded.parameters;
    done += part.length;
    from = 0;
    return true;
  };

  return {
    push: (base) => (isGiven &&= take(base)),
    finish() {
      if (!isGiven || parameters === undefined || done < plain.length) return undefined;
      const whole = parameters.slice();
      viewOf(whole).setUint32(offsetAt, offset, true);
      return { stored: new Uint8Array(0), parameters: whole };
    },
  };
}

function isSameRecipe(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a.subarray(0, offsetAt), b.subarray(0, offsetAt)) === 0;
}
