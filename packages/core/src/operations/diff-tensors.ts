/**
 * By how much the tensors of a file changed between two snapshots: of every tensor that both have in the same form, how
 * many elements, and how far.
 *
 * Only what is not of the same pieces on both sides is read, a window of at most 4 MiB of each at a time.
 */
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { decodeByteText, displayBytes, type ByteString, type ByteText } from '../format/byte-name.ts';
import { assetLimits } from '../format/asset-line.ts';
import { decodeLayout, type Layout, type TensorSpan } from '../format/layout-record.ts';
import { parameters } from '../format/limits.ts';
import type { FileEntry } from '../format/tree.ts';
import type { Repository } from '../repository.ts';
import { contentReader, type ContentReader } from '../snapshot/content-reader.ts';
import { findInUnion } from '../snapshot/union-tree.ts';
import { isBadContent } from './bad-content.ts';
import type { DiffReport } from './diff.ts';
import type { OpenedFiles } from './snapshot-files.ts';
import { changeTally, type TensorChange } from './tensor-change.ts';

export type { TensorChange } from './tensor-change.ts';

/** A tensor of which some bytes are others. */
export interface ChangedTensor extends TensorChange {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface TensorDifference {
  readonly path: ByteText;
  /** Of the newer version. */
  readonly container: string;
  /** Tensors that both versions have with the same name, type and shape; only these are compared. */
  readonly compared: number;
  /** Those whose bytes differ, in the order of the older version; at most 10,000. */
  readonly changed: readonly ChangedTensor[];
  readonly omitted: number;
  /** Why not all of them could be compared; null when they were. */
  readonly problem: string | null;
}

export interface DiffTensorsOptions {
  readonly before: OpenedFiles;
  readonly after: OpenedFiles;
  /** Hears of bytes of tensors that were compared or are the same. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

const mostChanged = 10_000;

/**
 * The files among `differences` whose tensors are known in both versions, one after the other. Errors: `interrupted`,
 * those of the backend; what cannot be read is a problem of its file.
 */
export async function* diffTensors(
  repository: Repository,
  { differences }: Pick<DiffReport, 'differences'>,
  { after, before, onProgress }: DiffTensorsOptions,
): AsyncGenerator<TensorDifference> {
  for (const { kind, path: text, type } of differences) {
    if (kind !== 'modified' || type !== 'file') continue;
    const path = decodeByteText(text, 'path', assetLimits.pathBytes);
    const sides = [await fileAt(repository, before, path), await fileAt(repository, after, path)] as const;
    const [old, now] = sides;
    if (old?.layout === undefined || now?.layout === undefined) continue;
    try {
      const pairs = pairsOf(await layoutOf(repository, old, path), await layoutOf(repository, now, path));
      if (pairs === undefined) continue;
      yield { path: text, ...(await comparePairs(repository, [old, now], pairs, onProgress)) };
    } catch (error) {
      if (!isBadContent(error)) throw error;
      yield { path: text, container: '', compared: 0, changed: [], omitted: 0, problem: error.message };
    }
  }
}

async function fileAt(
  { readBlob, signal }: Repository,
  files: OpenedFiles,
  path: ByteString,
): Promise<FileEntry | undefined> {
  const leaf = files.entry !== undefined && files.parts.length === 0 ? files.entry : undefined;
  const found = leaf ?? (await findInUnion(readBlob, files.parts, path, { signal }));
  return found?.entry.type === 'file' ? found.entry : undefined;
}

async function layoutOf({ readBlob }: Repository, { layout, size }: FileEntry, path: ByteString): Promise<Layout> {
  if (layout === undefined) return { container: '', tensors: [] };
  return decodeLayout(await readBlob(layout, 'layout'), size, `layout of ${displayBytes(path)}`);
}

interface Pairs {
  readonly container: string;
  readonly tensors: readonly (readonly [before: TensorSpan, after: TensorSpan])[];
}

/** Tensors of the same name and form; undefined where there are none. */
function pairsOf(before: Layout, after: Layout): Pairs | undefined {
  const byName = new Map(after.tensors.map((tensor) => [tensor.name, tensor]));
  const tensors = before.tensors.flatMap((tensor) => {
    const other = byName.get(tensor.name);
    return other !== undefined && isSameForm(tensor, other) ? [[tensor, other] as const] : [];
  });
  return tensors.length === 0 ? undefined : { container: after.container, tensors };
}

function isSameForm(a: TensorSpan, b: TensorSpan): boolean {
  return (
    a.dtype === b.dtype &&
    a.length === b.length &&
    a.unit === b.unit &&
    a.byteOrder === b.byteOrder &&
    a.shape.join() === b.shape.join()
  );
}

async function comparePairs(
  { readBlob, signal }: Repository,
  files: readonly [before: FileEntry, after: FileEntry],
  { container, tensors }: Pairs,
  onProgress: DiffTensorsOptions['onProgress'],
): Promise<Omit<TensorDifference, 'path'>> {
  const readers = files.map((file) => contentReader(readBlob, file, signal));
  const changed: ChangedTensor[] = [];
  let compared = 0;
  let omitted = 0;
  const result = (problem: string | null): Omit<TensorDifference, 'path'> => {
    return { container, compared, changed, omitted, problem };
  };
  const [old, now] = readers;
  if (old === undefined || now === undefined) return result(null);
  for (const [before, after] of tensors) {
    throwIfInterrupted(signal, 'comparing tensors');
    let change: TensorChange | undefined;
    try {
      change = await compareTensor([old, before], [now, after], signal);
    } catch (error) {
      if (!isBadContent(error)) throw error;
      return result(`tensor ${JSON.stringify(before.name)} cannot be compared: ${error.message}`);
    }
    compared += 1;
    onProgress?.(before.length);
    if (change === undefined) continue;
    const { dtype, name, shape } = before;
    if (changed.length < mostChanged) changed.push({ name, dtype, shape, ...change });
    else omitted += 1;
  }
  return result(null);
}

type Side = readonly [reader: ContentReader, span: TensorSpan];

/** Undefined where all bytes are the same. */
async function compareTensor(
  [old, before]: Side,
  [now, after]: Side,
  signal: AbortSignal | undefined,
): Promise<TensorChange | undefined> {
  const { length, unit } = before;
  const tally = changeTally(before);
  // The windows of a tensor are its pieces, so that each is read once.
  const windowBytes = parameters.pieceBytes - (parameters.pieceBytes % unit);
  for (let done = 0; done < length; done += windowBytes) {
    const bytes = Math.min(windowBytes, length - done);
    const spans = [before.offset + done, after.offset + done] as const;
    const parts = [await old.chunksOf(spans[0], bytes), await now.chunksOf(spans[1], bytes)] as const;
    if (parts[0].join() === parts[1].join()) {
      tally.addSame(bytes);
      continue;
    }
    throwIfInterrupted(signal, 'comparing tensors');
    tally.add(await old.read(spans[0], bytes), await now.read(spans[1], bytes));
  }
  const change = tally.result();
  return change.changed === 0 ? undefined : change;
}
