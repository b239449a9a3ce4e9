/** Writes checkpoints as torch.save does: a zip with the pickle of a state dict and one storage a tensor. */

import { type PickleItem, pickleBytes } from './pickle-bytes.ts';
import type { AssetTensor } from './tensor.ts';
import { zipFile, type ZipFileOptions } from './zip-file.ts';

const storageClasses: Readonly<Record<AssetTensor['dtype'], string>> = {
  F64: 'DoubleStorage',
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I64: 'LongStorage',
  I32: 'IntStorage',
  I16: 'ShortStorage',
  I8: 'CharStorage',
  U8: 'ByteStorage',
  BOOL: 'BoolStorage',
};

export interface TorchZipOptions extends ZipFileOptions {
  /** The one folder in the zip; torch.save names it after the file. */
  readonly folder?: string;
  readonly tensors: readonly AssetTensor[];
  readonly byteOrder?: 'little' | 'big';
}

export const orderedDict: PickleItem = { global: ['collections', 'OrderedDict'] };

/** A checkpoint that holds the tensors as a flat state dict. */
export function torchZipFile({ tensors, ...options }: TorchZipOptions): Uint8Array {
  const entries = tensors.map((tensor, index): [string, PickleItem] => [
    tensor.name,
    pickledTensor(tensor, `${index}`),
  ]);
  const pickle = pickleBytes({ call: orderedDict, args: [], set: entries });
  const storages = tensors.map(({ data }, index): [string, Uint8Array] => [`${index}`, data]);
  return torchZipOf(pickle, storages, options);
}

/** A checkpoint of any pickle and any storages by key. */
export function torchZipOf(
  pickle: Uint8Array,
  storages: readonly (readonly [key: string, data: Uint8Array])[],
  options: Omit<TorchZipOptions, 'tensors'> = {},
): Uint8Array {
  const { byteOrder = 'little', folder = 'archive', ...zip } = options;
  return zipFile(torchZipMembers(pickle, storages, { byteOrder, folder }), zip);
}

/** The members of a checkpoint in their order; storages are handed through. */
export function torchZipMembers<Data>(
  pickle: Uint8Array,
  storages: readonly (readonly [key: string, data: Data])[],
  { byteOrder = 'little', folder = 'archive' }: Pick<TorchZipOptions, 'byteOrder' | 'folder'> = {},
): readonly { readonly name: string; readonly data: Data | Uint8Array }[] {
  const member = <Bytes>(name: string, data: Bytes): { readonly name: string; readonly data: Bytes } => ({
    name: `${folder}/${name}`,
    data,
  });
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  return [
    member('data.pkl', pickle),
    member('.format_version', text('1')),
    member('.storage_alignment', text('64')),
    member('byteorder', text(byteOrder)),
    ...storages.map(([key, data]) => member(`data/${key}`, data)),
    member('version', text('3\n')),
    member('.data/serialization_id', text('0'.repeat(40))),
  ];
}

/** Of the data only its length counts. */
export type PickledTensor = Pick<AssetTensor, 'dtype' | 'shape'> & { readonly data: { readonly length: number } };

/** `torch._utils._rebuild_tensor_v2` of a whole storage, in row-major order unless `stride` says otherwise. */
export function pickledTensor(
  { data, dtype, shape }: PickledTensor,
  key: string,
  { offset = 0, stride = rowMajor(shape) }: { readonly offset?: number; readonly stride?: readonly number[] } = {},
): PickleItem {
  const elements = data.length / elementBytes(dtype);
  return {
    call: { global: ['torch._utils', '_rebuild_tensor_v2'] },
    args: [
      pickledStorage(storageClasses[dtype], key, elements),
      offset,
      { tuple: shape },
      { tuple: stride },
      false,
      { call: orderedDict, args: [] },
    ],
  };
}

/** The persistent id of a storage. */
export function pickledStorage(className: string, key: string, length: number): PickleItem {
  return { persistentId: { tuple: ['storage', { global: ['torch', className] }, key, 'cpu', length] } };
}

function rowMajor(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, dimension) => product * dimension, 1));
}

function elementBytes(dtype: AssetTensor['dtype']): number {
  return dtype === 'BOOL' ? 1 : Number(/\d+$/.exec(dtype)?.[0]) / 8;
}
