/**
 * Trees: one directory as leaves of sorted entries and nodes above them (docs/format.md, Trees).
 *
 * Encoding is canonical JSON, so the same directory always is the same blobs. Decoding takes hostile bytes: what it
 * returns is sorted, unique and within the limits; how several blobs fit together is for `tree-reader.ts` to check.
 */
import { MbkError } from '../errors.ts';
import { utf8 } from './bytes.ts';
import { byteFields, checkName, decodeByteText, encodeByteText, readByteFields, type ByteString } from './byte-name.ts';
import { canonicalText, parseJson } from './canonical-json.ts';
import { readFields, type Fields } from './fields.ts';
import { asBlobId, type BlobId, isHex } from './ids.ts';
import { limits } from './limits.ts';

/** [seconds since 1970, may be negative; nanoseconds, 0 to 999,999,999]. */
export type FileTime = readonly [seconds: number, nanoseconds: number];

interface EntryBase {
  readonly name: ByteString;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly mtime: FileTime;
  readonly owner: readonly [uid: number, gid: number];
}

/** What the bytes of a file are. Size 0 has no chunk; without `chunks` the one chunk is the blob `sha256`. */
export interface FileContent {
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the whole file. */
  readonly sha256: BlobId;
  readonly chunks?: BlobId;
  readonly layout?: BlobId;
}

export interface FileEntry extends EntryBase, FileContent {
  readonly type: 'file';
  /** Fewer blocks were taken than the size needs. */
  readonly sparse?: true;
  /** It changed while it was read. */
  readonly changed?: true;
}

export interface DirectoryEntry extends EntryBase {
  readonly type: 'directory';
  readonly tree: BlobId;
}

export interface SymlinkEntry extends EntryBase {
  readonly type: 'symlink';
  /** 1 to 4,095 bytes, none of them zero. */
  readonly target: ByteString;
}

export type TreeEntry = FileEntry | DirectoryEntry | SymlinkEntry;

/** A blob of a tree as its parent node knows it. */
export interface TreeChild {
  readonly id: BlobId;
  /** Entries below, at least 1. */
  readonly count: number;
  /** Name of the last entry below. */
  readonly last: ByteString;
}

export interface TreeLeaf {
  readonly level: 0;
  readonly entries: readonly TreeEntry[];
}

export interface TreeNode {
  /** 1 is right above leaves. */
  readonly level: number;
  readonly children: readonly TreeChild[];
}

/** Highest level of a node: a tree has at most `limits.treeLevels` levels, leaves included. */
export const highestLevel: number = limits.treeLevels - 1;

/**
 * Canonical text of one entry, as it stands in a leaf. It is what `canonicalText` makes of the same fields, written out
 * in their order: a snapshot writes every entry every time, so this is the text that costs most. TypeError likewise.
 */
export function entryText(entry: TreeEntry): string {
  const { mode, mtime, owner, type } = entry;
  const base = `"mode":${integer(mode)},"mtime":${pairText(mtime)},${byteFieldText('name', entry.name)},"owner":${pairText(owner)}`;
  switch (entry.type) {
    case 'directory':
      return `{${base},"tree":"${entry.tree}","type":"${type}"}`;
    case 'symlink':
      return `{${base},${byteFieldText('target', entry.target)},"type":"${type}"}`;
    case 'file': {
      const { size, sha256, chunks, layout, sparse, changed } = entry;
      const before = `${changed === true ? '"changed":true,' : ''}${chunks === undefined ? '' : `"chunks":"${chunks}",`}`;
      const parts = layout === undefined ? '' : `"layout":"${layout}",`;
      const flags = sparse === true ? '"sparse":true,' : '';
      return `{${before}${parts}${base},"sha256":"${sha256}","size":${integer(size)},${flags}"type":"${type}"}`;
    }
  }
}

function integer(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new TypeError(`canonical JSON holds safe integers only, got ${value}`);
}

function pairText([first, second]: readonly [number, number]): string {
  return `[${integer(first)},${integer(second)}]`;
}

/** Text that JSON holds as it is. */
const plainText = /^[ !#-[\]-~]*$/;

function byteFieldText(field: 'name' | 'target', bytes: ByteString): string {
  if (plainText.test(bytes)) return `"${field}":"${bytes}"`;
  return canonicalText(byteFields(field, bytes)).slice(1, -1);
}

/** Canonical text of one child, as it stands in a node. */
export function childText(child: TreeChild): string {
  return canonicalText({ count: child.count, id: child.id, last: encodeByteText(child.last) });
}

/** A leaf (level 0) or node of items that `entryText` or `childText` made, in order. */
export function encodeTreeItems(level: number, items: readonly string[]): Uint8Array {
  if (level === 0) return utf8(`${leafStart}${items.join(',')}${leafEnd}`);
  return utf8(`{"children":[${items.join(',')}],"level":${level},"type":"tree-node"}`);
}

const leafStart = '{"entries":[';
const leafEnd = '],"type":"tree"}';

/** What stands before and behind the entries of a leaf. */
export const treeLeafFrame: readonly [start: string, end: string] = [leafStart, leafEnd];

/** Bytes of a leaf besides its entries and the commas between them. */
export const leafFrameBytes: number = leafStart.length + leafEnd.length;

/** The leaf or node of `bytes`, a blob named `what`; `value-invalid`. */
export function decodeTree(bytes: Uint8Array, what: string): TreeLeaf | TreeNode {
  if (bytes.byteLength > limits.blobBytes) {
    throw new MbkError('value-invalid', `${what}: ${bytes.byteLength} bytes, a blob has at most ${limits.blobBytes}`);
  }
  const fields = readFields(parseJson(bytes, what), what);
  if (fields.literal('type', 'tree', 'tree-node') === 'tree') {
    const entries = fields.array('entries', (one) => one, { max: limits.treeEntries }).map(decodeEntryOf(what));
    checkOrder(entries, (entry) => entry.name, what);
    return { level: 0, entries };
  }
  const children = fields.array('children', decodeChild, { max: limits.treeEntries });
  if (children.length === 0) throw new MbkError('value-invalid', `${what}: a node without children`);
  checkOrder(children, (child) => child.last, what);
  return { level: fields.int('level', { min: 1, max: highestLevel }), children };
}

/** The entry of a JSON value named `what`; `value-invalid`. */
export function decodeEntry(value: unknown, what: string): TreeEntry {
  const fields = readFields(value, what);
  const base = {
    name: checkName(readByteFields(fields, 'name', limits.nameBytes), what),
    mode: fields.int('mode', { max: 0o7777 }),
    mtime: readTime(fields),
    owner: readOwner(fields),
  };
  switch (fields.literal('type', 'file', 'directory', 'symlink')) {
    case 'directory':
      return { type: 'directory', ...base, tree: asBlobId(fields.hex('tree', 32)) };
    case 'symlink':
      return { type: 'symlink', ...base, target: readTarget(fields) };
    case 'file':
      return {
        type: 'file',
        ...base,
        ...readContent(fields),
        ...readTrue(fields, 'sparse'),
        ...readTrue(fields, 'changed'),
      };
  }
}

function decodeEntryOf(what: string): (value: unknown, index: number) => TreeEntry {
  return (value, index) => plainFile(value) ?? decodeEntry(value, `${what}: entries[${index}]`);
}

/** Those that `plainFile` reads. */
const plainFields = 7;

/** Text that is its own bytes, and no name that means a folder. */
const plainName = /^(?!\.{1,2}$)[ -.0-~]{1,255}$/;

/**
 * What `decodeEntry` makes of a file of one blob with a plain name, undefined for all else, also where it is not sound:
 * nearly all entries are such files, and field by field each takes four times as long.
 */
function plainFile(value: unknown): FileEntry | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, name, mode, mtime, owner, size, sha256 } = value as Readonly<Record<string, unknown>>;
  if (type !== 'file' || typeof name !== 'string' || !plainName.test(name)) return undefined;
  if (Object.keys(value).length !== plainFields) return undefined;
  if (!isWithin(mode, 0, 0o7777) || !isWithin(size, 1, limits.blobBytes) || !isHex(sha256, 32)) return undefined;
  if (!isPair(mtime) || !isPair(owner) || mtime[1] < 0 || mtime[1] > 999_999_999) return undefined;
  if (!isWithin(owner[0], 0, 0xffff_ffff) || !isWithin(owner[1], 0, 0xffff_ffff)) return undefined;
  return { type, name, mode, mtime, owner, size, sha256: asBlobId(sha256) };
}

function isPair(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && Number.isSafeInteger(value[0]) && Number.isSafeInteger(value[1]);
}

/** The fields of a file's content, in a file entry or alone; `value-invalid`. */
export function readContent(fields: Fields): FileContent {
  const chunks = fields.optional('chunks', (f) => asBlobId(f.hex('chunks', 32)));
  const layout = fields.optional('layout', (f) => asBlobId(f.hex('layout', 32)));
  const content = {
    size: fields.int('size'),
    sha256: asBlobId(fields.hex('sha256', 32)),
    ...(chunks === undefined ? {} : { chunks }),
    ...(layout === undefined ? {} : { layout }),
  };
  if (content.size === 0 && (chunks !== undefined || layout !== undefined || content.sha256 !== emptySha256)) {
    throw new MbkError('value-invalid', `${fields.what}: a file without bytes has content`);
  }
  if (chunks === undefined && content.size > limits.blobBytes) {
    throw new MbkError('value-invalid', `${fields.what}: ${content.size} bytes in one blob`);
  }
  return content;
}

/** SHA-256 of no bytes (FIPS 180-4 examples). */
export const emptySha256: BlobId = asBlobId('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

function decodeChild(value: unknown, what: string): TreeChild {
  const fields = readFields(value, what);
  return {
    id: asBlobId(fields.hex('id', 32)),
    count: fields.int('count', { min: 1 }),
    last: checkName(decodeByteText(fields.raw('last'), `${what}: field last`, limits.nameBytes), what),
  };
}

function checkOrder<T>(items: readonly T[], nameOf: (item: T) => ByteString, what: string): void {
  let before: ByteString | undefined;
  for (const item of items) {
    const name = nameOf(item);
    if (before !== undefined && name <= before) {
      throw new MbkError('value-invalid', `${what}: names are not in order, each once`);
    }
    before = name;
  }
}

function readTime(fields: Fields): FileTime {
  const [seconds, nanoseconds] = readPair(fields, 'mtime', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (nanoseconds < 0 || nanoseconds > 999_999_999) {
    throw new MbkError('value-invalid', `${fields.what}: field mtime: expected nanoseconds from 0 to 999999999`);
  }
  return [seconds, nanoseconds];
}

function readOwner(fields: Fields): readonly [number, number] {
  return readPair(fields, 'owner', 0, 0xffff_ffff);
}

function readPair(fields: Fields, name: string, min: number, max: number): readonly [number, number] {
  const value = fields.raw(name);
  if (Array.isArray(value) && value.length === 2) {
    const [first, second] = value as readonly unknown[];
    if (isWithin(first, min, max) && isWithin(second, min, max)) return [first, second];
  }
  throw new MbkError('value-invalid', `${fields.what}: field ${name}: expected two integers from ${min} to ${max}`);
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
}

function readTarget(fields: Fields): ByteString {
  const target = readByteFields(fields, 'target', limits.targetBytes);
  if (target === '' || target.includes('\0')) {
    throw new MbkError(
      'value-invalid',
      `${fields.what}: field target: expected 1 to ${limits.targetBytes} bytes, none zero`,
    );
  }
  return target;
}

function readTrue<Name extends 'sparse' | 'changed'>(fields: Fields, name: Name): { readonly [N in Name]?: true } {
  if (!fields.has(name)) return {};
  fields.literal(name, true);
  return { [name]: true } as { readonly [N in Name]?: true };
}
