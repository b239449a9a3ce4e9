/** How a frame is taken apart: segments of whole units, of which each part is coded by itself. */
import { alignedAs } from '../tensor/workspace.ts';
import type { Parts } from './parts.ts';
import { type DeltaWorkspace, segmentBytes } from './workspace.ts';

/** Some units of a frame, which begin `offset` bytes from its start. */
export interface Segment {
  readonly offset: number;
  readonly units: number;
}

/** The segments of `length` bytes; what is no whole unit stands behind the last. */
export function* segmentsOf(length: number, { unit, parts }: Parts): Generator<Segment> {
  const most = Math.floor(segmentBytes / Math.max(unit, ...parts.map(({ items }) => items)));
  const all = Math.floor(length / unit);
  for (let done = 0; done < all; done += most) yield { offset: done * unit, units: Math.min(most, all - done) };
}

/** Copies a segment of `bytes` to a region; where it is then. */
export function loadSegment(
  { kernels, at }: DeltaWorkspace,
  bytes: Uint8Array,
  { offset, units }: Segment,
  { unit, region }: { readonly unit: number; readonly region: 'plain' | 'base' },
): number {
  const segment = bytes.subarray(offset, offset + units * unit);
  const to = alignedAs(segment, at[region]);
  kernels.bytes.set(segment, to);
  return to;
}
