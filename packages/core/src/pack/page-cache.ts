/**
 * Opened pages of index segments, least recently used first out; one cache for all segments of a repository.
 *
 * The memory of a page goes back as soon as nobody can be reading it: left to the garbage collector, which does not see
 * its size, pages of random lookups come to six times what the cache holds.
 */

export interface PageCache {
  /**
   * The page with this number, loaded unless it is here: memory of its own, which is the cache's from then on. It stays
   * as it is until `stays` other pages were loaded. Numbers come from `reserve`.
   */
  get(page: number, load: () => Uint8Array): Uint8Array;
  /** The first of `pages` consecutive numbers that nobody else uses. */
  reserve(pages: number): number;
}

/** How many pages may be loaded while one is read. */
export const stays = 16;

/** A cache of at most `maxBytes` (and always the page last asked for). */
export function pageCache(maxBytes: number): PageCache {
  const pages = new Map<number, Uint8Array>();
  /** Left the cache, and may still be read. */
  const leaving: Uint8Array[] = [];
  let bytes = 0;
  let next = 0;
  return {
    get(page, load) {
      let found = pages.get(page);
      if (found === undefined) {
        found = load();
        bytes += found.byteLength;
        evict();
      } else {
        pages.delete(page);
      }
      pages.set(page, found); // a Map keeps the order of insertion: the last is the most recent
      return found;
    },
    reserve(count) {
      const first = next;
      next += count;
      return first;
    },
  };

  function evict(): void {
    for (const [page, found] of pages) {
      if (bytes <= maxBytes) return;
      pages.delete(page);
      bytes -= found.byteLength;
      leaving.push(found);
      if (leaving.length > stays) release(leaving.shift());
    }
  }
}

/** Gives memory back that is wholly the page's. */
function release(page: Uint8Array | undefined): void {
  if (page === undefined) return;
  const { buffer, byteLength } = page;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
