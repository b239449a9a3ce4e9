/**
 * Links: which paths of a collection are one hard-linked file (docs/format.md, Trees).
 */
import { MbkError } from '../errors.ts';
import { decodeByteText, encodeByteText, isRelativePath, type ByteString } from './byte-name.ts';
import { utf8 } from './bytes.ts';
import { canonicalText, parseJson } from './canonical-json.ts';
import { readFields } from './fields.ts';
import { limits } from './limits.ts';

/** Paths of one file, at least two, sorted by their bytes, relative to the root of the collection's tree. */
export type LinkGroup = readonly ByteString[];

export interface EncodedLinks {
  readonly bytes: Uint8Array;
  /** Groups, the last ones, for which the blob had no room: their files are restored as copies. */
  readonly omitted: number;
}

/** Longest path: as many of the longest names as directories may lie in each other. */
const pathBytes = (limits.directoryDepth + 1) * (limits.nameBytes + 1);

/** Canonical bytes of `groups`, sorted by their first path; RangeError if they are not as a record has them. */
export function encodeLinks(groups: readonly LinkGroup[]): EncodedLinks {
  const problem = orderProblem(groups);
  if (problem !== undefined) throw new RangeError(`expected sorted groups of links, got ${problem}`);
  const texts: string[] = [];
  let bytes = linksStart.length + linksEnd.length;
  for (const group of groups) {
    const text = canonicalText(group.map(encodeByteText));
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > limits.blobBytes) break;
    texts.push(text);
  }
  return { bytes: utf8(linksStart + texts.join(',') + linksEnd), omitted: groups.length - texts.length };
}

const linksStart = '{"groups":[';
const linksEnd = '],"type":"links"}';

/** The groups of `bytes`, a blob named `what`; `value-invalid`. */
export function decodeLinks(bytes: Uint8Array, what: string): readonly LinkGroup[] {
  if (bytes.byteLength > limits.blobBytes) {
    throw new MbkError('value-invalid', `${what}: ${bytes.byteLength} bytes, a blob has at most ${limits.blobBytes}`);
  }
  const fields = readFields(parseJson(bytes, what), what);
  fields.literal('type', 'links');
  const groups = fields.array('groups', decodeGroup, { max: limits.blobBytes });
  const problem = orderProblem(groups);
  if (problem !== undefined) throw new MbkError('value-invalid', `${what}: ${problem}`);
  return groups;
}

function decodeGroup(value: unknown, what: string): LinkGroup {
  if (!Array.isArray(value)) throw new MbkError('value-invalid', `${what}: expected an array of paths`);
  return value.map((path: unknown) => decodeByteText(path, what, pathBytes));
}

function orderProblem(groups: readonly LinkGroup[]): string | undefined {
  let firstBefore: ByteString | undefined;
  const paths = new Set<ByteString>();
  for (const group of groups) {
    const [first] = group;
    if (first === undefined || group.length < 2) return 'a group of fewer than two paths';
    if (firstBefore !== undefined && first <= firstBefore) return 'groups that are not in order';
    firstBefore = first;
    let before: ByteString | undefined;
    for (const path of group) {
      if (!isRelativePath(path)) return 'a path that is not names joined by /';
      if (before !== undefined && path <= before) return 'paths that are not in order';
      if (paths.has(path)) return 'a path in two groups';
      paths.add(path);
      before = path;
    }
  }
  return undefined;
}
