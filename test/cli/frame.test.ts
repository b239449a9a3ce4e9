import { exitCodes } from '@mbk/core';
import { describe, expect, test } from 'vitest';
import { runMbk } from '../run-program.ts';

describe('usage', () => {
  test.each([
    [['self-tset'], 'unknown command: self-tset', 'Did you mean `mbk self-test`?'],
    [['self-test', '--jso'], 'unknown flag: --jso', 'Did you mean --json?'],
    [['self-test', 'surplus'], 'unexpected argument: surplus', 'See `mbk self-test --help`.'],
    [['help', 'frobnicate'], 'unknown command: frobnicate', 'See `mbk --help`'],
    [['restore'], 'unknown command: restore', 'Did you mean `mbk checkout`?'],
    [['log', '-n', 'abc'], '--number: expected an integer but received: abc', 'See `mbk log --help`.'],
    [['repair'], '`mbk repair` needs another word', 'There is `mbk repair index`, `mbk repair log`'],
  ])('%j ends with exit code 2 and says what was meant', async (args, message, remedy) => {
    const { code, stdout, stderr } = await runMbk('bundle', args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain(remedy);
  });

  test('with --json a mistake is an object on stdout', async () => {
    for (const args of [
      ['--json', 'self-tset'],
      ['self-test', '--nope', '--json'],
      ['repair', '--json'],
    ]) {
      const { code, stdout, stderr } = await runMbk('bundle', args);
      expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ type: 'error', code: 'usage-invalid' });
    }
  });

  test('a bad variable is an error before anything is done', async () => {
    const { code, stderr } = await runMbk('bundle', ['self-test'], { MBK_CACHE_DIR: 'relative' });
    expect(code).toBe(2);
    expect(stderr).toContain('MBK_CACHE_DIR is "relative"');
  });
});

describe('help and version', () => {
  test('the overview names every command', async () => {
    for (const args of [[], ['--help'], ['help']]) {
      const { code, stdout } = await runMbk('bundle', args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {2}self-test +\S/m);
      for (const exit of Object.values(exitCodes)) expect(stdout).toMatch(new RegExp(`(^|[ ,]) *${exit} [a-z]`, 'm'));
    }
  });

  test('a command has its page, asked for either way', async () => {
    const [asFlag, asVerb] = await Promise.all([
      runMbk('bundle', ['self-test', '--help']),
      runMbk('bundle', ['help', 'self-test']),
    ]);
    expect(asFlag.stdout).toContain('$ mbk self-test');
    expect(asFlag.stdout).toContain('--repo');
    expect(asVerb).toEqual(asFlag);
  });

  test('--version prints one line', async () => {
    expect(await runMbk('command', ['--version'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^mbk \d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });
});
