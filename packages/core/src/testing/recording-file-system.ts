/**
 * A filesystem in memory that knows what a power cut would leave.
 *
 * It keeps, beside what every call sees, what has reached the disk: of a file the bytes at its last fsync, of a folder
 * the names at its last fsync and each change of a name since. `crash` makes the filesystem that the next boot finds.
 * It is as cruel as POSIX allows, crueller than the usual journaling filesystems: of the changes of names since a
 * folder's fsync any subset may be lost, and bytes since a file's fsync may be lost, cut short or torn.
 */

import type { FileStatus, FolderItem, LocalFileSystem } from '../backend/local-file-system.ts';
import { errnoError } from './errno-error.ts';

export interface RecordingFileSystem extends LocalFileSystem {
  /** What a power cut now would leave, for numbers of `random` in [0, 1). This filesystem stays as it is. */
  crash(random: () => number): RecordingFileSystem;
}

export interface RecordingOptions {
  /** The clock of the filesystem, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** An empty filesystem; it has the folder `/` and nothing else. */
export function recordingFileSystem({ now = Date.now }: RecordingOptions = {}): RecordingFileSystem {
  return mount(newFolder(), now);
}

type Node = FileNode | FolderNode;

interface FileNode {
  readonly kind: 'file';
  bytes: Uint8Array;
  /** The bytes at the last fsync. */
  durable: Uint8Array;
  mtimeMs: number;
  links: number;
}

interface FolderNode {
  readonly kind: 'folder';
  readonly names: Map<string, Node>;
  /** The names at the last fsync. */
  durable: ReadonlyMap<string, Node>;
  /** What happened to names since then, in order; without a node: the name was removed. */
  changes: { readonly name: string; readonly node?: Node }[];
}

interface OpenNode {
  readonly node: Node;
  /** Where the next write goes. */
  position: number;
}

function mount(root: FolderNode, now: () => number): RecordingFileSystem {
  const open = new Map<number, OpenNode>();
  // Above the numbers that a process has in use, so that a mix-up with real ones is noticed.
  let nextFd = 1000;

  return {
    createSync: (path) => {
      const { folder, name } = place(root, path, 'open');
      const node: FileNode = { kind: 'file', bytes: empty, durable: empty, mtimeMs: now(), links: 0 };
      add(folder, name, node, 'open', path);
      return opened(node);
    },
    openSync: (path) => opened(nodeAt(root, path, 'open')),
    writeSync: (fd, bytes, offset, length) => {
      const file = fileOf(fd, 'write');
      const { position } = openOf(fd, 'write');
      const grown = new Uint8Array(Math.max(file.bytes.length, position + length));
      grown.set(file.bytes);
      grown.set(bytes.subarray(offset, offset + length), position);
      file.bytes = grown;
      file.mtimeMs = now();
      openOf(fd, 'write').position += length;
      return length;
    },
    readSync: (fd, bytes, offset, length, position) => {
      const part = fileOf(fd, 'read').bytes.subarray(position, position + length);
      bytes.set(part, offset);
      return part.length;
    },
    fsyncSync: (fd) => {
      const file = fileOf(fd, 'fsync');
      file.durable = file.bytes;
    },
    syncFolderSync: (path) => {
      const folder = folderAt(root, path, 'fsync');
      folder.durable = new Map(folder.names);
      folder.changes = [];
    },
    closeSync: (fd) => {
      openOf(fd, 'close');
      open.delete(fd);
    },
    fstatSync: (fd) => status(openOf(fd, 'fstat').node),
    statSync: (path) => {
      const node = find(root, path, 'lstat');
      return node === undefined ? undefined : status(node);
    },
    linkSync: (path, newPath) => {
      const node = nodeAt(root, path, 'link');
      const { folder, name } = place(root, newPath, 'link');
      if (folder.names.has(name)) throw errnoError('EEXIST', 'link', newPath);
      if (node.kind === 'folder') throw errnoError('EPERM', 'link', path);
      add(folder, name, node, 'link', newPath);
    },
    unlinkSync: (path) => {
      const node = nodeAt(root, path, 'unlink');
      if (node.kind === 'folder') throw errnoError('EISDIR', 'unlink', path);
      const { folder, name } = place(root, path, 'unlink');
      folder.names.delete(name);
      folder.changes.push({ name });
      node.links -= 1;
    },
    mkdirSync: (path) => {
      const { folder, name } = place(root, path, 'mkdir');
      add(folder, name, newFolder(), 'mkdir', path);
    },
    readdirSync: (path): FolderItem[] =>
      [...folderAt(root, path, 'scandir').names].map(([name, { kind }]) => ({ name, kind })),
    crash: (random) => {
      const survivor = survive(root, random, new Map());
      if (survivor.kind !== 'folder') throw new TypeError('expected the root to be a folder, got a file');
      return mount(survivor, now);
    },
  };

  function opened(node: Node): number {
    nextFd += 1;
    open.set(nextFd, { node, position: 0 });
    return nextFd;
  }

  function openOf(fd: number, call: string): OpenNode {
    const found = open.get(fd);
    if (found === undefined) throw errnoError('EBADF', call, `descriptor ${fd}`);
    return found;
  }

  function fileOf(fd: number, call: string): FileNode {
    const { node } = openOf(fd, call);
    if (node.kind === 'folder') throw errnoError('EISDIR', call, `descriptor ${fd}`);
    return node;
  }
}

const empty = new Uint8Array();

function newFolder(): FolderNode {
  return { kind: 'folder', names: new Map(), durable: new Map(), changes: [] };
}

function add(folder: FolderNode, name: string, node: Node, call: string, path: string): void {
  if (folder.names.has(name)) throw errnoError('EEXIST', call, path);
  folder.names.set(name, node);
  folder.changes.push({ name, node });
  if (node.kind === 'file') node.links += 1;
}

function status(node: Node): FileStatus {
  if (node.kind === 'folder') return { kind: 'folder', size: 0, mtimeMs: 0, links: 1 };
  return { kind: 'file', size: node.bytes.length, mtimeMs: node.mtimeMs, links: node.links };
}

/** What is at `path`, `undefined` when nothing is; 'ENOTDIR' when the way there leads through a file. */
function find(root: FolderNode, path: string, call: string): Node | undefined {
  let node: Node | undefined = root;
  for (const name of segments(path)) {
    if (node?.kind === 'file') throw errnoError('ENOTDIR', call, path);
    node = node?.names.get(name);
  }
  return node;
}

function nodeAt(root: FolderNode, path: string, call: string): Node {
  const node = find(root, path, call);
  if (node === undefined) throw errnoError('ENOENT', call, path);
  return node;
}

function folderAt(root: FolderNode, path: string, call: string): FolderNode {
  const node = nodeAt(root, path, call);
  if (node.kind === 'file') throw errnoError('ENOTDIR', call, path);
  return node;
}

/** The folder in which the last name of `path` stands, or would. */
function place(root: FolderNode, path: string, call: string): { folder: FolderNode; name: string } {
  const names = segments(path);
  const name = names.pop();
  if (name === undefined) throw errnoError('EEXIST', call, path);
  return { folder: folderAt(root, names.join('/'), call), name };
}

function segments(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

/** What is left of `node`; a file with two names stays one file. */
function survive(node: Node, random: () => number, survivors: Map<Node, Node>): Node {
  const known = survivors.get(node);
  if (known !== undefined) return known;
  if (node.kind === 'file') {
    const bytes = survivingBytes(node, random);
    const file: FileNode = { kind: 'file', bytes, durable: bytes, mtimeMs: node.mtimeMs, links: 0 };
    survivors.set(node, file);
    return file;
  }
  const names = new Map(node.durable);
  for (const change of node.changes) {
    if (random() < 0.5) continue;
    if (change.node === undefined) names.delete(change.name);
    else names.set(change.name, change.node);
  }
  const folder = newFolder();
  survivors.set(node, folder);
  for (const [name, child] of names) add(folder, name, survive(child, random, survivors), 'mount', name);
  folder.durable = new Map(folder.names);
  folder.changes = [];
  return folder;
}

function survivingBytes({ bytes, durable }: FileNode, random: () => number): Uint8Array {
  if (bytes === durable) return bytes;
  const upTo = (count: number): number => Math.floor(random() * (count + 1));
  const kind = random();
  if (kind < 0.25) return durable;
  if (kind < 0.5) return bytes;
  if (kind < 0.75) return bytes.slice(0, upTo(bytes.length));
  // The length reached the disk and some of the blocks did not: what they held before is anything.
  const torn = bytes.slice();
  for (let index = upTo(torn.length); index < torn.length; index += 1) torn[index] = Math.floor(random() * 256);
  return torn;
}
