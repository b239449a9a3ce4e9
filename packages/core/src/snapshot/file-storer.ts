/**
 * Stores the content of files: the data blobs are cut and stored by a cutter, here or in a worker thread; the chunk list
 * and the layout are stored by whoever calls (docs/format.md, Content).
 */
import { gearScanner, type GearTable } from '../chunker/gear.ts';
import type { Chunk } from '../format/chunk-list.ts';
import { encodeLayout, type Layout } from '../format/layout-record.ts';
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
  { size, layout: wanted }: CutFileOptions,
  cut: (how: HowToCut, onChunk: (chunk: Chunk) => Promise<void> | void) => Promise<CutFile>,
): Promise<StoredFile> {
  const list = chunkListBuilder(store);
  const layout = wanted !== undefined && encodeLayout(wanted) !== undefined ? wanted : undefined;
  const visit = layout && (await relatives?.visit(layout));
  try {
    const { zeroBytes, isWhole, rows, probes, ...read } = await cut({ layout, relativesOf: visit?.ask }, (chunk) => {
      visit?.chunk(chunk);
      return list.add(chunk);
    });
    if (isWhole) return { content: read, zeroBytes };
    const content = { ...read, chunks: (await list.finish()).id };
    // The layout of a file that shrank would speak of bytes that are not there.
    if (layout === undefined || read.size !== size) return { content, zeroBytes };
    const probed = withProbes(layout, probes);
    const { id } = await store('layout', encodeLayout(probed) ?? encodeLayout(layout) ?? noBytes);
    visit?.stored(probed);
    return { content: { ...content, layout: id }, zeroBytes, rows };
  } finally {
    visit?.leave();
  }
}

const noBytes = new Uint8Array(0);

function withProbes(layout: Layout, probes: CutFile['probes']): Layout {
  if (probes === undefined || probes.size === 0) return layout;
  const tensors = layout.tensors.map((span, number) => {
    const own = probes.get(number);
    return own === undefined ? span : { ...span, probes: own };
  });
  return { ...layout, tensors };
}
