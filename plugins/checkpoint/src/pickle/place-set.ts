/** Places of a pickle's memo that are taken: a byte each, since a checkpoint of many tensors has millions. */

export interface PlaceSet {
  has(place: number): boolean;
  /** False where it could not be kept. */
  add(place: number): boolean;
  /** Distinct places. */
  count(): number;
}

const mostNear = 1 << 24;
/** Of those that are no small whole numbers. */
const mostFar = 500_000;

export function placeSet(): PlaceSet {
  let near = new Uint8Array(1024);
  const far = new Set<number>();
  let count = 0;
  return {
    has: (place) => (place >= 0 && place < mostNear ? near[place] === 1 : far.has(place)),
    add(place) {
      if (place >= mostNear || !Number.isSafeInteger(place) || place < 0) {
        if (far.has(place)) return true;
        if (far.size >= mostFar) return false;
        far.add(place);
        count += 1;
        return true;
      }
      if (place >= near.length) {
        const grown = new Uint8Array(Math.min(mostNear, Math.max(near.length * 2, place + 1)));
        grown.set(near);
        near = grown;
      }
      if (near[place] !== 1) count += 1;
      near[place] = 1;
      return true;
    },
    count: () => count,
  };
}
