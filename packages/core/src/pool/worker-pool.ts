/**
 * Worker threads of one operation. Each runs one task of `worker.ts` from its start to the end of the operation; a
 * thread that dies, or cannot start, is an error of every call that waits for it, never a hang.
 */
import { MbkError } from '../errors.ts';
import { openChannel, type Channel, type Handlers } from './channel.ts';
import { startThreads, type Threads } from './threads.ts';

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
  /** How many threads; `defaultJobs()` (`threads.ts`) is what an operation takes unless it is told. */
  readonly size: number;
  /** Threads that were started before, as many as `size`; they are the pool's from now on. */
  readonly threads?: Threads | undefined;
  /** Data for the task of worker `number`. */
  readonly setup: (number: number) => unknown;
  /** What the threads may call here. */
  readonly handlers: (number: number) => Handlers;
  /** Threads end when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

export function workerPool(options: WorkerPoolOptions): WorkerPool {
  const { task, size, setup, handlers, signal } = options;
  const threads = options.threads ?? startThreads(task, size);
  if (threads.task !== task || threads.workers.length !== size) throw new TypeError('expected threads of this task');
  let isClosing = false;

  const workers = threads.workers.map((thread, number): PoolWorker => {
    const channel = openChannel(thread, () => handlers(number));
    const lost = (how: string, cause?: unknown): void =>
      channel.break(isClosing ? closed(signal) : died(task, how, cause));
    thread.once('error', (cause: unknown) => lost('failed', cause));
    thread.once('exit', (code) => lost(`ended with code ${code}`));
    // One that died while it waited for this has no thread id any more.
    if (thread.threadId === -1) lost('ended before there was work for it');
    thread.postMessage({ setup: setup(number) });
    return { number, call: channel.call, break: channel.break };
  });

  const close = async (): Promise<void> => {
    isClosing = true;
    signal?.removeEventListener('abort', abort);
    for (const worker of workers) worker.break(closed(signal));
    await threads.close();
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
