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
import { type PickledStorage, pickledStorages } from './pickled-tensors.ts';

/** Above it the storages keep their places and lose their names; a pickle of 100,000 tensors has about 15 MB. */
const longestPickle = 1 << 25;
const mostPickles = 16;

/** The `layout` of a PyTorch zip: undefined for other zip files, LayoutError `zip/…` or `layout/…`. */
export async function layoutTorchZip(reader: Reader, context: LayoutContext): Promise<Layout | undefined> {
  const directory = await readZipDirectory(reader, context);
  const folder = directory?.members[0]?.name.match(/^[^/]*\//)?.[0];
  if (directory === undefined || folder === undefined) return undefined;
  const archives = archivesIn(directory, folder);
  if (!archives.some(({ name }) => name === 'data' || name === 'constants')) return undefined;

  const isBigEndian = await hasBigEndianMark(reader, directory, { folder, context });
  const tensors: LayoutTensor[] = [];
  const names = new Set<string>();
  for (const archive of archives) {
    const storages = await readPickle(reader, archive.pickle, { directory, context });
    for (const [key, member] of archive.members) {
      const offset = await offsetOfStored(reader, member, { directory, context });
      const place = `${archive.name}/${key}`;
      const span = describeSpan(place, member.size, storages.get(key), archive.name);
      // Different paths can read the same (`a.b` in one dict, `b` in a dict `a`): the first has the name.
      const name = names.has(span.name) ? place : span.name;
      names.add(name);
      tensors.push({ ...span, name, offset, length: member.size, ...(isBigEndian ? { byteOrder: 'big' } : {}) });
    }
  }
  return makeLayout('pytorch-zip', tensors, reader.size, context.limits);
}

/** A pickle and the stored members in the folder of its name. */
interface Archive {
  readonly name: string;
  readonly pickle: ZipMember;
  readonly members: ReadonlyMap<string, ZipMember>;
}

function archivesIn({ members }: ZipDirectory, folder: string): readonly Archive[] {
  const inFolder = members.filter(({ name }) => name.startsWith(folder));
  const archives = new Map<string, { name: string; pickle: ZipMember; members: Map<string, ZipMember> }>();
  for (const member of inFolder) {
    const name = /^([^/]+)\.pkl$/.exec(member.name.slice(folder.length))?.[1];
    if (name === undefined || archives.size >= mostPickles) continue;
    if (archives.has(name)) throw duplicate(member);
    archives.set(name, { name, pickle: member, members: new Map() });
  }
  for (const member of inFolder) {
    const [, name = '', key = ''] = /^([^/]+)\/([^/]+)$/.exec(member.name.slice(folder.length)) ?? [];
    const archive = archives.get(name);
    if (archive === undefined || key === '' || !isStored(member)) continue;
    if (archive.members.has(key)) throw duplicate(member);
    archive.members.set(key, member);
  }
  return [...archives.values()];
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
  const member = directory.members.find(({ name }) => name === `${folder}byteorder`);
  if (member === undefined || !isStored(member) || member.size > 16) return false;
  const offset = await offsetOfStored(reader, member, { directory, context });
  const bytes = await reader.read(offset, member.size, { signal: context.signal });
  return new TextDecoder().decode(bytes) === 'big';
}

type Span = Pick<LayoutTensor, 'name' | 'dtype' | 'shape'>;

/** What the pickle says, if its size is the member's; else so many bytes, named by their place. */
function describeSpan(place: string, size: number, storage: PickledStorage | undefined, archive: string): Span {
  if (storage === undefined || storage.length !== size) return { name: place, dtype: 'U8', shape: [size] };
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
