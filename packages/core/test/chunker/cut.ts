/** What the cutter tests share: files of known content, and cutters fed in buffers of given sizes. */
import { gearTable } from '../../src/chunker/gear.ts';
import type { Piece, PieceCutter } from '../../src/chunker/piece.ts';
import { seededRandom } from '../backend/random.ts';

export const table = gearTable(new Uint8Array(32).fill(7));

/** Spans of noise and of zeros, e.g. `[1000, -2000]`: 1,000 bytes of noise, then 2,000 zeros. */
export function fileOf(spans: readonly number[], seed = 1): Uint8Array {
  const file = new Uint8Array(spans.reduce((sum, span) => sum + Math.abs(span), 0));
  const words = new Uint32Array(file.buffer, 0, Math.floor(file.length / 4));
  const random = seededRandom(seed);
  for (let i = 0; i < words.length; i += 1) words[i] = random() * 2 ** 32;
  // The last bytes, which are no whole word, and none of the noise is zero: runs are as long as `spans` says.
  for (let i = 0; i < file.length; i += 1) file[i] ||= 1 + (i % 255);
  let offset = 0;
  for (const span of spans) {
    if (span < 0) file.fill(0, offset, offset - span);
    offset += Math.abs(span);
  }
  return file;
}

/** The pieces of `file`, given in buffers of these sizes in turn; checks what `needed` promises. */
export function cutInBuffers(cutter: PieceCutter, file: Uint8Array, sizes: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  let needed = 0;
  const take = (taken: readonly Piece[]): void => {
    for (const piece of taken) {
      if (piece.kind !== 'zero' && piece.offset < needed) throw new Error(`bytes at ${piece.offset} were not kept`);
    }
    pieces.push(...taken);
  };
  for (let turn = 0; position < file.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    // A copy, wiped afterwards: a cutter that looked at old bytes would see it.
    const buffer = file.slice(position, position + size);
    position += buffer.length;
    take(cutter.push(buffer));
    buffer.fill(0xaa);
    if (cutter.needed < needed || cutter.needed > position) throw new Error(`needed went to ${cutter.needed}`);
    needed = cutter.needed;
  }
  take(cutter.end());
  return pieces;
}

/** Whether the pieces are the whole file, each byte once, in order. */
export function isWhole(pieces: readonly Piece[], size: number): boolean {
  let position = 0;
  for (const { offset, length } of pieces) {
    if (offset !== position || length < 1) return false;
    position += length;
  }
  return position === size;
}
