/** Writes safetensors files as the reference writer does: JSON padded with spaces to 8 bytes, tensors without a gap. */

import { byteWriter } from './byte-writer.ts';
import type { AssetTensor } from './tensor.ts';

export interface SafetensorsFileOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tensors: readonly (Omit<AssetTensor, 'dtype'> & { readonly dtype: string })[];
}

export function safetensorsFile({ metadata, tensors }: SafetensorsFileOptions): Uint8Array {
  let offset = 0;
  const entries = tensors.map(({ data, dtype, name, shape }): [string, unknown] => {
    const begin = offset;
    offset += data.length;
    return [name, { dtype, shape, data_offsets: [begin, offset] }];
  });
  const header = { ...(metadata === undefined ? {} : { __metadata__: metadata }), ...Object.fromEntries(entries) };
  return safetensorsFileOf(
    JSON.stringify(header),
    tensors.map(({ data }) => data),
  );
}

/** A file with any header text. */
export function safetensorsFileOf(header: string, data: readonly Uint8Array[]): Uint8Array {
  const json = new TextEncoder().encode(header);
  const padded = Math.ceil(json.length / 8) * 8;
  const spaces = ' '.repeat(padded - json.length);
  const file = byteWriter().uint(padded, 8).bytes(json, spaces);
  for (const piece of data) file.bytes(piece);
  return file.finish();
}
