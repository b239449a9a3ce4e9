/** One line of progress at the foot of a terminal, or, where nobody watches, a plain line now and then. */

/** What is going on right now: a line for people and the same as fields for programs. Called a few times a second. */
export type ReadProgress = () => { readonly line: string; readonly fields: Readonly<Record<string, unknown>> };

export interface LiveLine {
  /** Removes the line so that something else can be written; it returns at the next tick. */
  clear(): void;
  stop(): void;
}

/** Work shorter than this shows no progress at all. */
const firstMs = 1000;
const terminalEveryMs = 200;
const plainEveryMs = 30_000;

/** Shows `read()` on `stream` until stopped. Its timers keep no process alive. */
export function startLiveLine(stream: NodeJS.WriteStream, read: () => string): LiveLine {
  const draw = stream.isTTY ? drawInPlace : drawPlain;
  let isShown = false;
  function drawInPlace(): void {
    const columns = Math.max((stream.columns ?? 80) - 1, 10);
    stream.write(`\r${Array.from(read()).slice(0, columns).join('')}\x1b[K`);
    isShown = true;
  }
  function drawPlain(): void {
    stream.write(`${read()}\n`);
  }
  const stopTimers = startTicking(
    draw,
    stream.isTTY ? firstMs : plainEveryMs,
    stream.isTTY ? terminalEveryMs : plainEveryMs,
  );
  const clear = (): void => {
    if (isShown) stream.write('\r\x1b[K');
    isShown = false;
  };
  return {
    clear,
    stop: () => {
      stopTimers();
      clear();
    },
  };
}

/** Calls `tick` after `first` and then every `every` milliseconds; returns what stops it. */
export function startTicking(tick: () => void, first = firstMs, every = firstMs): () => void {
  let interval: NodeJS.Timeout | undefined;
  const timeout = setTimeout(() => {
    tick();
    interval = setInterval(tick, every).unref();
  }, first).unref();
  return () => {
    clearTimeout(timeout);
    clearInterval(interval);
  };
}
