/**
 * Worker threads of one operation. Each runs one task of `worker.ts` from its start to the end of the operation; a
 * thread that dies, or cannot start, is an error of every call that waits for it, never a hang.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { MbkError } from '../errors.ts';
import { openChannel, type Channel, type Handlers } from './channel.ts';

export interface PoolWorker extends Channel {
  /** From 0. */
  readonly number: number;
}

export interface WorkerPool {
  readonly workers: readonly PoolWorker[];
  /** Ends all threads, whatever they do; calls that wait are rejected. */
  close(): Promise<void>;
}

export interface WorkerPoolOptions {
  /** Task of `worker.ts`. */
  readonly task: string;
  /** How many threads; `defaultJobs()` is what an operation takes unless it is told. */
  readonly size: number;
  /** Data for the task of worker `number`. */
  readonly setup: (number: number) => unknown;
  /** What the threads may call here. */
  readonly handlers: (number: number) => Handlers;
  /** Threads end when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** One thread for each core that this process may use. */
export function defaultJobs(): number {
  return availableParallelism();
}

/**
 * Where threads start. A subpath of the package, resolved by Node: it holds in sources, in emitted code and in a bundle,
 * where a path relative to this file would not.
 */
export function workerUrl(): URL {
  return new URL(import.meta.resolve('@mbk/core/worker'));
}

/** Young objects live in so many MiB: what waits for the collector in a thread is native memory, so it stays small. */
const youngGenerationMb = 6;

export function workerPool({ task, size, setup, handlers, signal }: WorkerPoolOptions): WorkerPool {
  const url = workerUrl();
  const threads: Worker[] = [];
  let isClosing = false;

  const start = (number: number): PoolWorker => {
    const thread = new Worker(url, {
      workerData: { task, setup: setup(number) },
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    });
    threads.push(thread);
    const channel = openChannel(thread, () => handlers(number));
    thread.once('error', (cause: unknown) => channel.break(died(task, 'failed', cause)));
    thread.once('exit', (code) => channel.break(isClosing ? closed(signal) : died(task, `ended with code ${code}`)));
    return { number, call: channel.call, break: channel.break };
  };

  const workers = Array.from({ length: size }, (_, number) => start(number));

  const close = async (): Promise<void> => {
    isClosing = true;
    signal?.removeEventListener('abort', abort);
    for (const worker of workers) worker.break(closed(signal));
    await Promise.all(threads.map((thread) => thread.terminate()));
  };
  const abort = (): void => void close();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();

  return { workers, close };
}

function died(task: string, how: string, cause?: unknown): MbkError {
  return new MbkError('internal', `a worker thread (${task}) ${how}`, { cause, details: { task } });
}

function closed(signal: AbortSignal | undefined): MbkError {
  return new MbkError('interrupted', 'interrupted while worker threads ran', { cause: signal?.reason });
}
