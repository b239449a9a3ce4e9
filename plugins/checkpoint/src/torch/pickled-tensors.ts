/** What a checkpoint's pickle tells of its storages: for each key a dtype and, if one tensor fills it, name and shape. */

import { blockOf, type Dtype } from '@mbk/plugin-sdk';
import { type PickleWalk, walkPickle } from '../pickle/stack-machine.ts';
import { isKind, type PickleValue, type TensorRef } from '../pickle/values.ts';
import { dtypeOfName, dtypeOfStorage } from './dtypes.ts';

export interface PickledStorage {
  readonly dtype: Dtype;
  /** Bytes that the pickle says the storage has. */
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
  for (const { key, length, type } of storages) {
    const dtype = dtypeOfStorage(type);
    if (dtype === undefined || found.has(key)) continue;
    found.set(key, { dtype, length: length * blockOf(dtype).bytes, name: undefined, shape: [length] });
  }
  for (const { name, tensor } of root === undefined ? [] : tensorsUnder(root)) {
    const { key } = tensor.storage;
    const known = found.get(key);
    const described = known?.name === undefined ? describeStorage(name, tensor) : undefined;
    if (described !== undefined) found.set(key, described);
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
  const waiting: { readonly name: string; readonly value: PickleValue; readonly depth: number }[] = [
    { name: '', value: root, depth: 0 },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { depth, name, value } = next;
    if (isKind(value, 'tensor')) yield { name, tensor: value };
    if (seen.has(value) || depth >= deepestPath) continue;
    seen.add(value);
    for (const [key, member] of membersOf(value).reverse()) {
      const path = key === undefined || silentKeys.has(key) ? name : name === '' ? key : `${name}.${key}`;
      if (path.length <= longestName) waiting.push({ name: path, value: member, depth: depth + 1 });
    }
  }
}

function membersOf(value: PickleValue): [key: string | undefined, member: PickleValue][] {
  if (isKind(value, 'container')) return value.members.map((member) => [member.key, member.value]);
  if (isKind(value, 'tuple')) return value.items.map((item, index) => [String(index), item]);
  return [];
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
  return { dtype, length, name, shape: isRowMajor(shape, stride) ? shape : [elements] };
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
