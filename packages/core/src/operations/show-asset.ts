/** Assets of a snapshot, for looking: what plugins said of them when it was taken, and the tensors of one of them. */
import { decodeByteText, encodeByteText, type ByteString } from '../format/byte-name.ts';
import { assetLimits, type AssetLine } from '../format/asset-line.ts';
import type { CommitId } from '../format/ids.ts';
import { decodeLayout, type Layout } from '../format/layout-record.ts';
import { isExpired } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { readAssetTable } from './asset-table.ts';
import { openFiles } from './snapshot-files.ts';

/** The assets of all live collections of a snapshot, collection by collection. Errors: those of reading blobs. */
export async function* listAssets(repository: Repository, commit: CommitId): AsyncGenerator<AssetLine> {
  const { log, readBlob, signal } = repository;
  const { manifest } = await repository.catalogue().readSnapshot(commit, { signal });
  for (const { assets, commit: takenBy, name } of manifest.collections) {
    if (assets === null || isExpired(log.fold, takenBy ?? commit, name)) continue;
    yield* readAssetTable(readBlob, assets);
  }
}

export interface ShownAsset {
  readonly commit: CommitId;
  readonly domain: string;
  /** Undefined where no plugin knew it. */
  readonly asset: AssetLine | undefined;
  /** Where its tensors lie; undefined where it has none that are known. */
  readonly layout: Layout | undefined;
  /** Bytes; null for a folder. */
  readonly size: number | null;
  readonly sha256: string | null;
}

/** What `REV:PATH` means, as an asset. Errors: those of `openFiles`, and of reading blobs. */
export async function showAsset(repository: Repository, revision: string): Promise<ShownAsset> {
  const { readBlob } = repository;
  const { commit, domain, entry, path } = await openFiles(repository, revision);
  const file = entry?.entry.type === 'file' ? entry.entry : undefined;
  const wanted = path === '' ? '.' : path;
  let asset: AssetLine | undefined;
  for await (const line of listAssets(repository, commit)) {
    if (pathOf(line) === wanted) asset = line;
  }
  const layout =
    file?.layout === undefined
      ? undefined
      : decodeLayout(
          await readBlob(file.layout, 'layout'),
          file.size,
          `layout of ${JSON.stringify(encodeByteText(path))}`,
        );
  return { commit, domain, asset, layout, size: file?.size ?? null, sha256: file?.sha256 ?? null };
}

function pathOf({ path }: AssetLine): ByteString {
  return decodeByteText(path, 'path', assetLimits.pathBytes);
}
