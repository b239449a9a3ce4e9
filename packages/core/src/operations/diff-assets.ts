/** What changed inside files that two snapshots have in two versions, in the words of the plugins that know them. */
import type { Difference as AssetDifference, Finding } from '@mbk/plugin-sdk';
import { decodeByteText, displayBytes, type ByteString, type ByteText } from '../format/byte-name.ts';
import { assetLimits } from '../format/asset-line.ts';
import type { AskedFile } from '../plugins/plugin-calls.ts';
import { has } from '../plugins/plugin-source.ts';
import type { Repository } from '../repository.ts';
import { knownAsset } from '../snapshot/asset-plugins.ts';
import { contentReader } from '../snapshot/content-reader.ts';
import type { PluginHost } from '../snapshot/plugin-host.ts';
import { findInUnion } from '../snapshot/union-tree.ts';
import type { DiffReport } from './diff.ts';
import type { OpenedFiles } from './snapshot-files.ts';
import type { StoredFiles } from './stored-files.ts';

export interface DifferenceInside {
  readonly path: ByteText;
  readonly kind: string;
  readonly plugin: string;
  /** Null where the plugin failed. */
  readonly difference: AssetDifference | null;
  readonly problem: Finding | null;
}

export interface DiffAssetsOptions {
  readonly host: PluginHost;
  readonly stored: StoredFiles;
  readonly before: OpenedFiles;
  /** Another snapshot, or where the folder is. */
  readonly after: OpenedFiles | { readonly root: ByteString };
}

/** Asks plugins about the modified and moved files among `differences`, one after the other. Throws what reading blobs throws. */
export async function* diffAssets(
  repository: Repository,
  { differences }: Pick<DiffReport, 'differences'>,
  options: DiffAssetsOptions,
): AsyncGenerator<DifferenceInside> {
  const { before, host, stored } = options;
  const { examiner, sources } = host;
  for (const one of differences) {
    if (one.kind !== 'modified' || one.type !== 'file') continue;
    const path = decodeByteText(one.path, 'path', assetLimits.pathBytes);
    const old = await storedFile(repository, before, path, stored);
    if (old === undefined) continue;
    const text = displayBytes(path);
    const known = knownAsset(host.rules, { path: text, head: await old.head(host.headBytes) });
    const source = known && sources[known.number];
    if (known === undefined || source === undefined || !has(source, 'diff')) continue;
    const now = await otherSide(repository, options.after, path, stored);
    if (now === undefined) continue;
    const asset = { plugin: known.number, kind: known.kind, collection: one.collection ?? undefined };
    const found = await examiner.diff(asset, { path: text, source: old.source }, { path: text, source: now });
    const plugin = `${source.manifest.name} ${source.manifest.version}`;
    const result =
      'problem' in found ? { difference: null, problem: found.problem } : { difference: found, problem: null };
    yield { path: one.path, kind: known.kind, plugin, ...result };
    stored.clear();
  }
}

async function storedFile(
  { readBlob, signal }: Repository,
  files: OpenedFiles,
  path: ByteString,
  stored: StoredFiles,
): Promise<{ readonly source: AskedFile['source']; head(length: number): Promise<Uint8Array> } | undefined> {
  const leaf = files.entry !== undefined && files.parts.length === 0 ? files.entry : undefined;
  const found = leaf ?? (await findInUnion(readBlob, files.parts, path, { signal }));
  if (found?.entry.type !== 'file') return undefined;
  const { entry } = found;
  const reader = stored.add(entry, files.parts);
  return {
    source: { type: 'remote', reader, size: entry.size },
    head: (length) => contentReader(readBlob, entry, signal).read(0, Math.min(length, entry.size)),
  };
}

async function otherSide(
  repository: Repository,
  after: DiffAssetsOptions['after'],
  path: ByteString,
  stored: StoredFiles,
): Promise<AskedFile['source'] | undefined> {
  if ('root' in after) return { type: 'file', location: `${after.root}/${path}`, identity: undefined };
  return (await storedFile(repository, after, path, stored))?.source;
}
