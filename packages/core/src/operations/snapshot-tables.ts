/**
 * What stands beside the trees of a snapshot: hard links and the full table of assets of each collection
 * (docs/format.md, Trees).
 */
import { encodeAssetLine, type AssetLine } from '../format/asset-line.ts';
import { concatBytes } from '../format/bytes.ts';
import { encodeCanonical } from '../format/canonical-json.ts';
import type { BlobId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { encodeLinks } from '../format/links-record.ts';
import type { CapturedCollection, CaptureSourceOptions } from '../snapshot/capture-source.ts';

/** A collection whose records are all stored. */
export interface StoredCollection extends Omit<CapturedCollection, 'links'> {
  readonly links: BlobId | null;
  readonly table: BlobId | null;
}

export async function storeTables(
  collections: readonly CapturedCollection[],
  storeBlob: CaptureSourceOptions['store'],
): Promise<StoredCollection[]> {
  const stored: StoredCollection[] = [];
  for (const collection of collections) {
    const store = async (type: 'links' | 'table', bytes: Uint8Array): Promise<BlobId> =>
      (await storeBlob(type, bytes, collection)).id;
    const groups = collection.links.groups();
    const links = groups.length === 0 ? null : await store('links', encodeLinks(groups).bytes);
    const table =
      collection.assets.length === 0 ? null : await storeTable(collection.assets, (bytes) => store('table', bytes));
    stored.push({ ...collection, links, table });
  }
  return stored;
}

/** JSON lines; more than one blob holds is split by line into a node of parts. */
async function storeTable(
  assets: readonly AssetLine[],
  store: (bytes: Uint8Array) => Promise<BlobId>,
): Promise<BlobId> {
  const parts: BlobId[] = [];
  let lines: Uint8Array[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    parts.push(await store(concatBytes(lines)));
    lines = [];
    bytes = 0;
  };
  for (const line of assets.map(encodeAssetLine)) {
    if (bytes + line.byteLength > limits.blobBytes) await flush();
    lines.push(line);
    bytes += line.byteLength;
  }
  await flush();
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : store(encodeCanonical({ parts, type: 'table-node' }));
}
