import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MbkError } from '@mbk/core';
import { toMbkError } from '../src/failure.ts';

const { signal } = new AbortController();

test('a working folder that somebody removed is said to be gone, and is no failure of mbk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mbk-gone-'));
  // What Node throws there: this thread has no working folder of its own to lose.
  const script =
    'try { process.cwd(); } catch ({ syscall, message }) { console.log(JSON.stringify({ syscall, message })); }';
  const { stdout } = spawnSync('sh', ['-c', 'rmdir "$PWD" && exec "$0" -e "$1"', process.execPath, script], {
    cwd: folder,
    encoding: 'utf8',
  });
  const { message, ...thrown } = JSON.parse(stdout) as { readonly message: string; readonly syscall: string };
  const error = toMbkError(Object.assign(new Error(message), thrown), 'log', [], signal);
  expect(error).toMatchObject({ code: 'source-absent', message: 'the working folder does not exist any more' });
  expect(error.remedy).toContain('folder that is there');
});

test('an error of mbk stays what it is, and any other is a failure of mbk with its stack', () => {
  const own = new MbkError('tag-exists', 'there is one');
  expect(toMbkError(own, 'tag', [], signal)).toBe(own);
  const error = toMbkError(new TypeError('expected more'), 'tag', [], signal);
  expect(error).toMatchObject({ code: 'internal', message: 'unexpected failure in `mbk tag`' });
  expect(error.details['stack']).toContain('expected more');
});
