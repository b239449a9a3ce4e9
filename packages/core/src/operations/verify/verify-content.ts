/**
 * What snapshots hold: every tree, chunk list, layout, table and links record that a live capture reaches is read and
 * decoded, every blob they name has a whole copy of the right length, and files and bytes are as many as manifests say.
 *
 * A tree that several snapshots share is looked at once. Held in memory: the ids of the directories and chunk lists that
 * were seen with their sums, about 200 bytes for each.
 */
import { isMbkError, MbkError } from '../../errors.ts';
import { decodeAssetLines } from '../../format/asset-line.ts';
import { displayBytes, joinBytes, type ByteString } from '../../format/byte-name.ts';
import { parseJson } from '../../format/canonical-json.ts';
import { readFields } from '../../format/fields.ts';
import {
  asBlobId,
  asPackId,
  isHex,
  packKey,
  packKindOf,
  type BlobId,
  type BlobType,
  type CommitId,
  type PackId,
  type PackKind,
} from '../../format/ids.ts';
import { decodeLayout } from '../../format/layout-record.ts';
import { limits } from '../../format/limits.ts';
import { decodeLinks } from '../../format/links-record.ts';
import type { CollectionState } from '../../format/snapshot-manifest.ts';
import type { FileEntry } from '../../format/tree.ts';
import { isExpired } from '../../log/fold.ts';
import type { IndexSet } from '../../pack/index-set.ts';
import type { ReadBlob } from '../../snapshot/blobs.ts';
import { readChunks } from '../../snapshot/chunk-list-reader.ts';
import { checkDepth, findPath, readTree } from '../../snapshot/tree-reader.ts';
import { isBadContent } from '../bad-content.ts';
import type { FindingCode, OpenFinding } from './findings.ts';
import type { PackHealth } from './pack-health.ts';
import type { Verification } from './verification.ts';

/** A collection of a snapshot. */
export interface Held {
  readonly commit: CommitId;
  readonly domain: string;
  readonly collection: CollectionState;
}

export interface ContentCheck {
  /** Looks at all that a collection holds; not at an expired one. */
  verify(held: Held): Promise<void>;
  /** Whether a blob could not be read or has no whole copy. */
  readonly hasBroken: boolean;
  /** Why a blob cannot be had, undefined when it can: the finding of the pack that is to blame, else one of its own. */
  faultOf(type: BlobType, id: BlobId): OpenFinding | undefined;
  /** Packs of the copies that the collections need, and of those of their bases. */
  readonly needed: ReadonlySet<PackId>;
}

export interface ContentCheckOptions {
  readonly index: IndexSet;
  readonly health: PackHealth;
  /** Whether `needed` is asked for. */
  readonly collectsNeeded: boolean;
}

interface Totals {
  files: number;
  directories: number;
  symlinks: number;
  bytes: number;
}

export function contentCheck(run: Verification, options: ContentCheckOptions): ContentCheck {
  const { index, health, collectsNeeded } = options;
  const { repository, fold, found, counts, signal } = run;
  const directories = new Map<BlobId, Totals>();
  const files = new Set<string>();
  const broken = new Map<string, { readonly error: MbkError; finding: OpenFinding | undefined }>();
  const needed = new Set<PackId>();

  const breakBlob = (type: BlobType, id: BlobId, error: MbkError): void => {
    const key = `${type} ${id}`;
    if (!broken.has(key)) broken.set(key, { error, finding: undefined });
  };

  /** Bases whose packs were added. */
  const neededBases = new Set<BlobId>();
  const need = (kind: PackKind, id: BlobId): void => {
    for (const { pack, frame } of index.lookup(kind, id)) {
      needed.add(pack.id);
      for (const base of frame.bases) {
        if (neededBases.has(base)) continue;
        neededBases.add(base);
        need(kind, base);
      }
    }
  };

  /** The blob's copies as packs that are needed; false, and broken, when none of them is whole. */
  const require = (type: BlobType, id: BlobId, length: number | undefined): boolean => {
    const kind = packKindOf(type);
    const copy = health.wholeCopy(kind, id);
    if (collectsNeeded) need(kind, id);
    if (copy === undefined) {
      breakBlob(type, id, noCopy(type, id));
      return false;
    }
    if (copy.type === type && (length === undefined || copy.length === length)) return true;
    const asked = `${length ?? 'other'} bytes of type ${type} are asked for`;
    breakBlob(type, id, misfit(id, `is stored as ${copy.length} bytes of type ${copy.type}; ${asked}`));
    return false;
  };

  const readBlob: ReadBlob = async (id, type) => {
    require(type, id, undefined);
    try {
      return await repository.readBlob(id, type);
    } catch (error) {
      if (isBadContent(error)) breakBlob(type, id, error);
      throw error;
    }
  };

  /** What `read` gives; undefined, and a finding unless a broken blob is the reason, when a record is not sound. */
  const orBroken = async <T>(type: BlobType, id: BlobId, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!isBadContent(error)) throw error;
      breakBlob(type, id, error);
      return undefined;
    }
  };

  /** Sums of a directory with all that is below it; undefined when a part of it cannot be read. */
  async function directory(id: BlobId, path: ByteString, depth: number): Promise<Totals | undefined> {
    const known = directories.get(id);
    if (known !== undefined) return known;
    if (broken.has(`tree ${id}`)) return undefined;
    counts.trees += 1;
    if (counts.trees % 256 === 0) run.progress('snapshots', counts.snapshots, counts.snapshots);
    const totals: Totals = { files: 0, directories: 0, symlinks: 0, bytes: 0 };
    let isWhole = true;
    const read = await orBroken('tree', id, async () => {
      checkDepth(depth, path);
      for await (const entry of readTree(readBlob, id, { signal })) {
        if (entry.type === 'directory') {
          const below = await directory(entry.tree, joinBytes(path, entry.name), depth + 1);
          totals.directories += 1;
          if (below === undefined) isWhole = false;
          else
            for (const field of ['files', 'directories', 'symlinks', 'bytes'] as const) totals[field] += below[field];
        } else if (entry.type === 'symlink') totals.symlinks += 1;
        else {
          totals.files += 1;
          totals.bytes += entry.size;
          await file(entry);
        }
      }
      return true;
    });
    if (read === undefined || !isWhole) return undefined;
    directories.set(id, totals);
    return totals;
  }

  async function file(entry: FileEntry): Promise<void> {
    counts.files += 1;
    const { size, sha256, chunks, layout } = entry;
    if (chunks === undefined) {
      if (size > 0) require('data', sha256, size);
      return;
    }
    const key = `${chunks} ${size} ${layout ?? ''}`;
    if (files.has(key)) return;
    files.add(key);
    counts.chunkLists += 1;
    await orBroken('chunks', chunks, async () => {
      for await (const chunk of readChunks(readBlob, entry, { signal })) {
        if (chunk.kind === 'blob') require('data', chunk.id, chunk.length);
        else if (chunk.kind === 'slice' && require('data', chunk.id, undefined)) checkSlice(chunk);
      }
    });
    if (layout !== undefined)
      await orBroken('layout', layout, async () =>
        decodeLayout(await readBlob(layout, 'layout'), size, `layout ${layout}`),
      );
  }

  function checkSlice({
    id,
    offset,
    length,
  }: {
    readonly id: BlobId;
    readonly offset: number;
    readonly length: number;
  }): void {
    const whole = health.wholeCopy('data', id)?.length ?? 0;
    if (offset + length > whole)
      breakBlob('data', id, misfit(id, `has ${whole} bytes; ${offset} to ${offset + length} are asked for`));
  }

  /** Every path is a file of the collection, and those of one group are of the same bytes. */
  async function links(id: BlobId, tree: BlobId): Promise<void> {
    if (files.has(`links ${id} ${tree}`)) return;
    files.add(`links ${id} ${tree}`);
    await orBroken('links', id, async () => {
      for (const group of decodeLinks(await readBlob(id, 'links'), `links ${id}`)) {
        const hashes = new Set<string>();
        for (const path of group) {
          const entry = await findPath(readBlob, tree, path, { signal });
          hashes.add(entry?.type === 'file' ? entry.sha256 : `no file at ${displayBytes(path)}`);
        }
        if (hashes.size === 1 && ![...hashes].some((hash) => hash.startsWith('no file'))) continue;
        const paths = group.map(displayBytes).join(', ');
        found.add({
          code: 'record-wrong',
          severity: 'error',
          message: `links ${id}: ${paths} are said to be one file, and are not`,
        });
      }
    });
  }

  async function table(id: BlobId): Promise<void> {
    if (files.has(`table ${id}`)) return;
    files.add(`table ${id}`);
    await orBroken('table', id, async () => {
      for (const part of await tableParts(id, await readBlob(id, 'table'))) {
        const bytes = part.bytes ?? (await readBlob(part.id, 'table'));
        for (const _ of decodeAssetLines(bytes, `table ${part.id}`)) void _; // decoding is the check
      }
    });
  }

  return {
    needed,
    get hasBroken() {
      return broken.size > 0;
    },

    async verify({ commit, collection }) {
      const { name, tree, links: linksId, assets } = collection;
      if (isExpired(fold, collection.commit ?? commit, name)) {
        counts.expiredCaptures += 1;
        return;
      }
      counts.captures += 1;
      const totals = await directory(tree, '', 0);
      if (linksId !== null) await links(linksId, tree);
      if (assets !== null) await table(assets);
      if (totals === undefined) return;
      for (const field of ['files', 'directories', 'symlinks', 'bytes'] as const) {
        if (totals[field] === collection[field]) continue;
        const message = `collection ${name} of commit ${commit} has ${totals[field]} ${field}, its manifest says ${collection[field]}`;
        found.add({ code: 'sizes-wrong', severity: 'error', commit, message });
      }
    },

    faultOf(type, id) {
      const row = broken.get(`${type} ${id}`);
      const kind = packKindOf(type);
      const isWhole = health.wholeCopy(kind, id) !== undefined;
      if (row === undefined && (!health.isSpoilt || isWhole)) return undefined;
      const cause = isWhole ? undefined : health.causeOf(kind, id);
      if (cause !== undefined) return cause;
      if (row?.finding !== undefined) return row.finding;
      const error = row?.error ?? noCopy(type, id);
      const isAbsent = index.lookup(kind, id).length === 0;
      const message = isAbsent ? `${error.message}: no index segment names it` : error.message;
      const finding = found.open({ code: codeOf(error), severity: 'error', key: keyOfPack(kind, error), message });
      broken.set(`${type} ${id}`, { error, finding });
      return finding;
    },
  };
}

function noCopy(type: BlobType, id: BlobId): MbkError {
  return new MbkError('blob-absent', `${type} blob ${id} has no usable copy`, { details: { blob: id } });
}

function misfit(id: BlobId, how: string): MbkError {
  return new MbkError('value-invalid', `blob ${id} ${how}`, { details: { blob: id } });
}

function codeOf({ code }: MbkError): FindingCode {
  if (code === 'blob-absent' || code === 'entry-absent') return 'blob-absent';
  return code === 'value-invalid' ? 'record-wrong' : 'blob-damaged';
}

/** The pack that an error of reading blames. */
function keyOfPack(kind: PackKind, { details }: MbkError): string | undefined {
  return isHex(details['pack'], 32) ? packKey(kind, asPackId(details['pack'])) : undefined;
}

interface TablePart {
  readonly id: BlobId;
  readonly bytes: Uint8Array | undefined;
}

/** A table as its parts: itself, or those of a node (docs/format.md, Trees). */
export async function tableParts(id: BlobId, bytes: Uint8Array): Promise<readonly TablePart[]> {
  if (!isTableNode(bytes)) return [{ id, bytes }];
  const what = `table ${id}`;
  const parts = readFields(parseJson(bytes, what), what).array('parts', asBlobId, { max: limits.blobBytes / 64 });
  return parts.map((part) => ({ id: part, bytes: undefined }));
}

/** A node is one JSON object of its own type; a line of a table has another, and ends with a newline. */
function isTableNode(bytes: Uint8Array): boolean {
  if (bytes.at(-1) === 0x0a) return false;
  try {
    const value = parseJson(bytes, 'table');
    return typeof value === 'object' && value !== null && 'type' in value && value.type === 'table-node';
  } catch (error) {
    if (isMbkError(error, 'value-invalid')) return false;
    throw error;
  }
}
