/** The calls by which PyTorch rebuilds tensors (torch/_utils.py, torch/_tensor.py), read as descriptions of tensors. */

import { container, isKind, type PickleValue } from './values.ts';

const rebuildTensor = /^torch\._utils\._rebuild_(?:tensor|tensor_v2|tensor_v3|qtensor)$/;
const rebuildParameter = /^torch\._utils\._rebuild_parameter(?:_with_state)?$/;
const rebuildFromType = /^torch\._tensor\._rebuild_from_type(?:_v2)?$/;
/** A subclass of a subclass of a tensor; a pickle that claims more is none of PyTorch's. */
const deepestSubclass = 4;

/** Gives one list for all that are alike: most tensors of a checkpoint have one of a few shapes. */
export type Shapes = (shape: readonly number[]) => readonly number[];

/** Lists that are remembered; a checkpoint that has more has few of each. */
const mostShapes = 4096;

export function shapeTable(): Shapes {
  const known = new Map<string, readonly number[]>();
  return (shape) => {
    const text = shape.join();
    const found = known.get(text);
    if (found !== undefined) return found;
    const own = [...shape];
    if (known.size < mostShapes) known.set(text, own);
    return own;
  };
}

/**
 * What `callable(*call)` would give: a tensor for the calls known here, which holds nothing of the arguments but its
 * storage, else something the arguments hang on.
 */
export function callResult(callable: PickleValue, call: PickleValue, shapes: Shapes): PickleValue {
  let called = callable;
  let values = isKind(call, 'tuple') ? call.items : [];
  for (let depth = 0; depth < deepestSubclass; depth += 1) {
    const name = isKind(called, 'global') ? called.name : '';
    if (rebuildTensor.test(name)) return tensorOf(values, shapes) ?? container();
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

function tensorOf(
  [storage, offset, size, stride, ...rest]: readonly PickleValue[],
  shapes: Shapes,
): PickleValue | undefined {
  if (!isKind(storage, 'storage') || typeof offset !== 'number') return undefined;
  const shape = integers(size, shapes);
  const strides = integers(stride, shapes);
  if (shape === undefined || strides === undefined || shape.length !== strides.length) return undefined;
  const dtype = rest.map((value) =>
    isKind(value, 'global') ? /^torch\.([a-z0-9_]+)$/.exec(value.name)?.[1] : undefined,
  );
  return { kind: 'tensor', storage, offset, shape, stride: strides, dtype: dtype.find((name) => name !== undefined) };
}

/** Longest that a shape is taken for one; PyTorch allows 64 dimensions. */
const mostDimensions = 64;

function integers(value: PickleValue | undefined, shapes: Shapes): readonly number[] | undefined {
  if (!isKind(value, 'tuple') || value.items.length > mostDimensions) return undefined;
  return value.items.every((item) => typeof item === 'number') ? shapes(value.items) : undefined;
}
