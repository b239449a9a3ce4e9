/** Writes safetensors files as the reference writer does: JSON padded with spaces to 8 bytes, tensors without a gap. */

import { byteWriter } from './byte-writer.ts';
import type { AssetTensor } from './tensor.ts';

export interface SafetensorsHeader {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Of the data only its length counts. */
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly data: { readonly length: number };
  }[];
}

export interface SafetensorsFileOptions extends SafetensorsHeader {
  readonly tensors: readonly (Omit<AssetTensor, 'dtype'> & { readonly dtype: string })[];
}

export function safetensorsFile(options: SafetensorsFileOptions): Uint8Array {
  return safetensorsFileOf(
    safetensorsHeader(options),
    options.tensors.map(({ data }) => data),
  );
}

/** The header text of a file whose tensors follow each other without a gap. */
export function safetensorsHeader({ metadata, tensors }: SafetensorsHeader): string {
  let offset = 0;
  const entries = tensors.map(({ data, dtype, name, shape }): [string, unknown] => {
    const begin = offset;
    offset += data.length;
    return [name, { dtype, shape, data_offsets: [begin, offset] }];
  });
  const header = { ...(metadata === undefined ? {} : { __metadata__: metadata }), ...Object.fromEntries(entries) };
  return JSON.stringify(header);
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
