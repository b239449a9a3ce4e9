/**
 * Stores the content of files: the data blobs are cut and stored by a cutter, here or in a worker thread; the chunk list
 * and the layout are stored by whoever calls (docs/format.md, Content).
 */
import { gearScanner, type GearTable } from '../chunker/gear.ts';
import { cutLayout } from '../chunker/layout-cutter.ts';
import type { Chunk } from '../format/chunk-list.ts';
import { encodeLayout } from '../format/layout-record.ts';
import type { FileContent } from '../format/tree.ts';
import type { RowScan } from '../plugins/row-scan.ts';
import type { StoreBlob } from './blobs.ts';
import type { Relatives } from './relatives/relatives.ts';
import { chunkListBuilder } from './chunk-list-builder.ts';
import { fileCutter, type CutFile, type CutFileOptions, type FileReader } from './cut-file.ts';

export interface StoredFile {
  readonly content: FileContent;
  /** Bytes in zero runs, which take no room. */
  readonly zeroBytes: number;
  /** What was found in the rows of its tensors, if they were looked at. */
  readonly rows?: RowScan | undefined;
}

export interface FileStorer {
  /** Stores one open file; one at a time. Throws what `read` and the store throw, and 'interrupted'. */
  store(file: OpenFile, options: CutFileOptions): Promise<StoredFile>;
}

/** An open file, for threads of this process: by its number, or by calls of this thread. */
export interface OpenFile extends FileReader {
  readonly fd: number;
}

export interface FileStorerOptions {
  readonly store: StoreBlob;
  readonly gear: GearTable;
  /** What is stored already that tensors may be built upon. */
  readonly relatives?: Relatives | undefined;
  /** Of entry 1; that of new repositories unless given. */
  readonly smallTensorBytes?: number | undefined;
}

/** A storer that works in this thread; its window of 12 MiB serves every file. */
export function fileStorer({ store, gear, relatives, smallTensorBytes }: FileStorerOptions): FileStorer {
  const cutter = fileCutter({
    store: async (bytes, about) => (await store('data', bytes, about)).id,
    gear: gearScanner(gear),
    smallTensorBytes,
  });
  return {
    store: (file, options) =>
      storeContent({ store, relatives }, options, (how, onChunk) => cutter.cut(file, { ...options, ...how }, onChunk)),
  };
}

/** How a file is cut. */
export type HowToCut = Pick<CutFileOptions, 'layout' | 'relativesOf'>;

/**
 * Stores what describes the content of a file that `cut` cuts. The layout that it gets is the one to cut along:
 * undefined also where the format has no room for it.
 */
export async function storeContent(
  { store, relatives }: Pick<FileStorerOptions, 'store' | 'relatives'>,
  { size, layout: wanted, location }: CutFileOptions,
  cut: (how: HowToCut, onChunk: (chunk: Chunk) => Promise<void> | void) => Promise<CutFile>,
): Promise<StoredFile> {
  const list = chunkListBuilder(store);
  const layout = wanted !== undefined && encodeLayout(wanted) !== undefined ? wanted : undefined;
  const cuts = layout && cutLayout(layout);
  const visit = cuts && (await relatives?.visit(cuts, location));
  try {
    const how = { layout: cuts, relativesOf: visit?.ask };
    const { zeroBytes, isWhole, rows, hints, ...read } = await cut(how, (chunk) => {
      visit?.chunk(chunk);
      return list.add(chunk);
    });
    if (isWhole) return { content: read, zeroBytes };
    const content = { ...read, chunks: (await list.finish()).id };
    // The layout of a file that shrank would speak of bytes that are not there.
    if (layout === undefined || cuts === undefined || read.size !== size) return { content, zeroBytes };
    const known = new Map([...(hints ?? [])].map(([number, own]) => [cuts.tensors[number], own]));
    const record = encodeLayout(layout, (tensor) => known.get(tensor)) ?? encodeLayout(layout);
    if (record === undefined) return { content, zeroBytes };
    const { id } = await store('layout', record);
    visit?.stored((tensor) => known.get(tensor));
    return { content: { ...content, layout: id }, zeroBytes, rows };
  } finally {
    visit?.leave();
  }
}
