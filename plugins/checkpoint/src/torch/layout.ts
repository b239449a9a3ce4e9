/**
 * PyTorch's zip files (torch.save since 1.6, TorchScript): under one folder a pickle `data.pkl`, the storages it
 * names as stored members `data/<key>`, and the same for `constants.pkl`. A storage is one span, whole: that is what
 * the same weights have in common with other containers, however many views the pickle makes of it.
 */

import {
  type Layout,
  type LayoutContext,
  LayoutError,
  type LayoutTensor,
  makeLayout,
  type Reader,
} from '@mbk/plugin-sdk';
import { readZipDirectory, type ZipDirectory, type ZipMember } from '../zip/directory.ts';
import { isStored, offsetOfStored } from '../zip/stored-member.ts';
import { windowReader } from '../window-reader.ts';
import { type PickledStorage, pickledStorages } from './pickled-tensors.ts';

/** Above it the storages keep their places and lose their names; a pickle of 100,000 tensors has about 15 MB. */
const longestPickle = 1 << 25;
const mostPickles = 16;

/** The `layout` of a PyTorch zip: undefined for other zip files, LayoutError `zip/…` or `layout/…`. */
export async function layoutTorchZip(source: Reader, context: LayoutContext): Promise<Layout | undefined> {
  const reader = windowReader(source);
  const directory = await readZipDirectory(reader, context);
  return directory && layoutTorchMembers(reader, directory, { context });
}

export interface TorchMembersOptions {
  readonly context: LayoutContext;
  /** What the pickles of this name say, where it is known. */
  readonly storagesOf?: (archive: string) => ReadonlyMap<string, PickledStorage> | undefined;
  /** Where the bytes of a stored member begin, where it is known. */
  readonly offsetOf?: (index: number) => number | undefined;
}

/** The same of a file whose directory was read. */
export async function layoutTorchMembers(
  reader: Reader,
  directory: ZipDirectory,
  { context, offsetOf, storagesOf }: TorchMembersOptions,
): Promise<Layout | undefined> {
  const folder = folderOf(directory);
  if (folder === undefined) return undefined;
  const pickles = picklesIn(directory, folder);
  if (!pickles.has('data') && !pickles.has('constants')) return undefined;
  const isBigEndian = await hasBigEndianMark(reader, directory, { folder, context });
  const archives = new Map<string, Archive>();
  for (const [name, pickle] of pickles) {
    const storages = storagesOf?.(name) ?? (await readPickle(reader, pickle, { directory, context }));
    archives.set(name, { storages, keys: new Set() });
  }
  const tensors: LayoutTensor[] = [];
  const names = new Set<string>();
  let index = -1;
  for (const member of directory.members) {
    index += 1;
    if (!member.name.startsWith(folder) || !isStored(member)) continue;
    const [, archiveName = '', key = ''] = /^([^/]+)\/([^/]+)$/.exec(member.name.slice(folder.length)) ?? [];
    const archive = archives.get(archiveName);
    if (archive === undefined || key === '') continue;
    if (archive.keys.has(key)) throw duplicate(member);
    archive.keys.add(key);
    const offset = offsetOf?.(index) ?? (await offsetOfStored(reader, member, { directory, context }));
    const place = `${archiveName}/${key}`;
    const { dtype, name: own, shape } = describeSpan(place, member.size, archive.storages.get(key), archiveName);
    // Different paths can read the same (`a.b` in one dict, `b` in a dict `a`): the first has the name.
    const name = names.has(own) ? place : own;
    names.add(name);
    const tensor = { name, dtype, shape, offset, length: member.size };
    tensors.push(isBigEndian ? { ...tensor, byteOrder: 'big' } : tensor);
  }
  names.clear();
  return makeLayout('pytorch-zip', tensors, reader.size, context.limits);
}

/** With the slash behind it: that of the first member, where all others should lie too. */
export function folderOf({ members }: ZipDirectory): string | undefined {
  return /^[^/]*\//.exec(members.at(0)?.name ?? '')?.[0];
}

/** The stored members in the folder of a pickle's name, and what it says of them. */
interface Archive {
  readonly storages: ReadonlyMap<string, PickledStorage>;
  readonly keys: Set<string>;
}

function picklesIn({ members }: ZipDirectory, folder: string): ReadonlyMap<string, ZipMember> {
  const pickles = new Map<string, ZipMember>();
  for (const member of members) {
    if (!member.name.startsWith(folder)) continue;
    const name = /^([^/]+)\.pkl$/.exec(member.name.slice(folder.length))?.[1];
    if (name === undefined || pickles.size >= mostPickles) continue;
    if (pickles.has(name)) throw duplicate(member);
    pickles.set(name, member);
  }
  return pickles;
}

interface Place {
  readonly directory: ZipDirectory;
  readonly context: LayoutContext;
}

async function readPickle(
  reader: Reader,
  pickle: ZipMember,
  place: Place,
): Promise<ReadonlyMap<string, PickledStorage>> {
  if (!isStored(pickle) || pickle.size > longestPickle) return new Map();
  const offset = await offsetOfStored(reader, pickle, place);
  return pickledStorages(await reader.read(offset, pickle.size, { signal: place.context.signal }));
}

/** The member `byteorder` says `little` or `big`; files without it are little-endian. */
async function hasBigEndianMark(
  reader: Reader,
  directory: ZipDirectory,
  { context, folder }: { readonly context: LayoutContext; readonly folder: string },
): Promise<boolean> {
  const member = Iterator.from(directory.members).find(({ name }) => name === `${folder}byteorder`);
  if (member === undefined || !isStored(member) || member.size > 16) return false;
  const offset = await offsetOfStored(reader, member, { directory, context });
  const bytes = await reader.read(offset, member.size, { signal: context.signal });
  return new TextDecoder().decode(bytes) === 'big';
}

type Span = Pick<LayoutTensor, 'name' | 'dtype' | 'shape'>;

/** What the pickle says, if its size is the member's; else so many bytes, named by their place. */
function describeSpan(place: string, size: number, storage: PickledStorage | undefined, archive: string): Span {
  if (storage?.dtype === undefined || storage.length !== size) return { name: place, dtype: 'U8', shape: [size] };
  const { dtype, name, shape } = storage;
  if (name === undefined || name === '') return { name: place, dtype, shape };
  return { name: archive === 'data' ? name : `${archive}.${name}`, dtype, shape };
}

function duplicate({ entryOffset, name }: ZipMember): LayoutError {
  return new LayoutError(
    'zip/duplicate-member',
    `member ${JSON.stringify(name.slice(0, 80))} is there twice`,
    entryOffset,
  );
}
