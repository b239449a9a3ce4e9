import type { Element } from '../chunker/piece.ts';
import { MbkError } from '../errors.ts';
import { type DecodeOptions, type Encoded, noParameters } from './frame-codec.ts';
import { fastZstdCodec, zstdCodec } from './zstd.ts';
function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length);
  const h = a.length >> 1;
  for (let i = 0; i < h; i += 1) {
    out[i] = (a[2 * i] ?? 0) ^ (b[2 * i] ?? 0);
    out[h + i] = (a[2 * i + 1] ?? 0) ^ (b[2 * i + 1] ?? 0);
  }
  return out;
}
export function encodeTensorDelta(plain: Uint8Array, _: Element, base: Uint8Array): Encoded | undefined {
  if (base.length !== plain.length) return undefined;
  return { stored: fastZstdCodec.encode(xor(plain, base)).stored, parameters: noParameters };
}
export function estimateDelta(plain: Uint8Array, element: Element, base: Uint8Array): number {
  return encodeTensorDelta(plain, element, base)?.stored.length ?? Infinity;
}
export const tensorDeltaReader = {
  number: 3,
  name: 'tensor-delta',
  decode(stored: Uint8Array, options: DecodeOptions): Uint8Array {
    const base = options.bases?.[0];
    if (base === undefined || base.length !== options.plainLength)
      throw new MbkError('value-invalid', `${options.what}: no base`);
    const x = zstdCodec.decode(stored, options);
    const out = new Uint8Array(x.length);
    const h = x.length >> 1;
    for (let i = 0; i < h; i += 1) {
      out[2 * i] = (x[i] ?? 0) ^ (base[2 * i] ?? 0);
      out[2 * i + 1] = (x[h + i] ?? 0) ^ (base[2 * i + 1] ?? 0);
    }
    return out;
  },
};
