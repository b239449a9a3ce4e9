/**
 * What plugins say once all files are taken: of folders as wholes, and of what became of the facts since the snapshot
 * before. Files themselves were examined as they were stored.
 */
import type { Finding, JsonObject } from '@mbk/plugin-sdk';
import type { AssetLine, AssetReport } from '../format/asset-line.ts';
import { bytesOfText, encodeByteText, type ByteString } from '../format/byte-name.ts';
import { headOf, isExpired } from '../log/fold.ts';
import type { Examiner } from '../plugins/examiner.ts';
import { has } from '../plugins/plugin-source.ts';
import type { Repository } from '../repository.ts';
import type { CapturedCollection } from '../snapshot/capture-source.ts';
import type { FolderCollector } from '../snapshot/folder-collector.ts';
import type { PluginHost } from '../snapshot/plugin-host.ts';
import { readAssetTable } from './asset-table.ts';
import { isBadContent } from './bad-content.ts';

export interface ExamineCollectionsOptions {
  readonly host: PluginHost;
  readonly folders: FolderCollector;
  /** Absolute path of the source root. */
  readonly root: ByteString;
}

/** The collections with folders added to their assets, and with findings about drift. */
export async function examineCollections(
  repository: Repository,
  collections: readonly CapturedCollection[],
  { host, folders, root }: ExamineCollectionsOptions,
): Promise<readonly CapturedCollection[]> {
  const examined: CapturedCollection[] = [];
  for (const collection of collections) {
    const assets = [...collection.assets];
    for (const folder of folders.folders(collection)) {
      const { path, kind, plugin, bytes, files } = folder;
      const location = path === '' ? root : `${root}/${bytesOfText(path)}`;
      const asset = { plugin, kind, collection: collection.collection, path };
      const { report } = await host.examiner.folder(asset, files, { type: 'folder', location });
      const whole = folders.isFull ? withFinding(report, notWhole(path)) : report;
      assets.push({
        path: encodeByteText(bytesOfText(path === '' ? '.' : path)),
        collection: collection.collection,
        kind,
        size: bytes,
        sha256: null,
        ...whole,
      });
    }
    examined.push({ ...collection, assets: await withDrift(repository, collection, assets, host) });
  }
  return examined;
}

function notWhole(path: string): Finding {
  return {
    code: 'host/folder-not-whole',
    severity: 'warning',
    message: `${path === '' ? 'the root' : path} has more files than are looked at together; the rest was left out`,
  };
}

/** Findings about what became of the facts, where they are not what they were. */
async function withDrift(
  repository: Repository,
  { collection, domain }: CapturedCollection,
  assets: readonly AssetLine[],
  { examiner, sources }: PluginHost,
): Promise<readonly AssetLine[]> {
  const candidates = new Map<string, { readonly plugin: number; readonly index: number }>();
  for (const [index, asset] of assets.entries()) {
    const plugin = sources.findIndex(
      ({ manifest }) => asset.plugin === `${manifest.name} ${manifest.version}` && asset.facts !== undefined,
    );
    const source = sources[plugin];
    if (source !== undefined && has(source, asset.sha256 === null ? 'folder' : 'drift')) {
      candidates.set(`${asset.kind} ${JSON.stringify(asset.path)}`, { plugin, index });
    }
  }
  if (candidates.size === 0) return assets;
  const result = [...assets];
  for await (const before of assetsBefore(repository, domain, collection)) {
    const found = candidates.get(`${before.kind} ${JSON.stringify(before.path)}`);
    const after = found && assets[found.index];
    if (found === undefined || after?.facts === undefined || before.facts === undefined) continue;
    if (nameOf(before.plugin) !== nameOf(after.plugin)) continue;
    if (after.sha256 !== null && after.sha256 === before.sha256) continue;
    const { plugin, index } = found;
    const findings = await driftOf(examiner, { plugin, kind: after.kind, collection }, before.facts, after);
    const report = { plugin: after.plugin ?? '', ...reportOf(after) };
    result[index] = { ...after, ...findings.reduce(withFinding, report) };
  }
  return result;
}

async function driftOf(
  examiner: Examiner,
  asset: { readonly plugin: number; readonly kind: string; readonly collection: string },
  before: JsonObject,
  after: AssetLine,
): Promise<readonly Finding[]> {
  return examiner.drift({ ...asset, isFolder: after.sha256 === null }, before, after.facts ?? {});
}

function reportOf({ facts, findings, summary }: AssetLine): Partial<AssetReport> {
  return {
    ...(summary === undefined ? {} : { summary }),
    ...(facts === undefined ? {} : { facts }),
    ...(findings === undefined ? {} : { findings }),
  };
}

function withFinding(report: AssetReport, finding: Finding): AssetReport {
  return { ...report, findings: [...(report.findings ?? []), finding].slice(0, mostFindings) };
}

const mostFindings = 200;

function nameOf(plugin: string | undefined): string | undefined {
  return plugin?.split(' ', 1)[0];
}

/** The assets of a collection as of the domain's head; none where they are not to be had: they are for comparing only. */
async function* assetsBefore(repository: Repository, domain: string, name: string): AsyncGenerator<AssetLine> {
  const { log, readBlob, signal } = repository;
  const head = headOf(log.fold, domain);
  if (head === null) return;
  try {
    const { manifest } = await repository.catalogue().readSnapshot(head, { signal });
    const state = manifest.collections.find((one) => one.name === name);
    if (state === undefined || state.assets === null || isExpired(log.fold, state.commit ?? head, name)) return;
    yield* readAssetTable(readBlob, state.assets);
  } catch (error) {
    if (!isBadContent(error)) throw error; // told when the commit is built on it
  }
}
