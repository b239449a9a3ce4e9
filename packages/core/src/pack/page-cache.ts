/** Opened pages of index segments, least recently used first out; one cache for all segments of a repository. */

export interface PageCache {
  /** The page with this number, loaded unless it is here. Numbers come from `reserve`. */
  get(page: number, load: () => Uint8Array): Uint8Array;
  /** The first of `pages` consecutive numbers that nobody else uses. */
  reserve(pages: number): number;
}

/** A cache of at most `maxBytes` (and always the page last asked for). */
export function pageCache(maxBytes: number): PageCache {
  const pages = new Map<number, Uint8Array>();
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
    for (const [page, { byteLength }] of pages) {
      if (bytes <= maxBytes) return;
      pages.delete(page);
      bytes -= byteLength;
    }
  }
}
