/**
 * Entry of the worker threads of this package, found through the subpath `@mbk/core/worker`.
 *
 * `workerData.task` says what the thread is for, the first message is its setup. What a task does for the main thread, and asks of it, goes over one
 * channel (`pool/channel.ts`); the modules of a task are loaded with it, not before.
 */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { Random } from './crypto/hash.ts';
import { openChannel, type Channel, type Handlers } from './pool/channel.ts';

/** What a task has of the world: the main thread, which it calls, and randomness. */
export interface TaskContext {
  readonly main: Pick<Channel, 'call'>;
  readonly random: Random;
}

/** Gives what the thread does for the main thread. */
type Task = (setup: never, context: TaskContext) => Handlers;

const tasks: Readonly<Record<string, () => Promise<Task>>> = {
  capture: async () => (await import('./snapshot/pipeline/capture-worker.ts')).captureTask,
  'check-pack': async () => (await import('./operations/verify/check-pack-task.ts')).checkPackTask,
  checkout: async () => (await import('./operations/checkout/checkout-task.ts')).checkoutTask,
  plugins: async () => (await import('./plugins/plugin-task.ts')).pluginTask,
  'self-test': async () => (await import('./operations/known-answers.ts')).selfTestTask,
};

const { task: name } = (workerData ?? {}) as { readonly task?: unknown };
const load = typeof name === 'string' && Object.hasOwn(tasks, name) ? tasks[name] : undefined;
if (parentPort === null || load === undefined) {
  throw new TypeError(`expected to be started as a worker with a known task, got ${JSON.stringify(name)}`);
}
const port = parentPort;
const task = await load();
// The first message is the setup; calls behind it wait at the port until the channel listens.
port.once('message', ({ setup }: { readonly setup: never }) => {
  openChannel(port, (main) => task(setup, { main, random: randomBytes }));
});
