/** The calls by which PyTorch rebuilds tensors (torch/_utils.py, torch/_tensor.py), read as descriptions of tensors. */

import { container, isKind, type PickleValue } from './values.ts';

const rebuildTensor = /^torch\._utils\._rebuild_(?:tensor|tensor_v2|tensor_v3|qtensor)$/;
const rebuildParameter = /^torch\._utils\._rebuild_parameter(?:_with_state)?$/;
const rebuildFromType = /^torch\._tensor\._rebuild_from_type(?:_v2)?$/;
/** A subclass of a subclass of a tensor; a pickle that claims more is none of PyTorch's. */
const deepestSubclass = 4;

/** What `callable(*call)` would give: a tensor for the calls known here, else something its arguments hang on. */
export function callResult(callable: PickleValue, call: PickleValue): PickleValue {
  let called = callable;
  let values = isKind(call, 'tuple') ? call.items : [];
  for (let depth = 0; depth < deepestSubclass; depth += 1) {
    const name = isKind(called, 'global') ? called.name : '';
    if (rebuildTensor.test(name)) return tensorOf(values) ?? container();
    if (rebuildParameter.test(name)) return values[0] ?? container();
    if (!rebuildFromType.test(name)) break;
    const [inner, , innerCall] = values;
    called = inner ?? container();
    values = isKind(innerCall, 'tuple') ? innerCall.items : [];
  }
  return holderOf(call);
}

/** `('storage', type, key, location, length)` is a storage; anything else leads nowhere. */
export function persistentValue(id: PickleValue): PickleValue {
  const [tag, type, key, , length] = isKind(id, 'tuple') ? id.items : [];
  if (tag !== 'storage' || typeof key !== 'string' || typeof length !== 'number') return { kind: 'opaque' };
  const typeName = isKind(type, 'global') ? type.name : '';
  return { kind: 'storage', key, type: typeName.slice(typeName.lastIndexOf('.') + 1), length };
}

/** An unknown call with one argument is taken for that argument: `build_tensorlist([…])`, `OrderedDict([…])`. */
function holderOf(call: PickleValue): PickleValue {
  const holder = container();
  const only = isKind(call, 'tuple') && call.items.length === 1 ? call.items[0] : undefined;
  if (isKind(call, 'tuple') && call.items.length === 0) return holder;
  holder.members.push({ key: undefined, value: only ?? call });
  return holder;
}

function tensorOf([storage, offset, size, stride, ...rest]: readonly PickleValue[]): PickleValue | undefined {
  if (!isKind(storage, 'storage') || typeof offset !== 'number') return undefined;
  const shape = integers(size);
  const strides = integers(stride);
  if (shape === undefined || strides === undefined || shape.length !== strides.length) return undefined;
  const dtype = rest.map((value) =>
    isKind(value, 'global') ? /^torch\.([a-z0-9_]+)$/.exec(value.name)?.[1] : undefined,
  );
  return { kind: 'tensor', storage, offset, shape, stride: strides, dtype: dtype.find((name) => name !== undefined) };
}

function integers(value: PickleValue | undefined): readonly number[] | undefined {
  if (!isKind(value, 'tuple')) return undefined;
  return value.items.every((item) => typeof item === 'number') ? value.items : undefined;
}
