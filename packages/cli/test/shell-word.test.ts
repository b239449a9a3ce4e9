import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from '../src/shell-word.ts';

test('a shell gives every word back as it was', () => {
  const words = ['plain/x-1.gguf', '', 'a b', "it's", '$(touch owned)', '~', '*', '"', '\\', 'lab:模型', '-rf', 'a\nb'];
  const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(words);
  expect(shellWord('plain/x-1.gguf')).toBe('plain/x-1.gguf');
});
