import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { watchInterruption } from '../src/interruption.ts';

/** The two abilities of a process that are watched: its signals, and an end. */
function fakeProcess() {
  const exit = vi.fn<(code?: number) => never>();
  const process = Object.assign(new EventEmitter(), { exit });
  return { process: process as unknown as NodeJS.Process, exit, emit: (name: string) => process.emit(name, name) };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s aborts with the error interrupted, exit code 130', (name) => {
  const { process, exit, emit } = fakeProcess();
  const { signal } = watchInterruption(process);
  expect(signal.aborted).toBe(false);
  emit(name);
  expect(signal.reason).toMatchObject({ code: 'interrupted', exitCode: 130 });
  expect(exit).not.toHaveBeenCalled();
});

test('a second signal ends the process at once', () => {
  const { process, exit, emit } = fakeProcess();
  watchInterruption(process);
  emit('SIGINT');
  emit('SIGINT');
  expect(exit).toHaveBeenCalledExactlyOnceWith(130);
});

test('once stopped, signals are Node’s own again', () => {
  const { process, emit } = fakeProcess();
  const { signal, stop } = watchInterruption(process);
  stop();
  expect(emit('SIGINT')).toBe(false);
  expect(signal.aborted).toBe(false);
});
