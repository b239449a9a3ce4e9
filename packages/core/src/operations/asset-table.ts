/** The table of a collection's assets, as blobs hold it (docs/format.md, Trees). */
import { decodeAssetLine, jsonLines, type AssetLine } from '../format/asset-line.ts';
import { parseJson } from '../format/canonical-json.ts';
import { readFields } from '../format/fields.ts';
import { asBlobId, type BlobId } from '../format/ids.ts';
import type { ReadBlob } from '../snapshot/blobs.ts';

/** Most parts of a table: 16 MiB each. */
const mostParts = 65_536;

/** The assets of the table `id`, part by part. Errors: `value-invalid`, and those of `readBlob`. */
export async function* readAssetTable(readBlob: ReadBlob, id: BlobId): AsyncGenerator<AssetLine> {
  const bytes = await readBlob(id, 'table');
  const node = partsOf(bytes);
  for (const part of node ?? [bytes]) {
    const own = part instanceof Uint8Array ? part : await readBlob(part, 'table');
    for (const line of jsonLines(own, `table ${id}`)) yield decodeAssetLine(line.bytes, line.what);
  }
}

/** The parts of a node; undefined for a table of lines. */
function partsOf(bytes: Uint8Array): readonly BlobId[] | undefined {
  // Lines end with a newline, a node does not.
  if (bytes.at(-1) === 0x0a) return undefined;
  const fields = readFields(parseJson(bytes, 'a table'), 'a table');
  fields.literal('type', 'table-node');
  const part = (value: unknown, what: string): BlobId => asBlobId(readFields({ id: value }, what).hex('id', 32));
  return fields.array('parts', part, { max: mostParts });
}
