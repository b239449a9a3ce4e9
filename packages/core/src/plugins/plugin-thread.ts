/**
 * The plugin thread as the main thread uses it: one question after the other, each answered or given up. A plugin that
 * hangs, runs out of memory or ends its thread costs its own question; the next one gets a new thread.
 */
import type { Transferable } from 'node:worker_threads';
import { isMbkError, MbkError } from '../errors.ts';
import type { Handlers } from '../pool/channel.ts';
import { startThreads, type Threads } from '../pool/threads.ts';
import { workerPool, type WorkerPool } from '../pool/worker-pool.ts';
import type { PluginSetup } from './plugin-calls.ts';

/** Why there is no answer. */
export interface NoAnswer {
  readonly type: 'gone';
  readonly what: 'hung' | 'memory' | 'died';
  readonly message: string;
  /** Of many files in one question: the one that it was at. */
  readonly at: number;
}

export interface PluginAsker {
  /** Asks; `buffers` are not the caller's afterwards. What it gives may be a NoAnswer. Rejects with 'interrupted' only. */
  ask(name: string, argument: unknown, options?: AskOptions): Promise<unknown>;
  close(): Promise<void>;
}

export interface PluginThread extends PluginAsker {
  /** Whether no question waits for its answer. */
  isIdle(): boolean;
}

export interface AskOptions {
  readonly buffers?: readonly Transferable[];
  /** Whether it comes before what waits: somebody stands still until it is answered. */
  readonly isUrgent?: boolean;
}

export interface PluginThreadOptions {
  readonly setup: Omit<PluginSetup, 'progress'>;
  /** What the thread may call here. */
  readonly handlers: Handlers;
  /** Longest that a plugin may go without a sign of getting on, in milliseconds. */
  readonly idleMs: number;
  /** Most MiB of its heap. */
  readonly heapMb: number;
  readonly signal?: AbortSignal | undefined;
}

export const defaultHeapMb = 256;
const pluginTaskName = 'plugins';
/** How often it is looked at whether a plugin gets on. */
const checkMs = 100;

/** Starts the thread, for who knows before that there will be questions; `pluginThread` takes it over. */
export function startPluginThread(heapMb: number = defaultHeapMb): Threads {
  return startThreads(pluginTaskName, 1, { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 6 });
}

export function pluginThread(options: PluginThreadOptions & { readonly threads?: Threads | undefined }): PluginThread {
  const { handlers, heapMb, idleMs, setup, signal } = options;
  let started = options.threads;
  let pool: { readonly threads: WorkerPool; readonly progress: Int32Array } | undefined;
  const urgent: (() => Promise<void>)[] = [];
  const queue: (() => Promise<void>)[] = [];
  let isBusy = false;
  let isClosed = false;

  const start = (): NonNullable<typeof pool> => {
    const progress = new SharedArrayBuffer(12);
    // Starting a thread is nothing that a plugin does.
    Atomics.store(new Int32Array(progress), 1, 1);
    const threads = workerPool({
      task: pluginTaskName,
      size: 1,
      threads: started ?? startPluginThread(heapMb),
      setup: (): PluginSetup => ({ ...setup, progress }),
      handlers: () => handlers,
      signal,
    });
    started = undefined;
    return { threads, progress: new Int32Array(progress) };
  };

  const askNow = async (name: string, argument: unknown, buffers: readonly Transferable[]): Promise<unknown> => {
    if (isClosed || signal?.aborted === true) throw new MbkError('interrupted', 'interrupted while plugins were asked');
    pool ??= start();
    const { progress, threads } = pool;
    Atomics.store(progress, 2, 0);
    const gone = (what: NoAnswer['what'], message: string): NoAnswer => {
      if (pool?.threads === threads) pool = undefined;
      return { type: 'gone', what, message, at: Atomics.load(progress, 2) };
    };
    const hung = Promise.withResolvers<NoAnswer>();
    let last = Atomics.load(progress, 0);
    let idle = 0;
    const timer = setInterval(() => {
      const now = Atomics.load(progress, 0);
      idle = now !== last || Atomics.load(progress, 1) === 1 ? 0 : idle + checkMs;
      last = now;
      if (idle <= idleMs) return;
      hung.resolve(gone('hung', `it did not get on for ${idleMs / 1000} s`));
      clearInterval(timer);
    }, checkMs);
    try {
      const call = threads.workers[0]?.call(name, argument, buffers);
      call?.catch(() => undefined); // of one that hung
      return await Promise.race([call, hung.promise]);
    } catch (error) {
      if (isMbkError(error, 'interrupted')) throw error;
      const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
      if (isOutOfMemory(cause)) return gone('memory', `it took more than ${heapMb} MiB`);
      return gone('died', cause instanceof Error ? cause.message : String(cause));
    } finally {
      clearInterval(timer);
      if (pool?.threads !== threads) await threads.close();
    }
  };

  const next = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    for (let one = urgent.shift() ?? queue.shift(); one !== undefined; one = urgent.shift() ?? queue.shift())
      await one();
    isBusy = false;
  };

  return {
    ask(name, argument, { buffers = [], isUrgent = false } = {}) {
      const { promise, reject, resolve } = Promise.withResolvers<unknown>();
      const run = (): Promise<void> => askNow(name, argument, buffers).then(resolve, reject);
      (isUrgent ? urgent : queue).push(run);
      void next();
      return promise;
    },
    isIdle: () => !isBusy,
    async close() {
      isClosed = true;
      await (pool?.threads ?? started)?.close();
    },
  };
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
