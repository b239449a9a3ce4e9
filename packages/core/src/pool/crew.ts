/**
 * Jobs of one operation, run on the thread that asks as long as they are few and on worker threads once they are worth
 * those. A job is the same code in both places: a handler of a task of `worker.ts`.
 *
 * When `run` settles its job is over, whatever came of it: nothing that it used is in use any more.
 */
import { setImmediate } from 'node:timers/promises';
import type { Transferable } from 'node:worker_threads';
import { MbkError } from '../errors.ts';
import { Handover, type Handlers } from './channel.ts';
import type { Threads } from './threads.ts';
import { workerPool, type WorkerPool } from './worker-pool.ts';

export interface Crew {
  /** How many jobs run at the same time: 1 as long as there are no threads. */
  readonly size: number;
  /** Starts the threads, unless they run or there are to be none. */
  start(): void;
  /** The place with the least to do, for jobs that must run one after the other in one place. */
  place(): number;
  /** Runs a job where there is least to do, or at `place`; `buffers` are not the caller's afterwards. */
  run(name: string, argument: unknown, options?: RunOptions): Promise<unknown>;
  /** Ends the threads, whatever they do. */
  close(): Promise<void>;
}

export interface RunOptions {
  readonly buffers?: readonly Transferable[] | undefined;
  readonly place?: number | undefined;
}

export interface CrewOptions<Setup> {
  /** Task of `worker.ts`, and its code for this thread. */
  readonly task: string;
  readonly handlers: (setup: Setup) => Handlers;
  readonly setup: Setup;
  /** Threads when there are any; with 1 all jobs run on the thread that asks. */
  readonly jobs: number;
  /** Threads of the task that were started before. */
  readonly threads?: Threads | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Number of the place that is the thread that asks. */
const here = -1;

export function crew<Setup>({ task, handlers, setup, jobs, threads, signal }: CrewOptions<Setup>): Crew {
  let pool: WorkerPool | undefined;
  let own: Handlers | undefined;
  let isClosing = false;
  const underWay = Array.from({ length: jobs }, () => 0);

  const runHere = async (name: string, argument: unknown): Promise<unknown> => {
    // Signals, timers and displays get their turn before each job.
    await setImmediate();
    if (signal?.aborted === true) throw new MbkError('interrupted', 'interrupted', { cause: signal.reason });
    own ??= handlers(setup);
    const handler = own[name];
    if (handler === undefined) throw new TypeError(`expected a job that is known, got ${name}`);
    const result = await handler(argument as never);
    return result instanceof Handover ? result.value : result;
  };

  const place = (): number => (pool === undefined ? here : underWay.indexOf(Math.min(...underWay)));

  return {
    get size() {
      return pool === undefined ? 1 : jobs;
    },
    start() {
      if (jobs > 1)
        pool ??= workerPool({ task, size: jobs, threads, setup: () => setup, handlers: () => ({}), signal });
    },
    place,
    async run(name, argument, options = {}) {
      const at = options.place ?? place();
      const worker = pool?.workers[at];
      if (worker === undefined) return runHere(name, argument);
      underWay[at] = (underWay[at] ?? 0) + 1;
      try {
        return await worker.call(name, argument, options.buffers);
      } catch (error) {
        // A call ends before its thread does where all are being ended.
        if (isClosing || signal?.aborted === true) await pool?.close();
        throw error;
      } finally {
        underWay[at] = (underWay[at] ?? 0) - 1;
      }
    },
    async close() {
      isClosing = true;
      await (pool ?? threads)?.close();
    },
  };
}
