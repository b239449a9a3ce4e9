/**
 * The bytes of a pack in the making, in pages of one size: what is appended is copied into them, so that memory is used
 * again from pack to pack. A page that is new costs as much as filling it three times.
 */

/** Pages that are in no pack. */
export interface PagePool {
  /** A page of `pageBytes`, which belongs to the caller until it is given back. */
  take(): Uint8Array<ArrayBuffer>;
  give(page: Uint8Array<ArrayBuffer>): void;
}

export const pageBytes = 1_048_576;

/** Keeps what it is given, without bound: as much as was in use at once. */
export function pagePool(): PagePool {
  const free: Uint8Array<ArrayBuffer>[] = [];
  return {
    take: () => free.pop() ?? new Uint8Array(pageBytes),
    give: (page) => void free.push(page),
  };
}

export interface PackPages {
  readonly byteLength: number;
  /** Copies `bytes` behind what is there. */
  append(bytes: Uint8Array): void;
  /** Views of the pages, in order; all but the last are full. */
  parts(): Uint8Array<ArrayBuffer>[];
}

/** `onFull` gets each page when it is full, and `parts` the last one. */
export function packPages(pool: PagePool, onFull: (page: Uint8Array) => void): PackPages {
  const pages: Uint8Array<ArrayBuffer>[] = [];
  let page: Uint8Array<ArrayBuffer> | undefined;
  let used = 0;
  return {
    get byteLength() {
      return pages.length * pageBytes + used;
    },
    append(bytes) {
      for (let done = 0; done < bytes.byteLength;) {
        page ??= pool.take();
        const part = bytes.subarray(done, done + pageBytes - used);
        page.set(part, used);
        used += part.byteLength;
        done += part.byteLength;
        if (used < pageBytes) continue;
        onFull(page);
        pages.push(page);
        page = undefined;
        used = 0;
      }
    },
    parts() {
      if (page === undefined) return pages;
      const last = page.subarray(0, used);
      onFull(last);
      return [...pages, last];
    },
  };
}
