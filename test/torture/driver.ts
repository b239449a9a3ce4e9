/**
 * One operation on a real folder, in a process of its own that kills itself before the n-th call of its filesystem.
 *
 * Arguments: operation, folder of the repository, of the host, of the source, n (0: never). Prints how many calls it made
 * when it was not killed.
 */
import { isMbkError, localBackend } from '@mbk/core';
import { countingFileSystem, nodeFileSystem } from '@mbk/core/testing';
import { operations, type OperationName } from './site.ts';

const [name = '', folder = '', host = '', source = '', killAt = '0'] = process.argv.slice(2);
let calls = 0;
const fs = countingFileSystem(nodeFileSystem, ({ count }) => {
  calls = count;
  if (count === Number(killAt)) die();
});

if (!isOperation(name)) throw new TypeError(`expected an operation, got ${name}`);
try {
  // Snapshots with threads: what they pack is put in any order, by this thread.
  await operations[name]({ backend: localBackend(folder, { fs }), host, source, jobs: 2 });
  process.stdout.write(JSON.stringify({ calls }));
} catch (error) {
  if (!isMbkError(error)) throw error;
  process.stdout.write(JSON.stringify({ calls, error: error.code, message: error.message }));
}

function isOperation(text: string): text is OperationName {
  return Object.hasOwn(operations, text);
}

/** Ends at once as by a power switch: nothing runs any more, nothing is flushed. */
function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way; nothing may happen meanwhile.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
