/**
 * `selfTest`: runs the known-answer tests where the work of a snapshot runs, in a worker thread.
 *
 * It also proves that the worker entry of this package is found and starts, whichever way the program was started:
 * from its sources, from emitted files, or from a bundle.
 */

import { version } from 'node:process';
import { Worker } from 'node:worker_threads';
import { MbkError } from '../errors.ts';
import type { KnownAnswer } from './known-answers.ts';

export interface SelfTestReport {
  /** Version of Node that ran the tests, such as `v24.21.0`. */
  readonly node: string;
  /** Where the worker was loaded from, a file URL. */
  readonly worker: string;
  readonly passed: number;
  readonly failed: number;
  readonly answers: readonly KnownAnswer[];
}

/** What may stop the test. */
export interface SelfTestOptions {
  readonly signal?: AbortSignal;
}

/**
 * Runs every known-answer test in a worker thread and reports each of them, passed or failed.
 *
 * Throws `interrupted` (or the reason of `signal`) when aborted, `self-test-failed` when the worker cannot run.
 */
export async function selfTest({ signal }: SelfTestOptions = {}): Promise<SelfTestReport> {
  signal?.throwIfAborted();
  // A subpath of the package, resolved by Node: it holds in sources, in emitted code and in a bundle, where a path
  // relative to this file would not.
  const workerUrl = import.meta.resolve('@mbk/core/worker');
  const answers = await answersOfWorker(workerUrl, signal);
  const passed = answers.filter((answer) => answer.passed).length;
  return { node: version, worker: workerUrl, passed, failed: answers.length - passed, answers };
}

async function answersOfWorker(workerUrl: string, signal: AbortSignal | undefined): Promise<readonly KnownAnswer[]> {
  const worker = new Worker(new URL(workerUrl), { workerData: { task: 'self-test' } });
  const { promise, resolve, reject } = Promise.withResolvers<readonly KnownAnswer[]>();
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  worker.once('message', (answers: readonly KnownAnswer[]) => resolve(answers));
  worker.once('error', (cause: unknown) => {
    reject(new MbkError('self-test-failed', 'the worker thread of the self-test failed', { cause }));
  });
  worker.once('exit', (code) => {
    reject(new MbkError('self-test-failed', `the worker thread of the self-test ended with code ${code}`));
  });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}
