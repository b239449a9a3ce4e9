/**
 * Entry of the worker threads of this package, found through the subpath `@mbk/core/worker`.
 *
 * `workerData.task` says what to do; the answer is posted as one message.
 */

import { parentPort, workerData } from 'node:worker_threads';

const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
  'self-test': async () => (await import('./operations/known-answers.ts')).runKnownAnswers(),
};

const name: unknown = (workerData as { readonly task?: unknown } | null)?.task;
const task = typeof name === 'string' && Object.hasOwn(tasks, name) ? tasks[name] : undefined;
if (parentPort === null || task === undefined) {
  throw new TypeError(`expected to be started as a worker with a known task, got ${JSON.stringify(name)}`);
}
parentPort.postMessage(await task());
