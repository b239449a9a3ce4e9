/** Which live index segments are worth merging: many small ones cost a filter probe each, at every lookup. */
import type { SegmentInfo } from './index-set.ts';

/** So many segments that could be merged are left as they are. */
const enough = 12;
/**
 * A merged segment is made in memory, and this bounds it: about 0.6 million blobs. Those that have half of it are left
 * alone for good, so their number grows with the repository, by one for each 0.3 million blobs or more
 * (docs/decisions/0011).
 */
const mostBytes = 32 * 1024 * 1024;

/**
 * The segments that one merge should replace, smallest first; empty when there is nothing to gain.
 *
 * A segment takes part when it is not much larger than all smaller ones together, so that over time each record is
 * rewritten about as often as the number of segments doubles.
 */
export function chooseMerge(live: readonly SegmentInfo[]): SegmentInfo[] {
  const small = live.filter(({ bytes }) => bytes <= mostBytes / 2);
  if (small.length <= enough) return [];
  const chosen: SegmentInfo[] = [];
  let bytes = 0;
  for (const segment of small.sort((a, b) => a.bytes - b.bytes || (a.id < b.id ? -1 : 1))) {
    const isMuchLarger = chosen.length > 1 && segment.bytes > 2 * bytes;
    if (isMuchLarger || bytes + segment.bytes > mostBytes) break;
    chosen.push(segment);
    bytes += segment.bytes;
  }
  return chosen;
}
