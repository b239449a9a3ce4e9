/** Back-pressure: who needs memory waits until what others hold leaves room for it. */

export interface Room {
  /** Waits for its turn and until `bytes` fit; more than there ever is fits when nobody holds any. */
  take(bytes: number): Promise<void>;
  give(bytes: number): void;
}

export function room(total: number): Room {
  let used = 0;
  const waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  const fits = (bytes: number): boolean => used === 0 || used + bytes <= total;

  return {
    take(bytes) {
      if (waiting.length === 0 && fits(bytes)) {
        used += bytes;
        return Promise.resolve();
      }
      return new Promise((go) => waiting.push({ bytes, go }));
    },
    give(bytes) {
      used -= bytes;
      for (let next = waiting[0]; next !== undefined && fits(next.bytes); next = waiting[0]) {
        waiting.shift();
        used += next.bytes;
        next.go();
      }
    },
  };
}
