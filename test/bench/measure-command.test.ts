import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askProgram, type Command, openMeter, shellText } from './measure-command.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'mbk-bench-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const node = (script: string): Command => ({
  program: process.execPath,
  args: ['-e', script],
  cwd: folder,
  env: { GREETING: 'hello' },
});

test('a run tells what the whole process took, with the environment that it was given', async () => {
  const meter = openMeter(folder);
  const run = await meter.measure(
    node('process.stdout.write(JSON.stringify([process.env.GREETING, process.env.HOME]))'),
  );
  expect(JSON.parse(run.output)).toEqual(['hello', null]);
  expect(run.seconds).toBeGreaterThan(0);
  expect(run.cpuSeconds === undefined).toBe(!meter.hasGnuTime);
  // A process of Node takes tens of megabytes.
  if (meter.hasGnuTime) expect(run.peakBytes).toBeGreaterThan(10e6);
});

test('a program that fails is an error with what it said', async () => {
  await expect(openMeter(folder).measure(node('console.error("no room"); process.exit(3)'))).rejects.toThrow(
    /ended with 3: no room/,
  );
});

test('a program that is not there has no version', () => {
  expect(askProgram('no-such-program-here', ['--version'])).toBeUndefined();
});

test('words that a shell would take apart are quoted', () => {
  expect(shellText({ program: 'sh', args: ['-c', 'a | b', '::x-1'] })).toBe("sh -c 'a | b' ::x-1");
});
