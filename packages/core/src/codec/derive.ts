import { createHash } from 'node:crypto';
import type { Element } from '../chunker/piece.ts';
import { MbkError } from '../errors.ts';
import { type DecodeOptions, type Encoded, noParameters } from './frame-codec.ts';
export interface DeriveSource {
  readonly dtype: string;
  readonly bases: readonly Uint8Array[];
  readonly offset: number;
}
function cast(bases: readonly Uint8Array[], offset: number, n: number): Uint8Array {
  const all = Buffer.concat(bases).subarray(offset);
  const out = new Uint8Array(n);
  for (let i = 0; i < n; i += 2) {
    out[i] = all[2 * i + 2] ?? 0;
    out[i + 1] = all[2 * i + 3] ?? 0;
  }
  return out;
}
export function encodeDerived(plain: Uint8Array, element: Element, source: DeriveSource): Encoded | undefined {
  if (element.dtype !== 'BF16' || source.dtype !== 'F32') return undefined;
  const parameters = new Uint8Array(4);
  new DataView(parameters.buffer).setUint32(0, source.offset);
  return Buffer.compare(cast(source.bases, source.offset, plain.length), plain) === 0
    ? { stored: new Uint8Array(1), parameters }
    : undefined;
}
export const deriveReader = {
  number: 4,
  name: 'derive',
  decode(_: Uint8Array, options: DecodeOptions): Uint8Array {
    if (options.bases === undefined) throw new MbkError('value-invalid', 'x');
    return cast(options.bases, new DataView(options.parameters.slice().buffer).getUint32(0), options.plainLength);
  },
};
export function probesOf(head: Uint8Array, dtype: string): Readonly<Record<string, string>> | undefined {
  if (dtype !== 'F32') return undefined;
  return { BF16: probeOf(cast([head], 0, head.length / 2), 'BF16') };
}
export function probeOf(head: Uint8Array, _: string): string {
  return createHash('sha256').update(head).digest('hex').slice(0, 8);
}
void noParameters;
