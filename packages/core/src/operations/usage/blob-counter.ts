/** Counts the blobs that captures need: for one collection after the other, and at once for their domain and for all. */
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import type { ByteString } from '../../format/byte-name.ts';
import { decodeChunkList } from '../../format/chunk-list.ts';
import { packKindOf, type BlobId, type BlobType } from '../../format/ids.ts';
import type { CollectionState } from '../../format/snapshot-manifest.ts';
import type { FileEntry } from '../../format/tree.ts';
import { isDeleted, isLost } from '../../log/fold.ts';
import type { Repository } from '../../repository.ts';
import { checkDepth, childParts, readPart, type TreePart } from '../../snapshot/tree-reader.ts';
import { tableParts } from '../verify/verify-content.ts';
import { blobTally, type BlobTally } from './blob-tally.ts';

export interface BlobCounter {
  /** Every collection that begins from here on is of another domain. */
  beginDomain(): void;
  beginCollection(): void;
  /** Counts what a capture of the current collection needs and was not counted for it. */
  capture(state: CollectionState): Promise<void>;
  /** Of the current collection, the current domain, all of them. */
  collection(): Counted;
  domain(): Counted;
  all(): Counted;
  /** Every blob that was met. */
  readonly met: BlobTally;
}

export interface Counted {
  readonly deduplicated: number;
  readonly stored: number;
}

/** Errors of `capture`: those of reading blobs. Its memory is that of `blobTally`. */
export async function blobCounter(repository: Repository): Promise<BlobCounter> {
  const { log, readBlob, signal } = repository;
  const index = await repository.index();
  const tally = blobTally();
  const sums = { collection: { plain: 0, stored: 0 }, domain: { plain: 0, stored: 0 }, all: { plain: 0, stored: 0 } };
  /** Stamps of the current domain are above it. */
  let domainFrom = 0;
  let stamp = 0;

  /** Counts a blob; false where the collection has it already. */
  const meet = (type: BlobType, id: BlobId): boolean => {
    const before = tally.meet(id, stamp);
    if (before === stamp) return false;
    const copies = index.lookup(packKindOf(type), id, (pack) => !isDeleted(log.fold, pack) && !isLost(log.fold, pack));
    const [copy] = copies;
    const plain = copy?.length ?? 0;
    const stored =
      copy === undefined || copy.frame.plainLength === 0 ? 0 : (copy.frame.boxLength * plain) / copy.frame.plainLength;
    const add = (to: { plain: number; stored: number }): void => {
      to.plain += plain;
      to.stored += stored;
    };
    add(sums.collection);
    if (before <= domainFrom) add(sums.domain);
    if (before === 0) add(sums.all);
    return true;
  };

  const file = async ({ size, sha256, chunks, layout }: FileEntry): Promise<void> => {
    if (chunks === undefined) {
      if (size > 0) meet('data', sha256);
      return;
    }
    if (layout !== undefined) meet('layout', layout);
    await list(chunks);
  };
  const list = async (id: BlobId): Promise<void> => {
    if (!meet('chunks', id)) return;
    const part = decodeChunkList(await readBlob(id, 'chunks'), `chunk list ${id}`);
    if ('children' in part) for (const child of part.children) await list(child.id);
    else for (const chunk of part.chunks) if (chunk.kind !== 'zero') meet('data', chunk.id);
  };
  /** A tree by its blobs, so that what two trees share is passed over as soon as it is met. */
  const tree = async (part: TreePart, path: ByteString, depth: number): Promise<void> => {
    throwIfInterrupted(signal, 'reading trees');
    if (!meet('tree', part.id)) return;
    const blob = await readPart(readBlob, part);
    if (!('entries' in blob)) {
      for (const child of childParts(blob, part.after)) await tree(child, path, depth);
      return;
    }
    for (const entry of blob.entries) {
      if (entry.type === 'file') await file(entry);
      else if (entry.type === 'directory') {
        checkDepth(depth, path);
        await tree({ id: entry.tree }, path, depth + 1);
      }
    }
  };

  const reset = (sum: { plain: number; stored: number }): void => void Object.assign(sum, { plain: 0, stored: 0 });
  const counted = ({ plain, stored }: { readonly plain: number; readonly stored: number }): Counted => ({
    deduplicated: plain,
    stored: Math.round(stored),
  });
  return {
    beginDomain(): void {
      domainFrom = stamp;
      reset(sums.domain);
    },
    beginCollection(): void {
      stamp += 1;
      reset(sums.collection);
    },
    async capture({ tree: root, links, assets }: CollectionState): Promise<void> {
      await tree({ id: root }, '', 0);
      if (links !== null) meet('links', links);
      if (assets !== null && meet('table', assets)) {
        for (const { id } of await tableParts(assets, await readBlob(assets, 'table')))
          if (id !== assets) meet('table', id);
      }
    },
    collection: () => counted(sums.collection),
    domain: () => counted(sums.domain),
    all: () => counted(sums.all),
    met: tally,
  };
}
