/** What changed inside folders that are assets, between two snapshots, or between one and the source as it is now. */
import type { FolderFile } from '@mbk/plugin-sdk';
import fs from 'node:fs';
import {
  bufferOfBytes,
  decodeByteText,
  displayBytes,
  encodeByteText,
  joinBytes,
  textOfBytes,
  type ByteString,
} from '../format/byte-name.ts';
import { assetLimits } from '../format/asset-line.ts';
import { isMbkError } from '../errors.ts';
import type { PluginHost } from '../snapshot/plugin-host.ts';
import { knownAsset } from '../snapshot/asset-plugins.ts';
import type { Repository } from '../repository.ts';
import {
  assetFolders,
  factsOfFiles,
  isBelow,
  openAssetFolder,
  sortedFiles,
  type AssetFolder,
  type FileFacts,
  type OpenedAssetFolder,
} from './asset-folders.ts';
import type { DifferenceInside, DiffAssetsOptions } from './diff-assets.ts';
import type { DiffReport, Difference } from './diff.ts';
import { headOf, sha256Of } from './file-of-source.ts';

interface Touched {
  readonly kind: Difference['kind'];
  readonly path: ByteString;
  readonly from: ByteString | undefined;
}

/**
 * Asks plugins about the folders that hold a file among `differences`, were assets before and still are there, one after
 * the other. Throws what reading blobs throws.
 */
export async function* diffAssetFolders(
  repository: Repository,
  { differences }: Pick<DiffReport, 'differences'>,
  { after, before, host, stored }: DiffAssetsOptions,
): AsyncGenerator<DifferenceInside> {
  const { examiner, sources } = host;
  const touched = differences.flatMap(touchedFile);
  if (touched.length === 0) return;
  const wanted = (folder: ByteString): boolean =>
    touched.some(({ from, path }) => isBelow(path, folder) || (from !== undefined && isBelow(from, folder)));
  const folders = await assetFolders(repository, before, sources, wanted);
  const oldFacts = await factsOfFiles(repository, before, folders, sources);
  const newFacts: FileFacts = 'root' in after ? new Map() : await factsOfFiles(repository, after, folders, sources);
  for (const folder of folders) {
    const old = await openAssetFolder(repository, before, folder, { facts: oldFacts, stored });
    const now =
      'root' in after
        ? old && (await sourceFolder(after.root, folder, { old, touched, host, signal: repository.signal }))
        : await openAssetFolder(repository, after, folder, { facts: newFacts, stored });
    if (old === undefined || now === undefined || now.files.length === 0 || old.isFull || now.isFull) continue;
    const found = await examiner.diffFolder(folder, old, now);
    if (found === undefined) continue;
    const { name = '', version = '' } = sources[folder.plugin]?.manifest ?? {};
    const result =
      'problem' in found ? { difference: null, problem: found.problem } : { difference: found, problem: null };
    const path = folder.path === '' ? '.' : encodeByteText(folder.path);
    yield { path, kind: folder.kind, plugin: `${name} ${version}`, ...result };
  }
}

function touchedFile({ from, kind, path, type }: Difference): readonly Touched[] {
  if (type !== 'file' || kind === 'metadata') return [];
  const decode = (text: Difference['path']): ByteString => decodeByteText(text, 'path', assetLimits.pathBytes);
  return [{ kind, path: decode(path), from: from === null ? undefined : decode(from) }];
}

interface Looking {
  readonly old: OpenedAssetFolder;
  readonly touched: readonly Touched[];
  readonly host: PluginHost;
  readonly signal: AbortSignal | undefined;
}

/**
 * The folder as it is now: as it was, but for what is told to differ, which is hashed and examined. Undefined if a file went
 * away meanwhile.
 */
async function sourceFolder(
  root: ByteString,
  folder: AssetFolder,
  { host, old, signal, touched }: Looking,
): Promise<OpenedAssetFolder | undefined> {
  const files = new Map<string, FolderFile>(old.files.map((file) => [file.path, file]));
  const nameOf = (path: ByteString): string | undefined =>
    isBelow(path, folder.path) ? textOfBytes(path.slice(folder.path === '' ? 0 : folder.path.length + 1)) : undefined;
  for (const { from, kind, path } of touched) {
    signal?.throwIfAborted();
    const gone = nameOf(from ?? path);
    if (gone !== undefined && kind !== 'added') files.delete(gone);
    const name = nameOf(path);
    if (name === undefined || kind === 'removed') continue;
    const file = await fileNow(root, path, { folder, host });
    if (file === undefined) return undefined;
    files.set(name, { path: name, ...file });
  }
  const source = { type: 'folder', location: folder.path === '' ? root : joinBytes(root, folder.path) } as const;
  return { path: old.path, files: sortedFiles([...files.values()]), source, isFull: old.isFull };
}

async function fileNow(
  root: ByteString,
  path: ByteString,
  { folder, host }: { readonly folder: AssetFolder; readonly host: PluginHost },
): Promise<Omit<FolderFile, 'path'> | undefined> {
  const location = joinBytes(root, path);
  const size = fs.lstatSync(bufferOfBytes(location), { throwIfNoEntry: false })?.size;
  const head = headOf(location, host.headBytes);
  if (size === undefined || head === undefined) return undefined;
  let sha256: string;
  try {
    sha256 = await sha256Of(location);
  } catch (error) {
    if (isMbkError(error, 'source-absent')) return undefined;
    throw error;
  }
  const text = displayBytes(path);
  const known = knownAsset(host.rules, { path: text, head });
  if (known?.examines === undefined || known.number !== folder.plugin) return { size, sha256 };
  const { examines: reads, kind, number: plugin } = known;
  const asset = { plugin, kind, collection: folder.collection, path: text, reads };
  const source = { type: 'file', location, identity: undefined } as const;
  const facts = (await host.examiner.asked(asset, { path: text, source, sha256 }))?.report.facts;
  return { size, sha256, kind, ...(facts === undefined ? {} : { facts }) };
}
