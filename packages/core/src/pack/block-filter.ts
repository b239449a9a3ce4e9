/**
 * The split-block Bloom filter of an index segment: "surely not here" without reading a page. With two bytes a record
 * about 1 of 700 absent ids passes (docs/format.md, Index segments; the filter of Apache Parquet).
 */
export const filterBlockBytes = 32;

/** One a word of a block. */
const salts = Uint32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
);

/** Adds the blob id that `id` begins with. */
export function addToFilter(filter: DataView, id: DataView): void {
  const block = blockOf(id.getUint32(0, true), filter.byteLength / filterBlockBytes) * filterBlockBytes;
  const hash = id.getUint32(4, true);
  for (let word = 0; word < salts.length; word += 1) {
    const at = block + 4 * word;
    filter.setInt32(at, filter.getInt32(at, true) | (1 << (Math.imul(hash, salts[word] ?? 0) >>> 27)), true);
  }
}

/** What a filter is asked with, worked out once for all filters. */
export interface FilterProbe {
  readonly block: number;
  /** Decides about the bit of each word of the block. */
  readonly hash: number;
}

/** The probe for the blob id `id`. */
export function filterProbe(id: Uint8Array): FilterProbe {
  return { block: wordOf(id, 0), hash: wordOf(id, 4) };
}

/** Whether the id of `probe` may have been added; false is certain. */
export function filterMayHold(filter: DataView, { block, hash }: FilterProbe): boolean {
  const at = blockOf(block, filter.byteLength / filterBlockBytes) * filterBlockBytes;
  for (let word = 0; word < salts.length; word += 1) {
    const bit = 1 << (Math.imul(hash, salts[word] ?? 0) >>> 27);
    if ((filter.getInt32(at + 4 * word, true) & bit) === 0) return false;
  }
  return true;
}

function wordOf(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return (low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

/** ⌊value · blocks / 2^32⌋, in halves, because the product may pass 2^53. */
function blockOf(value: number, blocks: number): number {
  const high = (value >>> 16) * blocks;
  const low = (value & 0xffff) * blocks;
  return Math.floor((high + Math.floor(low / 65_536)) / 65_536);
}
