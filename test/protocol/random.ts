/** Seeded random numbers, so that every schedule can be run again from its seed. */

export interface Random {
  /** A number in [0, 1). */
  readonly fraction: () => number;
  /** True with this probability. */
  readonly chance: (probability: number) => boolean;
  /** An integer in [0, below). */
  readonly below: (limit: number) => number;
}

/** A generator of the mulberry32 kind: 32 bits of state, good enough to choose who goes next. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    fraction,
    chance: (probability) => fraction() < probability,
    below: (limit) => Math.floor(fraction() * limit),
  };
}

/** The seed of the i-th schedule of a run. */
export function scheduleSeed(seed: number, i: number): number {
  return (Math.imul(seed, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca6b)) >>> 0;
}
