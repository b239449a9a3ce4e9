/**
 * Folders of a snapshot that are assets, as their plugins see them: every file with its hash, and with what the plugin said
 * of it when the snapshot was taken. Nothing of the files is read.
 */
import type { FolderFile } from '@mbk/plugin-sdk';
import { decodeByteText, textOfBytes, type ByteString } from '../format/byte-name.ts';
import { assetLimits } from '../format/asset-line.ts';
import type { AskedFolder, AssetKind } from '../plugins/examiner.ts';
import { has, type PluginSource } from '../plugins/plugin-source.ts';
import type { Repository } from '../repository.ts';
import { findInUnion, isUnionDirectory, walkUnion } from '../snapshot/union-tree.ts';
import { listAssets } from './show-asset.ts';
import type { OpenedFiles } from './snapshot-files.ts';
import type { StoredFiles } from './stored-files.ts';

/** A folder that a plugin took for one asset. */
export interface AssetFolder extends AssetKind {
  /** From the folder that was opened; empty for itself. */
  readonly path: ByteString;
  readonly collection: string;
}

/** What the plugin of a folder said of the files below it, by their paths from the folder that was opened. */
export type FileFacts = ReadonlyMap<ByteString, Pick<FolderFile, 'kind' | 'facts'>>;

/** A folder with its files. */
export interface OpenedAssetFolder extends AskedFolder {
  /** Whether there were more files than are looked at together. */
  readonly isFull: boolean;
}

/** As many as a snapshot shows its plugins. */
const mostFiles = 200_000;

/** The folders of a snapshot that `wanted` and one of `sources` knows. Errors: those of reading blobs. */
export async function assetFolders(
  repository: Repository,
  opened: OpenedFiles,
  sources: readonly PluginSource[],
  wanted: (path: ByteString) => boolean,
): Promise<readonly AssetFolder[]> {
  const folders: AssetFolder[] = [];
  if (!sources.some(hasFolders)) return folders;
  for await (const { collection, kind, path: name, plugin: by, sha256 } of listAssets(repository, opened.commit)) {
    if (sha256 !== null) continue;
    const plugin = sources.findIndex((source) => hasFolders(source) && by?.startsWith(`${source.manifest.name} `));
    const path = within(opened.path, pathOfFolder(decodeByteText(name, 'path', assetLimits.pathBytes)));
    if (plugin === -1 || path === undefined || !wanted(path)) continue;
    folders.push({ path, kind, plugin, collection });
  }
  return folders;
}

/** What was said of the files of `folders`, in one pass over the tables. Errors: those of reading blobs. */
export async function factsOfFiles(
  repository: Repository,
  opened: OpenedFiles,
  folders: readonly AssetFolder[],
  sources: readonly PluginSource[],
): Promise<FileFacts> {
  const facts = new Map<ByteString, Pick<FolderFile, 'kind' | 'facts'>>();
  if (folders.length === 0) return facts;
  for await (const line of listAssets(repository, opened.commit)) {
    if (line.sha256 === null || facts.size === mostFiles) continue;
    const path = within(opened.path, decodeByteText(line.path, 'path', assetLimits.pathBytes));
    const folder = folders.find((one) => path !== undefined && isBelow(path, one.path));
    if (path === undefined || folder === undefined) continue;
    const { name = '' } = sources[folder.plugin]?.manifest ?? {};
    if (line.plugin?.startsWith(`${name} `) !== true) continue;
    facts.set(path, { kind: line.kind, ...(line.facts === undefined ? {} : { facts: line.facts }) });
  }
  return facts;
}

/** The folder in a snapshot, which need not be one that took it for an asset; undefined if it is not there. */
export async function openAssetFolder(
  { readBlob, signal }: Repository,
  opened: OpenedFiles,
  { collection, path }: Pick<AssetFolder, 'collection' | 'path'>,
  { facts, stored }: { readonly facts: FileFacts; readonly stored: StoredFiles },
): Promise<OpenedAssetFolder | undefined> {
  const found = path === '' ? undefined : await findInUnion(readBlob, opened.parts, path, { signal });
  if (path !== '' && (found === undefined || !isUnionDirectory(found))) return undefined;
  const parts = found !== undefined && isUnionDirectory(found) ? found.parts : opened.parts;
  const files: FolderFile[] = [];
  let isFull = false;
  for await (const { collection: of, entry, path: at } of walkUnion(readBlob, parts, { base: path, signal })) {
    if (entry.type !== 'file' || of !== collection) continue;
    const name = textOfBytes(at.slice(path === '' ? 0 : path.length + 1));
    if (name === undefined) continue; // no plugin could name it
    isFull = files.length === mostFiles;
    if (isFull) break;
    files.push({ path: name, size: entry.size, sha256: entry.sha256, ...facts.get(at) });
  }
  const source = { type: 'remote', folder: stored.addFolder(path, opened.parts) } as const;
  return { path: textOfBytes(path) ?? '', files: sortedFiles(files), source, isFull };
}

/** By path, in the order of UTF-16, as plugins see them. */
export function sortedFiles(files: readonly FolderFile[]): FolderFile[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Whether a path is at or below a folder. */
export function isBelow(path: ByteString, folder: ByteString): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** Path of an asset folder from its line, where the root is a dot. */
function pathOfFolder(path: ByteString): ByteString {
  return path === '.' ? '' : path;
}

/** A path of the snapshot as seen from a folder; undefined if it lies outside. */
function within(folder: ByteString, path: ByteString): ByteString | undefined {
  if (folder === '') return path;
  if (path === folder) return '';
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
}

function hasFolders(source: PluginSource): boolean {
  return source.manifest.folders !== undefined && has(source, 'folder');
}
