/** Manifests that are written beside an exported dataset, from hashes that the snapshot has: SHA256SUMS, Croissant, BagIt. */

import { type ExportedFile, type Folder, type FolderFile, LayoutError, type ReaderContext } from '@mbk/plugin-sdk';
import type { DatasetOptions } from '../options.ts';
import { croissantText } from './croissant.ts';
import { percentEncoded } from './manifest-lines.ts';
import { isManifest } from './manifests.ts';

/** Characters of manifests that are made: some hundred thousand files. */
const mostText = 16 * 1_048_576;

/**
 * SHA256SUMS and croissant.json, unless the folder has its own; what makes a bag of it, if it is one that lacks its
 * manifest, or all of its data lies in `data/`. A LayoutError `dataset/not-counted` for too many files.
 */
export async function exportFolder(
  folder: Folder,
  { kernels, signal }: ReaderContext<DatasetOptions>,
): Promise<readonly ExportedFile[]> {
  const sums: string[] = [];
  const payload: string[] = [];
  const tags: string[] = [];
  const described: FolderFile[] = [];
  const present = new Set<string>();
  const total = { bytes: 0, files: 0 };
  let characters = 0;
  let isAllPayload = true;
  for await (const file of folder.files()) {
    signal.throwIfAborted();
    const { path, sha256, size } = file;
    if (isManifest(path)) {
      present.add(path);
      if (!path.startsWith('tagmanifest-')) tags.push(`${sha256}  ${percentEncoded(path)}\n`);
      continue;
    }
    const line = sumsText(sha256, path);
    characters += 2 * line.length + 300;
    if (characters > mostText) throw new LayoutError('dataset/not-counted', 'too many files for one manifest');
    sums.push(line);
    if (described.length < 5000) described.push(file);
    if (path.startsWith('data/')) {
      payload.push(`${sha256}  ${percentEncoded(path)}\n`);
      total.bytes += size;
      total.files += 1;
    } else {
      isAllPayload = false;
      tags.push(`${sha256}  ${percentEncoded(path)}\n`);
    }
  }
  const made: ExportedFile[] = [];
  const write = (path: string, text: string): void => {
    if (!present.has(path)) made.push({ path, text });
  };
  if (sums.length === 0) return [];
  const hasSums = [...present].some((path) => /^sha256sums?(?:\.txt)?$/i.test(path));
  if (!hasSums) write('SHA256SUMS', sums.join(''));
  if (described.length === sums.length) {
    write('croissant.json', croissantText(folder.path.slice(folder.path.lastIndexOf('/') + 1) || 'dataset', described));
  }
  const isBag = present.has('bagit.txt');
  if (total.files > 0 && (isAllPayload || isBag)) {
    write('bagit.txt', 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n');
    write('bag-info.txt', `Payload-Oxum: ${total.bytes}.${total.files}\n`);
    write('manifest-sha256.txt', payload.join(''));
    const own = made.map(({ path, text }) => {
      const hash = kernels.sha256();
      hash.update(new TextEncoder().encode(text));
      return `${hash.digest()}  ${path}\n`;
    });
    write('tagmanifest-sha256.txt', [...tags, ...own].toSorted().join(''));
  }
  return made;
}

/** A line as `sha256sum` writes it. */
function sumsText(sha256: string, path: string): string {
  if (!/[\\\n\r]/.test(path)) return `${sha256}  ${path}\n`;
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `\\${sha256}  ${escaped}\n`;
}
