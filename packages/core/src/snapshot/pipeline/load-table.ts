/**
 * How much each thread has to do, in memory that all share: whoever has a piece of a large file to store sees, without a
 * message, whether another thread would get to it sooner.
 */

export interface LoadTable {
  /** The thread with the least to do, less than `most`, which then has `weight` more; undefined if there is none. */
  takeLeast(most: number, weight: number): number | undefined;
  /** Says that thread `number` did what was counted as `weight`. */
  release(number: number, weight: number): void;
  /**
   * A thread that has less to do than `self`, which reads a file and has `own` pieces of it left; counted as taken. `isLong`
   * says that a piece takes much longer than reading it.
   */
  takeHelper(self: number, own: number, isLong: boolean): number | undefined;
}

/** What a small thing counts: a batch of small files, a piece of a large one. */
export const smallLoad = 1;
/** Things that a helper has at most: enough to go on while messages are under way. */
const helperDepth = 3;
/** What reading a large file counts: who does that helps nobody. */
export const largeLoad: number = helperDepth;

/** The table in `buffer`, of 4 bytes a thread. */
export function loadTable(buffer: SharedArrayBuffer): LoadTable {
  const loads = new Int32Array(buffer);

  /** Takes the least loaded thread below `most`, but for `self`. Others may be doing the same at this moment. */
  const take = (most: number, weight: number, self: number): number | undefined => {
    for (;;) {
      let least: number | undefined;
      let load = most;
      for (let number = 0; number < loads.length; number += 1) {
        const seen = Atomics.load(loads, number);
        if (number === self || seen >= load) continue;
        least = number;
        load = seen;
      }
      if (least === undefined || Atomics.compareExchange(loads, least, load, load + weight) === load) return least;
    }
  };

  return {
    takeLeast: (most, weight) => take(most, weight, -1),
    release: (number, weight) => void Atomics.sub(loads, number, weight),
    // Reading and hashing the file is work too: most often as much as about one piece that waits.
    takeHelper: (self, own, isLong) => take(Math.min(helperDepth, own + (isLong ? 1 : 2)), smallLoad, self),
  };
}
