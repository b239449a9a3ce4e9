/**
 * `mbk show REV:PATH --tensors`: each tensor of a file and how it is stored: by which codecs, in how many bytes, over what.
 *
 * Pieces are looked up in the index alone: nothing of the tensors is read. Memory: about 500 bytes for each tensor, of which a
 * layout has at most 100,000, beside the layout itself.
 */
import { codecName } from '../codec/codec-name.ts';
import { MbkError } from '../errors.ts';
import { displayBytes, encodeByteText, type ByteText } from '../format/byte-name.ts';
import type { BlobId, CommitId } from '../format/ids.ts';
import { decodeLayout, type TensorSpan } from '../format/layout-record.ts';
import type { FileEntry } from '../format/tree.ts';
import { isDeleted, isLost } from '../log/fold.ts';
import type { BlobCopy } from '../pack/blob-copy.ts';
import type { Repository } from '../repository.ts';
import { readChunks, type PlacedChunk } from '../snapshot/chunk-list-reader.ts';
import { storedOf } from './liveness.ts';
import { nameBases, type NamedBase } from './name-bases.ts';
import { openFiles } from './snapshot-files.ts';

export type { NamedBase } from './name-bases.ts';

export interface ShownTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Plain bytes. */
  readonly bytes: number;
  /** Whether it is small, and lies with all that is no tensor in the file's skeleton blobs. */
  readonly inSkeleton: boolean;
  /** Codecs of its pieces, each once, in their order; `zeros` where nothing is stored, `absent` where nothing can be found. */
  readonly how: readonly string[];
  /** What it takes in packs: of each frame the part that it is of its plain bytes. */
  readonly stored: number;
  /** Of the deepest of its pieces: 0 where it is stored over nothing. */
  readonly depth: number;
  /** Blobs that its pieces are stored over, and what the first of them is. */
  readonly bases: number;
  readonly base: NamedBase | null;
}

export interface ShownTensors {
  readonly commit: CommitId;
  readonly domain: string;
  readonly path: ByteText;
  readonly container: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly sha256: BlobId;
  /** In the order of the file. */
  readonly tensors: readonly ShownTensor[];
}

/** Errors: those of `openFiles`, `usage-invalid` where no tensors are known, those of reading blobs. */
export async function showTensors(repository: Repository, revision: string): Promise<ShownTensors> {
  const { readBlob } = repository;
  const { commit, domain, entry: found, path } = await openFiles(repository, revision);
  const entry = found?.entry.type === 'file' ? found.entry : undefined;
  if (entry?.layout === undefined) {
    const what = path === '' ? 'the root of a snapshot' : displayBytes(path);
    throw new MbkError('usage-invalid', `of ${what} no tensors are known`, {
      details: { revision },
      remedy: 'Name a file whose plugin knows where its tensors lie; `mbk show` lists assets.',
    });
  }
  const bytes = await readBlob(entry.layout, 'layout');
  const { container, tensors: spans } = decodeLayout(bytes, entry.size, `layout of ${displayBytes(path)}`);
  const tensors = await storedTensors(repository, entry, spans);
  const wanted = new Set(tensors.flatMap(({ firstBase }) => firstBase ?? []));
  const names = await nameBases(repository, { commit, path, wanted });
  return {
    commit,
    domain,
    path: encodeByteText(path),
    container,
    size: entry.size,
    sha256: entry.sha256,
    tensors: tensors.map(({ firstBase, ...tensor }) => ({
      ...tensor,
      base: firstBase === undefined ? null : (names.get(firstBase) ?? { blob: firstBase, ...unnamed }),
    })),
  };
}

const unnamed = { tensor: null, path: null, commit: null } as const;

type StoredTensor = Omit<ShownTensor, 'base'> & { readonly firstBase: BlobId | undefined };

/** Goes along the chunks of the file and its tensors, both in the order of the file. */
async function storedTensors(
  { index: openIndex, log, readBlob, signal }: Repository,
  entry: FileEntry,
  spans: readonly TensorSpan[],
): Promise<readonly StoredTensor[]> {
  const index = await openIndex();
  const chunks = readChunks(readBlob, entry, { signal });
  const next = async (): Promise<PlacedChunk | undefined> => {
    const { done, value } = await chunks.next();
    return done === true ? undefined : value;
  };
  /** Many small tensors lie in one blob. */
  let last: { readonly id: BlobId; readonly copy: BlobCopy | undefined } | undefined;
  const copyOf = (id: BlobId): BlobCopy | undefined => {
    if (last?.id !== id) {
      const [copy] = index.lookup('data', id, (pack) => !isDeleted(log.fold, pack) && !isLost(log.fold, pack));
      last = { id, copy };
    }
    return last.copy;
  };

  const rows: StoredTensor[] = [];
  let chunk = await next();
  for (const span of spans) {
    const { dtype, length, name, offset, shape } = span;
    const tally = pieceTally();
    let inSkeleton = false;
    const end = offset + length;
    while (length > 0 && chunk !== undefined && chunk.position < end) {
      const chunkEnd = chunk.position + chunk.length;
      const part = Math.min(end, chunkEnd) - Math.max(offset, chunk.position);
      if (part > 0) tally.add(part, chunk.kind === 'zero' ? undefined : { copy: copyOf(chunk.id) });
      // A piece of a tensor lies in it; what reaches beyond it is a part of the skeleton.
      inSkeleton ||= part > 0 && (chunk.kind === 'slice' || chunk.position < offset || chunkEnd > end);
      if (chunkEnd > end) break; // the next tensor begins in it
      chunk = await next();
    }
    rows.push({ name, dtype, shape, bytes: length, inSkeleton, ...tally.sums() });
  }
  return rows;
}

interface PieceTally {
  /** So many bytes of a copy; of none where it cannot be found, of nothing where they are zeros. */
  add(bytes: number, piece: { readonly copy: BlobCopy | undefined } | undefined): void;
  sums(): Pick<StoredTensor, 'how' | 'stored' | 'depth' | 'bases' | 'firstBase'>;
}

function pieceTally(): PieceTally {
  const how = new Set<string>();
  const bases = new Set<BlobId>();
  let stored = 0;
  let depth = 0;
  return {
    add(bytes, piece) {
      const copy = piece?.copy;
      how.add(piece === undefined ? 'zeros' : copy === undefined ? 'absent' : codecName(copy.frame.codec));
      if (copy === undefined) return;
      if (copy.length > 0) stored += (storedOf(copy) * bytes) / copy.length;
      depth = Math.max(depth, copy.frame.depth);
      for (const base of copy.frame.bases) bases.add(base);
    },
    sums() {
      const [firstBase] = bases;
      return { how: [...how], stored: Math.round(stored), depth, bases: bases.size, firstBase };
    },
  };
}
