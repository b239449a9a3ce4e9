import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const reporter = join(import.meta.dirname, 'closing-line.ts');
const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
let folder: string;

beforeEach(() => {
  // Inside the workspace, so that the tests in it find vitest.
  folder = mkdtempSync(join(import.meta.dirname, '.closing-line-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The last line that a run of these test files prints. */
function lastLine(files: Readonly<Record<string, string>>): {
  readonly line: string | undefined;
  readonly code: number | null;
} {
  for (const [name, body] of Object.entries(files)) {
    writeFileSync(join(folder, name), `import { test } from 'vitest';\n${body}\n`);
  }
  writeFileSync(join(folder, 'vitest.config.js'), 'export default {};\n');
  const args = [vitest, 'run', '--root', folder, '--reporter=default', `--reporter=${reporter}`];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  return { line: stdout.trimEnd().split('\n').at(-1), code: status };
}

test('a good run says how many passed', () => {
  expect(lastLine({ 'a.test.js': "test('a', () => {}); test('b', () => {});" })).toEqual({
    line: '2 passed, 0 failed',
    code: 0,
  });
});

test('failed, skipped and unloadable tests are counted', () => {
  const files = {
    'a.test.js': "test('a', () => {}); test('b', () => { throw new Error('no'); }); test.skip('c', () => {});",
    'b.test.js': "throw new Error('cannot be loaded');",
  };
  expect(lastLine(files)).toEqual({ line: '1 passed, 2 failed, 1 skipped', code: 1 });
});
