/** Parts of the memory of a workspace, one behind the other. */

/** Kernels may look a little beyond a range that they work on. */
const gap = 64;

export interface Regions<Region extends string> {
  /** Where each begins. */
  readonly at: Readonly<Record<Region, number>>;
  /** Bytes of all. */
  readonly bytes: number;
}

/** Regions of so many bytes, in their order, and behind each of them as much more as `extra` says. */
export function regionsOf<Region extends string>(
  sizes: Readonly<Record<Region, number>>,
  extra: (bytes: number) => number = () => 0,
): Regions<Region> {
  let end = 0;
  const at = Object.fromEntries(
    Object.entries<number>(sizes).map(([region, bytes]) => {
      const start = end;
      end += Math.ceil((bytes + gap) / gap) * gap + extra(bytes);
      return [region, start];
    }),
  ) as Record<Region, number>;
  return { at, bytes: end };
}
