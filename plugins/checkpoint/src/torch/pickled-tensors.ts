/** What a checkpoint's pickle tells of its storages: for each key a dtype and, if one tensor fills it, name and shape. */

import { blockOf, type Dtype } from '@mbk/plugin-sdk';
import { type PickleWalk, walkPickle } from '../pickle/stack-machine.ts';
import { isKind, type Member, type PickleValue, type TensorRef } from '../pickle/values.ts';
import { dtypeOfName, dtypeOfStorage } from './dtypes.ts';

export interface PickledStorage {
  /** Of the storage, `FloatStorage`, and how many of its elements; bytes of an UntypedStorage. */
  readonly type: string;
  readonly elements: number;
  /** Undefined where neither the type nor a tensor tells. */
  readonly dtype: Dtype | undefined;
  /** Bytes that the pickle says the storage has; 0 where that cannot be told. */
  readonly length: number;
  /** Keys from the root to the first tensor that fills the storage, joined by dots; empty for the root itself. */
  readonly name: string | undefined;
  /** Of that tensor if its elements lie in order, else one dimension of all elements. */
  readonly shape: readonly number[];
}

/** Longer names are those of no parameter; a storage without a name is named by its key. */
const longestName = 1024;
const deepestPath = 64;
/** Members of a pickled torch.nn.Module between its name and its parameters; a state dict leaves them out as well. */
const silentKeys = new Set(['_modules', '_parameters', '_buffers']);

/** The storages of a pickle by key. What cannot be followed is left out, never guessed. */
export function pickledStorages(pickle: Uint8Array): ReadonlyMap<string, PickledStorage> {
  return storagesOf(walkPickle(pickle));
}

/** The same of a walk. */
export function storagesOf({ root, storages }: PickleWalk): ReadonlyMap<string, PickledStorage> {
  const found = new Map<string, PickledStorage>();
  for (const { name, tensor } of root === undefined ? [] : tensorsUnder(root)) {
    const { key } = tensor.storage;
    const described = found.has(key) ? undefined : describeStorage(name, tensor);
    if (described !== undefined) found.set(key, described);
  }
  for (const { key, length, type } of storages) {
    if (found.has(key)) continue;
    const dtype = dtypeOfStorage(type);
    const bytes = dtype === undefined ? 0 : length * blockOf(dtype).bytes;
    found.set(key, { type, elements: length, dtype, length: bytes, name: undefined, shape: [length] });
  }
  return found;
}

interface NamedTensor {
  readonly name: string;
  readonly tensor: TensorRef;
}

/** Tensors in the order of the pickle, each container looked into once: shared and circular ones cost nothing. */
function* tensorsUnder(root: PickleValue): Generator<NamedTensor> {
  const seen = new Set<PickleValue>();
  /** What is being looked into, from the root on. */
  const path: { readonly name: string; readonly members: Iterator<Member> }[] = [];
  const enter = (name: string, value: PickleValue): NamedTensor | undefined => {
    if (isKind(value, 'tensor')) return { name, tensor: value };
    const members = membersOf(value);
    if (members === undefined || seen.has(value) || path.length >= deepestPath) return undefined;
    seen.add(value);
    path.push({ name, members });
    return undefined;
  };
  const first = enter('', root);
  if (first !== undefined) yield first;
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const { done, value: member } = top.members.next();
    if (done === true) {
      path.pop();
      continue;
    }
    const { key, value } = member;
    const name = key === undefined || silentKeys.has(key) ? top.name : top.name === '' ? key : `${top.name}.${key}`;
    const found = name.length <= longestName ? enter(name, value) : undefined;
    if (found !== undefined) yield found;
  }
}

/** Undefined for what has none. */
function membersOf(value: PickleValue): Iterator<Member> | undefined {
  if (isKind(value, 'container')) return value.members.values();
  if (isKind(value, 'tuple')) return value.items.values().map((item, index) => ({ key: String(index), value: item }));
  return undefined;
}

/** The storage as this tensor fills it; undefined for a view of a part, which says nothing of the whole. */
function describeStorage(name: string, tensor: TensorRef): PickledStorage | undefined {
  const { offset, shape, storage, stride } = tensor;
  const dtype = tensor.dtype === undefined ? dtypeOfStorage(storage.type) : dtypeOfName(tensor.dtype);
  if (dtype === undefined || offset !== 0) return undefined;
  const { bytes } = blockOf(dtype);
  const unit = storage.type === 'UntypedStorage' ? 1 : bytes;
  const length = storage.length * unit;
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  if (elements * bytes !== length) return undefined;
  return {
    type: storage.type,
    elements: storage.length,
    dtype,
    length,
    name,
    shape: isRowMajor(shape, stride) ? shape : [elements],
  };
}

function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let at = shape.length - 1; at >= 0; at -= 1) {
    const dimension = shape[at] ?? 1;
    if (dimension !== 1 && stride[at] !== expected) return false;
    expected *= dimension;
  }
  return true;
}
