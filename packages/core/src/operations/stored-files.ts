/** Files of snapshots as plugins read them: by numbers, from their thread, through this one. */
import { bytesOfText, type ByteString } from '../format/byte-name.ts';
import type { FileContent } from '../format/tree.ts';
import type { SameCall } from '../plugins/plugin-calls.ts';
import type { Handlers } from '../pool/channel.ts';
import type { Repository } from '../repository.ts';
import { contentReader, type ContentReader } from '../snapshot/content-reader.ts';
import { findInUnion, type UnionPart } from '../snapshot/union-tree.ts';

export interface StoredFiles {
  /** For `pluginHost`. */
  readonly handlers: Handlers;
  /** A number for a file of the snapshot with these trees; forget it when nobody asks any more. */
  add(content: FileContent, parts: readonly UnionPart[]): number;
  /** A number for a folder, whose files are found by path. */
  addFolder(path: ByteString, parts: readonly UnionPart[]): number;
  /** Forgets all numbers. */
  clear(): void;
}

interface Known {
  readonly reader: ContentReader;
  readonly parts: readonly UnionPart[];
}

type Found = { readonly reader: number; readonly size: number } | undefined;

/** Files of a repository for a host; it holds a chunk list and a few blobs for each that is not forgotten. */
export function storedFiles({ readBlob, signal }: Pick<Repository, 'readBlob' | 'signal'>): StoredFiles {
  const files = new Map<number, Known>();
  const folders = new Map<number, { readonly path: ByteString; readonly parts: readonly UnionPart[] }>();
  let count = 0;

  const add: StoredFiles['add'] = (content, parts) => {
    count += 1;
    files.set(count, { reader: contentReader(readBlob, content, signal), parts });
    return count;
  };
  const knownFile = (number: number): Known => {
    const known = files.get(number);
    if (known === undefined) throw new RangeError(`expected the number of a file, got ${number}`);
    return known;
  };
  const find = async (parts: readonly UnionPart[], path: string): Promise<Found> => {
    const found = await findInUnion(readBlob, parts, bytesOfText(path), { signal });
    if (found?.entry.type !== 'file') return undefined;
    return { reader: add(found.entry, parts), size: found.entry.size };
  };

  return {
    add,
    addFolder(path, parts) {
      count += 1;
      folders.set(count, { path, parts });
      return count;
    },
    clear() {
      files.clear();
      folders.clear();
    },
    handlers: {
      read: ({
        length,
        offset,
        reader,
      }: {
        readonly reader: number;
        readonly offset: number;
        readonly length: number;
      }) => knownFile(reader).reader.read(offset, length),
      open: ({ path, reader }: { readonly reader: number; readonly path: string }) =>
        find(knownFile(reader).parts, path),
      openIn: ({ folder, path }: { readonly folder: number; readonly path: string }): Promise<Found> => {
        const known = folders.get(folder);
        if (known === undefined) throw new RangeError(`expected the number of a folder, got ${folder}`);
        return find(known.parts, known.path === '' ? path : `${Buffer.from(known.path, 'latin1').toString()}/${path}`);
      },
      async isSame({ after, afterSpan, before, beforeSpan }: SameCall): Promise<boolean> {
        const [a, b] = await Promise.all([
          knownFile(before).reader.chunksOf(...beforeSpan),
          knownFile(after).reader.chunksOf(...afterSpan),
        ]);
        return a.length === b.length && a.every((name, i) => name === b[i]);
      },
    },
  };
}
