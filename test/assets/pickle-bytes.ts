/** Writes pickles of protocol 2 from a description of values; calls and globals are written, never made. */

import { byteWriter, type ByteWriter } from './byte-writer.ts';

export type PickleItem =
  | string
  | number
  | boolean
  | null
  | { readonly global: readonly [module: string, name: string] }
  | { readonly tuple: readonly PickleItem[] }
  | { readonly list: readonly PickleItem[] }
  | { readonly dict: readonly (readonly [PickleItem, PickleItem])[] }
  /** `callable(*args)`, and what `state` sets in it: items of a dict (`set`) or its state (`build`). */
  | {
      readonly call: PickleItem;
      readonly args: readonly PickleItem[];
      readonly set?: readonly (readonly [PickleItem, PickleItem])[];
      readonly build?: PickleItem;
    }
  | { readonly persistentId: PickleItem };

export function pickleBytes(root: PickleItem): Uint8Array {
  const pickle = byteWriter().bytes([0x80, 2]);
  writeItem(pickle, root);
  return pickle.bytes('.').finish();
}

function writeItem(pickle: ByteWriter, item: PickleItem): void {
  if (item === null) pickle.bytes('N');
  else if (typeof item === 'boolean') pickle.bytes([item ? 0x88 : 0x89]);
  else if (typeof item === 'string') pickle.bytes('X').uint(Buffer.byteLength(item), 4).bytes(item);
  else if (typeof item === 'number') writeNumber(pickle, item);
  else if ('global' in item) pickle.bytes(`c${item.global[0]}\n${item.global[1]}\n`);
  else if ('tuple' in item) writeMarked(pickle, item.tuple, 't');
  else if ('list' in item) writeMarked(pickle.bytes(']'), item.list, 'e');
  else if ('dict' in item) writeMarked(pickle.bytes('}'), item.dict.flat(), 'u');
  else if ('persistentId' in item) {
    writeItem(pickle, item.persistentId);
    pickle.bytes('Q');
  } else {
    writeItem(pickle, item.call);
    writeMarked(pickle, item.args, 't');
    pickle.bytes('R');
    if (item.set !== undefined) writeMarked(pickle, item.set.flat(), 'u');
    if (item.build !== undefined) {
      writeItem(pickle, item.build);
      pickle.bytes('b');
    }
  }
}

function writeMarked(pickle: ByteWriter, items: readonly PickleItem[], end: string): void {
  pickle.bytes('(');
  for (const item of items) writeItem(pickle, item);
  pickle.bytes(end);
}

function writeNumber(pickle: ByteWriter, value: number): void {
  if (value >= 0 && value < 256) pickle.bytes([0x4b, value]);
  else if (value >= -(2 ** 31) && value < 2 ** 31) pickle.bytes('J').uint(value, 4);
  else pickle.bytes([0x8a, 8]).uint(value, 8);
}
