import { MbkError } from '@mbk/core';
import { describe, expect, test } from 'vitest';
import { askNewPassphrase } from '../src/ask-new-passphrase.ts';
import { converse } from '../src/init-conversation.ts';
import type { InitGiven, InitSurroundings } from '../src/init-conversation.ts';
import { guessProject } from '../src/project/guess-project.ts';
import type { Prompts } from '../src/prompts.ts';

/** A person who gives these answers, in this order; what does not pass a check is answered again with the next one. */
function person(answers: readonly (string | boolean)[]): { readonly prompts: Prompts; readonly heard: string[] } {
  const left = [...answers];
  const heard: string[] = [];
  const answer = async (message: string): Promise<string | boolean> => {
    heard.push(message);
    const next = left.shift();
    if (next === undefined) throw new MbkError('interrupted', 'the input ended');
    return next;
  };
  const line: Prompts['text'] = async (message, { initial = '', check } = {}) => {
    const typed = String(await answer(message)) || initial;
    const problem = check?.(typed);
    if (problem === undefined) return typed;
    heard.push(problem);
    return line(message, { initial, ...(check !== undefined && { check }) });
  };
  const tell = async (message: string): Promise<void> => void heard.push(message);
  const prompts: Prompts = {
    text: line,
    password: line,
    select: async <Value extends string>(message: string) => (await answer(message)) as Value,
    confirm: async (message) => (await answer(message)) === true,
    say: tell,
    warn: tell,
  };
  return { prompts, heard };
}

const paths = ['models/healthcare-a.gguf', 'data/training/healthcare/a.jsonl', 'models/finance-a.gguf'];
const nothingSaid: InitGiven = {
  folder: undefined,
  guess: guessProject(paths, 'lab'),
  hasDomains: false,
  hasSecret: false,
  hasRecovery: false,
};
const around: InitSurroundings = {
  random: (length) => new Uint8Array(length),
  defaultFolder: './backups',
  checkFolder: (text) => (text === '/etc' ? '/etc holds something else: hosts.' : undefined),
  isSameDisk: () => false,
  checkNewFile: () => undefined,
};
const strong = 'seven violet engines argue quietly about moss';

describe('the conversation', () => {
  test('asks for domains, a place, a passphrase twice and the recovery key', async () => {
    const { prompts, heard } = person(['healthcare, finance', '/etc', '', 'typed', strong, strong, 'show', true]);
    expect(await converse(prompts, nothingSaid, around)).toEqual({
      domains: ['healthcare', 'finance'],
      folder: './backups',
      passphrase: strong,
      recovery: { kind: 'show' },
      isAgreed: true,
    });
    expect(heard[0]).toBe('Found here: 2 files of models/production, 1 file of data/training.');
    expect(heard).toContain('/etc holds something else: hosts.');
  });

  test('asks nothing that was said', async () => {
    const { prompts, heard } = person([false]);
    const said = { folder: '/srv/b', guess: undefined, hasDomains: true, hasSecret: true, hasRecovery: true };
    expect(await converse(prompts, said, around)).toEqual({ isAgreed: false });
    expect(heard).toEqual(['Make the repository now, in /srv/b?']);
  });

  test('a passphrase that was made must be typed back', async () => {
    const made = 'aaaaa-aaaaa-aaaaa-aaaaa-aaaaa';
    const { prompts, heard } = person(['', '', 'made', 'something else', made, 'file', '/media/key', true]);
    expect(await converse(prompts, nothingSaid, around)).toMatchObject({
      domains: ['healthcare'],
      passphrase: made,
      recovery: { kind: 'file', path: '/media/key' },
    });
    expect(heard).toContain('That is not the passphrase above.');
  });

  test('a name that cannot be a domain is asked for again', async () => {
    const { prompts, heard } = person(['Health Care', 'health-care', '']);
    await expect(converse(prompts, nothingSaid, around)).rejects.toMatchObject({ code: 'interrupted' });
    expect(heard.filter((line) => line.includes('cannot be a domain'))).toHaveLength(1);
  });

  test('whoever leaves at any question gets nothing but the error interrupted', async () => {
    const all = ['', '', 'typed', strong, strong, 'show'];
    for (let answers = 0; answers < all.length; answers += 1) {
      const { prompts } = person(all.slice(0, answers));
      await expect(converse(prompts, nothingSaid, around)).rejects.toMatchObject({ code: 'interrupted' });
    }
  });
});

test('a weak passphrase needs a yes, and two that differ are asked for again', async () => {
  const { prompts, heard } = person(['weak', false, strong, 'mistyped', strong, strong]);
  expect(await askNewPassphrase(prompts)).toBe(strong);
  expect(heard.filter((line) => line.startsWith('The two are not the same'))).toHaveLength(1);
  expect(await askNewPassphrase(person(['weak', true, 'weak']).prompts)).toBe('weak');
});
