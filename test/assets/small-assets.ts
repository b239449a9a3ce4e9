/** Sound files of each kind, a few kilobytes of each: for tests in which the kind matters and the weights do not. */

import { weights } from './tensor.ts';
import { text, tinyModel, tinyTensors } from './tiny-gguf.ts';
import { torchZipFile } from './torch-zip-file.ts';

/** A GGUF model of that name; with `bytes`, one that is about so large. */
export function smallGguf(name: string, bytes?: Uint8Array): Uint8Array {
  const rows = Math.ceil((bytes?.length ?? 0) / 64);
  const data = new Uint8Array(rows * 64);
  if (bytes !== undefined) data.set(bytes);
  const more = rows === 0 ? [] : [{ name: 'blk.0.ffn_up.weight', dtype: 'I8', shape: [rows, 64], data }];
  return tinyModel({ keys: { 'general.name': text(name) }, tensors: [...tinyTensors, ...more] });
}

/** A checkpoint as torch.save writes it; another seed is another step. */
export function smallCheckpoint(seed: number): Uint8Array {
  return torchZipFile({ tensors: [weights('layers.0.weight', { shape: [4, 8], dtype: 'F32', seed })] });
}
