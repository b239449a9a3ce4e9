/**
 * What the blobs are that others are stored over, as helpfully as can be said cheaply: tensors of the same file, of the
 * same path in the snapshots before it, of other files of the snapshot and of the one before it. Chunk lists and layouts
 * are read, no content.
 */
import { isMbkError } from '../errors.ts';
import { displayBytes, encodeByteText, type ByteString, type ByteText } from '../format/byte-name.ts';
import type { BlobId, CommitId } from '../format/ids.ts';
import { decodeLayout, type TensorSpan } from '../format/layout-record.ts';
import type { FileEntry } from '../format/tree.ts';
import type { Repository } from '../repository.ts';
import { readChunks } from '../snapshot/chunk-list-reader.ts';
import { findInUnion, walkUnion } from '../snapshot/union-tree.ts';
import { isBadContent } from './bad-content.ts';
import { openFiles, type OpenedFiles } from './snapshot-files.ts';

/** A blob, and what it is: nulls where that was not found. */
export interface NamedBase {
  readonly blob: BlobId;
  readonly tensor: string | null;
  readonly path: ByteText | null;
  readonly commit: CommitId | null;
}

export interface NameBasesOptions {
  /** The file whose blobs are stored over these. */
  readonly commit: CommitId;
  readonly path: ByteString;
  readonly wanted: ReadonlySet<BlobId>;
}

/** Snapshots that are looked back for the same path, and other files with tensors that are looked into of each. */
const mostSteps = 16;
const mostFiles = 500;
const mostEntries = 100_000;

/** Those of the wanted blobs that were found. Errors: those of the backend; what cannot be read is passed over. */
export async function nameBases(
  repository: Repository,
  { commit, path, wanted }: NameBasesOptions,
): Promise<ReadonlyMap<BlobId, NamedBase>> {
  const { log, readBlob, signal } = repository;
  const named = new Map<BlobId, NamedBase>();
  const seen = new Set<BlobId>();
  const isDone = (): boolean => named.size === wanted.size;

  const look = async (at: CommitId, place: ByteString, entry: FileEntry): Promise<void> => {
    if (entry.layout === undefined || seen.has(entry.chunks ?? entry.sha256)) return;
    seen.add(entry.chunks ?? entry.sha256);
    const found: { readonly blob: BlobId; readonly position: number }[] = [];
    for await (const chunk of readChunks(readBlob, entry, { signal })) {
      if (chunk.kind !== 'zero' && wanted.has(chunk.id) && !named.has(chunk.id)) {
        named.set(chunk.id, { blob: chunk.id, tensor: null, path: encodeByteText(place), commit: at });
        found.push({ blob: chunk.id, position: chunk.position });
      }
    }
    if (found.length === 0) return;
    const layout = await readBlob(entry.layout, 'layout');
    const { tensors } = decodeLayout(layout, entry.size, `layout of ${displayBytes(place)}`);
    const spans = tensors.filter(({ length }) => length > 0);
    for (const { blob, position } of found) {
      const tensor = tensorAt(spans, position)?.name ?? null;
      named.set(blob, { blob, tensor, path: encodeByteText(place), commit: at });
    }
  };

  const chain: CommitId[] = [];
  for (
    let at: CommitId | null = commit;
    at !== null && chain.length <= mostSteps;
    at = log.fold.lineOfCommit.get(at)?.from ?? null
  )
    chain.push(at);
  for (const at of chain) {
    if (isDone()) return named;
    await orNothing(async () => {
      const found = await findInUnion(readBlob, (await openFiles(repository, at)).parts, path, { signal });
      if (found?.entry.type === 'file') await look(at, path, found.entry);
    });
  }
  for (const at of chain.slice(0, 2)) {
    if (isDone()) return named;
    const opened = await orNothing(() => openFiles(repository, at));
    if (opened !== undefined) await orNothing(() => lookAround(at, opened));
  }
  return named;

  async function lookAround(at: CommitId, { parts }: OpenedFiles): Promise<void> {
    let files = 0;
    let entries = 0;
    for await (const { entry, path: place } of walkUnion(readBlob, parts, { signal })) {
      entries += 1;
      if (entries > mostEntries || files >= mostFiles || isDone()) return;
      if (entry.type !== 'file' || entry.layout === undefined) continue;
      files += 1;
      await orNothing(() => look(at, place, entry));
    }
  }
}

/** The tensor that a byte of the file is of. */
function tensorAt(spans: readonly TensorSpan[], position: number): TensorSpan | undefined {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { length = 0, offset = 0 } = spans[middle] ?? {};
    if (offset + length <= position) low = middle + 1;
    else high = middle;
  }
  const found = spans[low];
  return found !== undefined && found.offset <= position ? found : undefined;
}

/** A name is a help: where something cannot be had, there is none. */
async function orNothing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isBadContent(error) || isMbkError(error, 'capture-expired', 'path-absent', 'revision-unknown'))
      return undefined;
    throw error;
  }
}
