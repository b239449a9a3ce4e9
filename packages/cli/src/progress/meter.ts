/** How fast work goes and how long it will take: over the last seconds, so that neither jumps nor remembers a slow start. */

export interface Pace {
  /** Since the meter was made. */
  readonly elapsedMs: number;
  /** Amounts a second, lately; undefined before there is anything to tell from. */
  readonly perSecond: number | undefined;
  /** Until `total` is done; undefined where that is not known, or too early to say. */
  readonly leftMs: number | undefined;
}

/** Tells the pace from how much is done now, and how much there is in all, if that is known. */
export type Meter = (done: number, total?: number) => Pace;

/** The pace is that of this time. */
const windowMs = 10_000;
/** Before this it says nothing of the end. */
const earlyMs = 2000;

export function startMeter(now: () => number): Meter {
  const startedAt = now();
  const samples: { readonly at: number; readonly done: number }[] = [{ at: startedAt, done: 0 }];
  return (done, total) => {
    const at = now();
    // The last sample before the window stays: it is where the window begins.
    while ((samples[1]?.at ?? at) <= at - windowMs) samples.shift();
    const from = samples[0] ?? { at: startedAt, done: 0 };
    if (at > (samples.at(-1)?.at ?? 0)) samples.push({ at, done });
    const elapsedMs = at - startedAt;
    const perSecond = at > from.at ? Math.max(0, ((done - from.done) * 1000) / (at - from.at)) : undefined;
    const canTell = total !== undefined && total > done && perSecond !== undefined && perSecond > 0;
    const leftMs = canTell && elapsedMs >= earlyMs ? ((total - done) * 1000) / perSecond : undefined;
    return { elapsedMs, perSecond, leftMs };
  };
}

/** Time left as people want it, which is roughly: `5 s`, `40 s`, `3 min`, `2 h 10 min`. */
export function formatLeft(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1000);
  if (seconds <= 10) return `${seconds} s`;
  if (seconds <= 55) return `${Math.ceil(seconds / 5) * 5} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const tens = Math.ceil(minutes / 10) * 10;
  const rest = tens % 60;
  return rest === 0 ? `${tens / 60} h` : `${Math.floor(tens / 60)} h ${rest} min`;
}
