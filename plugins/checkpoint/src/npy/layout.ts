/** Arrays of NumPy: one in a .npy file, several in the zip that .npz is. */

import {
  isLayoutError,
  type Layout,
  type LayoutContext,
  type LayoutTensor,
  makeLayout,
  type Reader,
} from '@mbk/plugin-sdk';
import { sliceReader } from '../slice-reader.ts';
import { windowReader } from '../window-reader.ts';
import { readZipDirectory, type ZipMember } from '../zip/directory.ts';
import { isStored, offsetOfStored } from '../zip/stored-member.ts';
import { npyTensor, readNpyHeader } from './header.ts';

/** LayoutError `npy/…`. Of an array of objects there is no tensor. */
export async function layoutNpy(reader: Reader, { limits, signal }: LayoutContext): Promise<Layout | undefined> {
  const header = await readNpyHeader(reader, signal);
  const tensor = npyTensor(header, 'array', 0, reader.size);
  return tensor === undefined ? undefined : makeLayout('npy', [tensor], reader.size, limits);
}

/** Undefined for a zip without arrays; compressed ones (savez_compressed) have no place in it. LayoutError `zip/…`. */
export async function layoutNpz(source: Reader, context: LayoutContext): Promise<Layout | undefined> {
  const reader = windowReader(source);
  const directory = await readZipDirectory(reader, context);
  if (directory === undefined || !Iterator.from(directory.members).some(isArray)) return undefined;
  const tensors: LayoutTensor[] = [];
  const names = new Set<string>();
  for (const member of directory.members) {
    if (!isArray(member)) continue;
    const name = member.name.slice(0, -'.npy'.length);
    if (!isStored(member) || names.has(name)) continue;
    const offset = await offsetOfStored(reader, member, { directory, context });
    try {
      const header = await readNpyHeader(sliceReader(reader, offset, member.size), context.signal);
      const tensor = npyTensor(header, name, offset, member.size);
      if (tensor !== undefined) tensors.push(tensor);
      names.add(name);
    } catch (error) {
      if (!isLayoutError(error)) throw error;
    }
  }
  return makeLayout('npz', tensors, reader.size, context.limits);
}

function isArray({ name }: ZipMember): boolean {
  return name.endsWith('.npy');
}
