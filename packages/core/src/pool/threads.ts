/**
 * Threads that load the code of a task before anyone has work for them: a command starts them while its key is derived,
 * which leaves a core idle. They wait for their setup; `workerPool` gives it to them.
 */
import { availableParallelism } from 'node:os';
import { type ResourceLimits, Worker } from 'node:worker_threads';

export interface Threads {
  /** Task of `worker.ts`. */
  readonly task: string;
  readonly workers: readonly Worker[];
  /** Ends them; the threads of a pool are ended by the pool. */
  close(): Promise<void>;
}

/**
 * Where threads start. A subpath of the package, resolved by Node: it holds in sources, in emitted code and in a bundle,
 * where a path relative to this file would not.
 */
export function workerUrl(): URL {
  return new URL(import.meta.resolve('@mbk/core/worker'));
}

/** Young objects live in so many MiB: what waits for the collector in a thread is native memory, so it stays small. */
const youngGenerationMb = 3;

export function startThreads(task: string, size: number, limits?: ResourceLimits): Threads {
  const url = workerUrl();
  const resourceLimits = limits ?? { maxYoungGenerationSizeMb: youngGenerationMb };
  const workers = Array.from({ length: size }, () => new Worker(url, { workerData: { task }, resourceLimits }));
  // Until a pool listens: an error of a thread is told to whoever calls it, not to the process.
  for (const worker of workers) worker.on('error', () => undefined);
  return {
    task,
    workers,
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/**
 * The threads of `verify` and `checkout`, for who starts them while a key is derived; none where one thread is wanted.
 * Whoever starts them ends them.
 */
export function prepareThreads(operation: 'verify' | 'checkout', jobs: number = defaultJobs()): Threads | undefined {
  return jobs === 1 ? undefined : startThreads(operation === 'verify' ? 'check-pack' : 'checkout', jobs);
}

/** One thread for each core that this process may use. */
export function defaultJobs(): number {
  return availableParallelism();
}
