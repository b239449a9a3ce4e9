/** Progress at the foot of a terminal, one or two lines that are rewritten; or, where nobody watches, a plain line now and then. */

import { cutStart, widthOf } from '../terminal-width.ts';

/** What is going on right now, for people. */
export interface ProgressView {
  /** Facts of the first line, the most important ones first: those that do not fit are left out. */
  readonly facts: readonly string[];
  /** Facts of the second line, before the path. */
  readonly more?: readonly string[];
  /** What is being worked on, safe for a terminal; its start is cut off where it does not fit. */
  readonly path?: string;
}

/** The same for people and as fields for programs. Called a few times a second. */
export type ReadProgress = () => { readonly view: ProgressView; readonly fields: Readonly<Record<string, unknown>> };

export interface LiveLine {
  /** Removes the lines so that something else can be written; they return at the next tick. */
  clear(): void;
  stop(): void;
}

/** Work shorter than this shows no progress at all. */
const firstMs = 1000;
const terminalEveryMs = 200;
const plainEveryMs = 30_000;

/** Shows `read()` on `stream` until stopped. Its timers keep no process alive. */
export function startLiveLine(
  stream: NodeJS.WriteStream,
  read: () => ProgressView,
  { canRewrite = stream.isTTY }: { /** Whether lines on it can be written over. */ readonly canRewrite?: boolean } = {},
): LiveLine {
  if (!canRewrite) {
    const write = (): void => void stream.write(`${plainLine(read())}\n`);
    return { clear: () => undefined, stop: startTicking(write, plainEveryMs, plainEveryMs) };
  }
  let shown: readonly string[] = [];
  const columns = (): number => Math.max(stream.columns ?? 80, 20);
  /** From the end of what is shown to its start; a terminal that became narrower has broken its lines. */
  const rows = (): number => shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns())), 0);
  const toStart = (): string => `\r${up(rows() - 1)}`;
  const draw = (): void => {
    const lines = layOut(read(), columns() - 1);
    // In one write, and over what stands there instead of after clearing it: nothing flickers.
    stream.write(`${toStart()}${lines.join('\u001b[K\n')}\u001b[J`);
    shown = lines;
  };
  const clear = (): void => {
    // Row by row: terminals that are cleared from their first row on keep what was there for scrolling back.
    const further = rows() - 1;
    if (shown.length > 0) stream.write(`${toStart()}\u001b[K${'\n\u001b[K'.repeat(further)}${up(further)}`);
    shown = [];
  };
  const onResize = (): void => {
    if (shown.length === 0) return;
    clear();
    draw();
  };
  stream.on('resize', onResize);
  const stopTimers = startTicking(draw, firstMs, terminalEveryMs);
  return {
    clear,
    stop: () => {
      stopTimers();
      stream.off('resize', onResize);
      clear();
    },
  };
}

const up = (rows: number): string => (rows > 0 ? `\u001b[${rows}A` : '');
const gap = '  ';

/** One or two lines of at most `columns` columns. */
export function layOut({ facts, more = [], path = '' }: ProgressView, columns: number): readonly string[] {
  const second = fitting(more, columns);
  const room = columns - widthOf(second) - (second === '' ? 0 : gap.length);
  // A few letters of a path say nothing.
  const name = room < 12 && widthOf(path) > room ? '' : cutStart(path, room);
  const lines = [fitting(facts, columns), [second, name].filter((part) => part !== '').join(gap)];
  return lines.filter((line) => line !== '');
}

/** As many of the facts, from the first on, as have room. */
function fitting(facts: readonly string[], columns: number): string {
  let line = '';
  for (const fact of facts) {
    if (fact === '') continue;
    const longer = line === '' ? fact : `${line}${gap}${fact}`;
    if (widthOf(longer) > columns) break;
    line = longer;
  }
  return line;
}

function plainLine({ facts, more = [], path = '' }: ProgressView): string {
  return [...facts, ...more, path].filter((part) => part !== '').join(', ');
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
