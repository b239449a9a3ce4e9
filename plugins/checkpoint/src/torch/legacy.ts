/**
 * torch.save before 1.6 (torch/serialization.py, _legacy_save): five pickles one behind the other (magic number,
 * protocol, system, the object, the keys of the storages in order), then for each key the number of elements in eight
 * bytes and the elements.
 */

import {
  blockOf,
  type Layout,
  type LayoutContext,
  LayoutError,
  type LayoutTensor,
  makeLayout,
  type Reader,
} from '@mbk/plugin-sdk';
import { mostStorages } from '../most-tensors.ts';
import { decodeOpcode } from '../pickle/opcodes.ts';
import { walkPickle } from '../pickle/stack-machine.ts';
import { windowReader } from '../window-reader.ts';
import { dtypeOfStorage } from './dtypes.ts';
import { storagesOf } from './pickled-tensors.ts';

/** Bytes of the pickles together. */
const longestPickles = 1 << 24;

export const legacyPickles = 5;

/** LayoutError `torch/bad-legacy`. */
export async function layoutLegacy(source: Reader, { limits, signal }: LayoutContext): Promise<Layout> {
  const reader = windowReader(source);
  const bytes = await reader.read(0, Math.min(reader.size, longestPickles), { signal });
  const walks = [];
  let at = 0;
  let keysStart = 0;
  while (walks.length < legacyPickles) {
    const walk = walkPickle(bytes.subarray(at));
    if (walk.end === undefined)
      throw bad(`pickle ${walks.length + 1} of ${legacyPickles} does not come to its end`, at);
    keysStart = at;
    at += walk.end;
    walks.push(walk);
  }
  const [, , , object] = walks;
  if (object === undefined) throw bad('the object is missing', 0);
  const described = storagesOf(object);
  const keys = keysIn(bytes.subarray(keysStart, at));
  if (keys.length > mostStorages) throw bad(`${keys.length} storages, of at most ${mostStorages}`, keysStart);
  const tensors: LayoutTensor[] = [];
  const names = new Set<string>();
  for (const key of keys) {
    const named = described.get(key);
    const dtype = named === undefined ? undefined : dtypeOfStorage(named.type);
    const unit = named?.type === 'UntypedStorage' ? 1 : dtype === undefined ? undefined : blockOf(dtype).bytes;
    if (named === undefined || unit === undefined)
      throw bad(`the storage ${JSON.stringify(key.slice(0, 80))} has no type`, keysStart);
    if (at + 8 > reader.size) throw bad('the file ends before the last storage', at);
    const isBig = await isBigEndianCount(reader, at, named.elements, signal);
    if (isBig === undefined)
      throw bad(`a storage does not have the ${named.elements} elements that its pickle names`, at);
    const length = named.elements * unit;
    if (at + 8 + length > reader.size) throw bad('the file ends within a storage', at);
    const isTold = named.dtype !== undefined && named.length === length;
    const own = named.name === undefined || named.name === '' || names.has(named.name) ? `data/${key}` : named.name;
    if (names.has(own)) throw bad(`the storage ${JSON.stringify(key.slice(0, 80))} is there twice`, at);
    names.add(own);
    tensors.push({
      name: own,
      dtype: isTold ? named.dtype : (dtype ?? 'U8'),
      shape: isTold ? named.shape : dtype === undefined ? [length] : [named.elements],
      offset: at + 8,
      length,
      ...(isBig ? { byteOrder: 'big' } : {}),
    });
    at += 8 + length;
  }
  return makeLayout('pytorch-legacy', tensors, reader.size, limits);
}

/** How the count in front of a storage is written; undefined where it is another one. */
async function isBigEndianCount(
  reader: Reader,
  at: number,
  count: number,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const bytes = await reader.read(at, 8, { signal });
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  if (view.getBigUint64(0, true) === BigInt(count)) return false;
  return view.getBigUint64(0, false) === BigInt(count) ? true : undefined;
}

/** The strings of a pickled list of strings, which is known to end. */
function keysIn(pickle: Uint8Array): readonly string[] {
  const keys: string[] = [];
  for (let at = 0; at < pickle.length;) {
    const { argument, name, next } = decodeOpcode(pickle, at);
    if (typeof argument === 'string' && /^(?:SHORT_)?BIN(?:UNICODE|STRING)$|^UNICODE$/.test(name)) keys.push(argument);
    at = next;
  }
  return keys;
}

function bad(message: string, offset: number): LayoutError {
  return new LayoutError('torch/bad-legacy', message, offset);
}
