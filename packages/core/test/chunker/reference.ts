/** The chunking of docs/format.md written down as it reads: slow, whole files, no streaming. */
import type { Piece } from '../../src/chunker/piece.ts';
import type { Layout } from '../../src/format/layout-record.ts';

const zeroRun = 65_536;

/** Pieces of a file without a layout. */
export function referenceCuts(file: Uint8Array, gear: readonly number[]): Piece[] {
  const isZeroBlock = (start: number): boolean => {
    return start + zeroRun <= file.length && file.subarray(start, start + zeroRun).every((byte) => byte === 0);
  };
  const pieces: Piece[] = [];
  let start = 0;
  while (start < file.length) {
    let end = start;
    if (isZeroBlock(start)) {
      while (isZeroBlock(end)) end += zeroRun;
      pieces.push({ kind: 'zero', offset: start, length: end - start });
    } else {
      while (end < file.length && !isZeroBlock(end)) end += zeroRun;
      end = Math.min(end, file.length);
      pieces.push(...spanCuts(file, start, end, gear));
    }
    start = end;
  }
  return pieces;
}

function spanCuts(file: Uint8Array, start: number, end: number, gear: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  let from = start;
  while (from < end) {
    let h = 0;
    let n = 524_288 - 32;
    let isCut = false;
    while (!isCut && from + n < end) {
      h = (2 * h + (gear[file[from + n] ?? 0] ?? 0)) % 2 ** 32;
      n += 1;
      if (n >= 524_288) isCut = n === 8_388_608 || h < (n < 1_048_576 ? 2 ** 10 : 2 ** 14);
    }
    const length = Math.min(n, end - from);
    pieces.push({ kind: 'blob', offset: from, length });
    from += length;
  }
  return pieces;
}

/** Pieces of a file with a layout; parts of the skeleton end where its blobs of 4 MiB do. */
export function referenceLayoutCuts(file: Uint8Array, layout: Layout): Piece[] {
  const pieces: Piece[] = [];
  let skeleton = 0;
  const addSkeleton = (start: number, end: number): void => {
    for (let offset = start; offset < end;) {
      const length = Math.min(end - offset, 4_194_304 - (skeleton % 4_194_304));
      pieces.push({ kind: 'skeleton', offset, length });
      offset += length;
      skeleton += length;
    }
  };
  let position = 0;
  for (const tensor of layout.tensors) {
    if (tensor.length < 4096) continue;
    addSkeleton(position, tensor.offset);
    const end = tensor.offset + tensor.length;
    const longest = Math.floor(4_194_304 / tensor.unit) * tensor.unit;
    for (let offset = tensor.offset; offset < end; offset += longest) {
      const length = Math.min(longest, end - offset);
      const isZero = file.subarray(offset, offset + length).every((byte) => byte === 0);
      pieces.push({ kind: isZero ? 'zero' : 'blob', offset, length });
    }
    position = end;
  }
  addSkeleton(position, file.length);
  return pieces;
}
