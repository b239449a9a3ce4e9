/**
 * `selfTest`: runs the known-answer tests where the work of a snapshot runs, in a worker thread.
 *
 * It also proves that the worker entry of this package is found and starts, whichever way the program was started:
 * from its sources, from emitted files, or from a bundle.
 */

import { version } from 'node:process';
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { workerUrl } from '../pool/threads.ts';
import { workerPool } from '../pool/worker-pool.ts';
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
 * Throws `interrupted` when aborted, `self-test-failed` when the worker cannot run.
 */
export async function selfTest({ signal }: SelfTestOptions = {}): Promise<SelfTestReport> {
  throwIfInterrupted(signal, 'testing itself');
  const answers = await answersOfWorker(signal);
  const passed = answers.filter((answer) => answer.passed).length;
  return { node: version, worker: workerUrl().href, passed, failed: answers.length - passed, answers };
}

async function answersOfWorker(signal: AbortSignal | undefined): Promise<readonly KnownAnswer[]> {
  const pool = workerPool({ task: 'self-test', size: 1, setup: () => null, handlers: () => ({}), signal });
  try {
    return (await pool.workers[0]?.call('run')) as readonly KnownAnswer[];
  } catch (cause) {
    if (isMbkError(cause, 'interrupted')) throw cause;
    throw new MbkError('self-test-failed', 'the worker thread of the self-test failed', { cause });
  } finally {
    await pool.close();
  }
}
