/**
 * Entry of the worker threads of this package, found through the subpath `@mbk/core/worker`.
 *
 * `workerData.task` says what the thread is for. What a task does for the main thread, and asks of it, goes over one
 * channel (`pool/channel.ts`); the modules of a task are loaded with it, not before.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openChannel, type Channel, type Handlers } from './pool/channel.ts';

/** Gives what the thread does for the main thread; `main` calls that one. */
type Task = (setup: never, main: Pick<Channel, 'call'>) => Handlers;

const tasks: Readonly<Record<string, () => Promise<Task>>> = {
  'self-test': async () => (await import('./operations/known-answers.ts')).selfTestTask,
};

const { task: name, setup } = (workerData ?? {}) as { readonly task?: unknown; readonly setup?: unknown };
const load = typeof name === 'string' && Object.hasOwn(tasks, name) ? tasks[name] : undefined;
if (parentPort === null || load === undefined) {
  throw new TypeError(`expected to be started as a worker with a known task, got ${JSON.stringify(name)}`);
}
const port = parentPort;
const task = await load();
// Calls that came while the modules were loaded wait at the port until the channel listens.
let channel: Channel | undefined;
const main: Pick<Channel, 'call'> = {
  call(...call) {
    if (channel === undefined) throw new TypeError('expected a call after the start');
    return channel.call(...call);
  },
};
channel = openChannel(port, task(setup as never, main));
