/**
 * safetensors: an 8-byte little-endian length, that much JSON, then the tensors' bytes without a gap.
 *
 * The header is read member by member, so a long one costs time and no memory; what JSON.parse hides (a key given
 * twice) is seen, and every number is checked before it is used.
 */

import {
  blockOf,
  byteCursor,
  isDtype,
  type Layout,
  type LayoutContext,
  LayoutError,
  type LayoutTensor,
  makeLayout,
  type Reader,
} from '@mbk/plugin-sdk';
import { mostTensors } from '../most-tensors.ts';
import { type JsonMember, readJsonMembers } from './json-members.ts';

/** The format's own limit: safetensors refuses a longer header. */
export const longestHeader = 100_000_000;
/** A tensor's entry is a dtype, a shape and two offsets; even with 64 dimensions it stays far below. */
export const longestEntry = 16_384;

/** The `layout` of a safetensors file: undefined for another kind, LayoutError `safetensors/…` for a malformed one. */
export async function layoutSafetensors(reader: Reader, context: LayoutContext): Promise<Layout | undefined> {
  const { limits, signal } = context;
  if (reader.size < 8 + 2) return undefined;
  const cursor = byteCursor(reader, { format: 'safetensors', signal });
  await cursor.need(9);
  const headerLength = cursor.u64(true);
  if (headerLength < 2n || cursor.peek()[0] !== 0x7b) return undefined;
  if (headerLength > BigInt(Math.min(longestHeader, limits.headerBytes))) return undefined;
  const dataStart = 8 + Number(headerLength);
  if (dataStart > reader.size) {
    throw new LayoutError('safetensors/truncated', `a header of ${headerLength} bytes in a file of ${reader.size}`, 0);
  }
  const tensors: LayoutTensor[] = [];
  const names = new Set<string>();
  const header = byteCursor(reader, { format: 'safetensors', signal, start: 8, end: dataStart });
  const bounds = {
    longestKey: limits.nameBytes,
    longestValue: (key: string) => (key === '__metadata__' ? 0 : longestEntry),
  };
  for await (const member of readJsonMembers(header, bounds)) {
    if (names.has(member.key)) throw malformed('duplicate-name', member, 'is given twice');
    names.add(member.key);
    if (member.key === '__metadata__') continue;
    if (tensors.length >= Math.min(mostTensors, limits.tensors)) {
      throw new LayoutError('safetensors/too-many-tensors', `more than ${tensors.length} tensors`, member.offset);
    }
    tensors.push(readEntry(member, dataStart, reader.size));
  }
  const layout = makeLayout('safetensors', tensors, reader.size, limits);
  checkContiguous(layout, dataStart, reader.size);
  return layout;
}

/** A tensor's entry. LayoutError `safetensors/…`. */
export function readEntry(member: JsonMember, dataStart: number, fileSize: number): LayoutTensor {
  const { data_offsets: offsets, dtype, shape } = parseEntry(member);
  if (typeof dtype !== 'string' || !isDtype(dtype)) throw malformed('bad-dtype', member, 'has an unknown dtype');
  if (!isSizes(shape)) throw malformed('bad-shape', member, 'has a shape that is no list of sizes');
  if (!isSizes(offsets) || offsets.length !== 2) throw malformed('bad-offsets', member, 'has no pair of offsets');
  const [begin = 0, end = 0] = offsets;
  if (begin > end || end > fileSize - dataStart) {
    throw malformed('bad-offsets', member, `lies at ${begin} to ${end} of ${fileSize - dataStart} bytes`);
  }
  const block = blockOf(dtype);
  const elements = shape.reduce((product, dimension) => product * BigInt(dimension), 1n);
  if (elements * BigInt(block.bytes) !== BigInt(end - begin) * BigInt(block.elements)) {
    throw malformed('wrong-size', member, `has ${end - begin} bytes, ${dtype} [${shape.join(', ')}] has others`);
  }
  return { name: member.key, dtype, shape, offset: dataStart + begin, length: end - begin };
}

function parseEntry(member: JsonMember): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(member.value));
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof TypeError)) throw cause;
    throw malformed('bad-json', member, 'is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('bad-json', member, 'is not an object');
  }
  if (countMembers(member.value) !== Object.keys(value).length) {
    throw malformed('duplicate-key', member, 'gives one of its keys twice');
  }
  return value as Record<string, unknown>;
}

/** Members of a JSON object that is known to be valid: its colons outside strings and inner objects. */
function countMembers(json: Uint8Array): number {
  let members = 0;
  let depth = 0;
  let isString = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (isString && byte === 0x5c) at += 1;
    else if (byte === 0x22) isString = !isString;
    else if (isString) continue;
    else if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === 0x3a && depth === 1) members += 1;
  }
  return members;
}

/** The format leaves no byte of the data section without a tensor, so that nothing can hide in it. */
function checkContiguous({ tensors }: Layout, dataStart: number, fileSize: number): void {
  let end = dataStart;
  for (const { length, name, offset } of tensors) {
    if (offset !== end) {
      throw new LayoutError('safetensors/hole', `there is a gap before ${JSON.stringify(name.slice(0, 80))}`, end);
    }
    end = offset + length;
  }
  if (end !== fileSize) {
    throw new LayoutError('safetensors/incomplete', `the tensors end at ${end}, the file at ${fileSize}`, end);
  }
}

function malformed(what: string, { key, offset }: JsonMember, message: string): LayoutError {
  return new LayoutError(`safetensors/${what}`, `entry ${JSON.stringify(key.slice(0, 80))} ${message}`, offset);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
