/**
 * Runs one hook: a document on its standard input, its output line by line as it comes, a limit of time.
 *
 * It runs in a process group of its own, which is ended as a whole when its time is up or mbk is interrupted. What it
 * leaves running in the background is left alone when it ends by itself, and no longer listened to.
 */

import type { Hook } from './find-hooks.ts';

export interface RunHookOptions {
  /** Working folder: the project's. */
  readonly root: string;
  /** The whole environment of the hook. */
  readonly env: NodeJS.ProcessEnv;
  /** What it reads from its standard input. */
  readonly input: string;
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Undefined for what runs after an interruption. */
  readonly signal: AbortSignal | undefined;
}

export interface HookOutcome {
  /** `ended with 3`, `was ended by SIGTERM`, `took longer than 30 s`, `could not be started: …`; undefined when it went well. */
  readonly problem: string | undefined;
  readonly exitCode: number | null;
}

/** Longer lines are told in parts. */
const maximumLine = 4096;
/** Between asking a hook to end and ending it. */
const graceMs = 3000;
/** For output that is still on its way when the hook has ended. */
const drainMs = 500;

/** Runs `hook` to its end. Errors: the reason of `signal`. */
export async function runHook(hook: Hook, options: RunHookOptions): Promise<HookOutcome> {
  const { env, input, onLine, root, signal } = options;
  const { timeoutMs } = hook;
  signal?.throwIfAborted();
  const { execa } = await import('execa');
  const child = execa(hook.program, hook.args, {
    cwd: root,
    env,
    extendEnv: false,
    killDescendants: true,
    timeout: timeoutMs,
    forceKillAfterDelay: graceMs,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    reject: false,
    buffer: false,
    input,
    stdout: 'pipe',
    stderr: 'pipe',
  });
  let draining: NodeJS.Timeout | undefined;
  child.nodeChildProcess.once('exit', () => {
    draining = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, drainMs);
  });
  try {
    const [result] = await Promise.all([
      child,
      readLines(child.stdout, (line) => onLine(line, 'stdout')),
      readLines(child.stderr, (line) => onLine(line, 'stderr')),
    ]);
    signal?.throwIfAborted();
    const exitCode = result.exitCode ?? null;
    return { problem: problemOf(result, timeoutMs), exitCode };
  } finally {
    clearTimeout(draining);
  }
}

interface Ended {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly timedOut: boolean;
  readonly originalMessage?: string | undefined;
}

function problemOf({ exitCode, originalMessage, signal, timedOut }: Ended, timeoutMs: number): string | undefined {
  if (timedOut) return `took longer than ${timeoutMs / 1000} s and was ended`;
  if (exitCode === 0) return undefined;
  if (exitCode !== undefined) return `ended with ${exitCode}`;
  if (signal !== undefined) return `was ended by ${signal}`;
  return `could not be started: ${originalMessage ?? 'no reason is known'}`;
}

/** Lines as they come, without their ends; bytes that are no UTF-8 become U+FFFD. */
async function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  const take = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.replace(/\r$/, ''));
    for (; rest.length > maximumLine; rest = rest.slice(maximumLine)) onLine(rest.slice(0, maximumLine));
  };
  try {
    for await (const part of stream as AsyncIterable<Uint8Array>) take(decoder.decode(part, { stream: true }));
  } catch (error) {
    // Closed by us, because the hook has ended and something of it has not.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  }
  take(decoder.decode());
  if (rest !== '') onLine(rest);
}
