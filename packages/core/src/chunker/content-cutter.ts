/**
 * Cuts a file without a layout: zero runs, and content-defined chunks between them (docs/format.md, Chunking).
 *
 * The cuts depend on the bytes and the gear table only, not on the sizes of the buffers. A chunk begins anew after a
 * zero run; inside a run of data, inserted bytes move the cuts near them and no others.
 */
import { parameters } from '../format/limits.ts';
import { gearWindow, type GearScanner } from './gear.ts';
import type { Piece, PieceCutter } from './piece.ts';
import { isZero, zeroBlock } from './zeros.ts';

const { averageBytes, maximumBytes, minimumBytes, zeroRunBytes } = parameters;

/** Bits below which the hash makes a cut: rarely before the average size, 16 times as often from there on. */
const earlyBits = 10;
const lateBits = 14;

/** The cutter of one file; it sets the scanner back to its start. */
export function contentCutter(gear: GearScanner): PieceCutter {
  gear.reset();
  const pieces: Piece[] = [];
  /** Offset behind the last byte that was taken. */
  let position = 0;
  /** Bytes of the current block, all zero so far, which are data or part of a zero run as soon as the block is known. */
  let undecided = 0;
  /** Where the zero run before the current block began; -1 when there is data before it. */
  let zeroStart = -1;
  let chunkStart = 0;
  /** Bytes of the current chunk that were scanned. */
  let scanned = 0;

  const take = (kind: Piece['kind'], from: number, to: number): void => {
    if (to > from) pieces.push({ kind, offset: from, length: to - from });
  };

  const startChunk = (offset: number): void => {
    chunkStart = offset;
    scanned = 0;
    gear.reset();
  };

  /** Scans bytes that follow those of the current chunk, and cuts. */
  const scanData = (bytes: Uint8Array, start: number, end: number): void => {
    let i = start;
    while (i < end) {
      const stage = stageAt(scanned);
      const to = Math.min(end, i + stage.until - scanned);
      let cut = -1;
      if (stage.bits > 0) cut = gear.scan(bytes, i, to, stage.bits);
      else if (stage.bits === 0) gear.roll(bytes, i, to);
      const reached = cut === -1 ? to : cut;
      scanned += reached - i;
      i = reached;
      if (cut !== -1 || scanned === maximumBytes) {
        take('blob', chunkStart, chunkStart + scanned);
        startChunk(chunkStart + scanned);
      }
    }
  };

  /** The undecided zeros are data: a zero run before them ends. */
  const decideData = (): void => {
    const blockStart = position - undecided;
    if (zeroStart !== -1) {
      take('zero', zeroStart, blockStart);
      zeroStart = -1;
      startChunk(blockStart);
    }
    scanData(zeroBlock, 0, undecided);
    undecided = 0;
  };

  /** The undecided zeros are a whole block: data before them ends. */
  const decideZero = (): void => {
    const blockStart = position - undecided;
    if (zeroStart === -1) {
      take('blob', chunkStart, blockStart);
      zeroStart = blockStart;
    }
    undecided = 0;
  };

  return {
    push(bytes) {
      for (let i = 0; i < bytes.length;) {
        const inBlock = position % zeroRunBytes;
        const end = Math.min(bytes.length, i + zeroRunBytes - inBlock);
        const isUndecided = undecided === inBlock;
        if (isUndecided && isZero(bytes, i, end)) {
          undecided += end - i;
          position += end - i;
          if (undecided === zeroRunBytes) decideZero();
        } else {
          if (isUndecided) decideData();
          scanData(bytes, i, end);
          position += end - i;
        }
        i = end;
      }
      return pieces.splice(0);
    },

    end() {
      if (undecided > 0) decideData();
      if (zeroStart === -1) take('blob', chunkStart, position);
      else take('zero', zeroStart, position);
      return pieces.splice(0);
    },

    get needed() {
      return zeroStart === -1 ? chunkStart : position - undecided;
    },
  };
}

interface Stage {
  /** Bytes of the chunk that are scanned when the stage ends. */
  readonly until: number;
  /** A hash below 2^bits makes a cut; 0: none is made; -1: the hash does not matter yet. */
  readonly bits: number;
}

const stages: readonly Stage[] = [
  { until: minimumBytes - gearWindow, bits: -1 },
  // The cut after byte n is made when n bytes are scanned: the last byte of a stage belongs to the next one.
  { until: minimumBytes - 1, bits: 0 },
  { until: averageBytes - 1, bits: earlyBits },
];
const lastStage: Stage = { until: maximumBytes, bits: lateBits };

function stageAt(scanned: number): Stage {
  return stages.find((stage) => scanned < stage.until) ?? lastStage;
}
