import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runMbk, waysToRun } from '../run-program.ts';
import type { WayToRun } from '../run-program.ts';

interface Report {
  readonly worker: string;
  readonly passed: number;
  readonly failed: number;
  readonly answers: readonly { readonly name: string }[];
}

const ways = Object.keys(waysToRun) as WayToRun[];

describe.each(ways)('mbk self-test, run as %s', (way) => {
  test('passes, with a worker that is found', async () => {
    const { code, stdout, stderr } = await runMbk(way, ['self-test', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout) as Report;
    expect(report.failed).toBe(0);
    expect(report.passed).toBe(report.answers.length);
    expect(report.answers.map((answer) => answer.name)).toContain('Argon2id');
    expect(report.worker).toMatch(way === 'source' ? /\/core\/src\/worker\.ts$/ : /\/core\/dist-bundle\/worker\.js$/);
  });

  test('prints a table for people', async () => {
    const { code, stdout } = await runMbk(way, ['self-test']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^passed {2}SHA-256 +node:crypto, @noble\/hashes/m);
    expect(stdout).not.toContain('\u001b');
  });
});

test('the command runs on the workspace Node, whatever the shell has', async () => {
  const wanted = readFileSync(join(import.meta.dirname, '../../pnpm-workspace.yaml'), 'utf8');
  const { stdout } = await runMbk('command', ['self-test', '--json'], { PATH: '/usr/bin:/bin' });
  expect(wanted).toContain(`nodeVersion: ${(JSON.parse(stdout) as { node: string }).node.slice(1)}\n`);
});
