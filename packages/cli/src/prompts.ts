/** Questions to a person at a terminal, on stderr. An end of input or Ctrl-C at any of them ends the command. */

import { MbkError } from '@mbk/core';
import type * as clackPrompts from '@clack/prompts';
import { wrapWords } from './terminal-width.ts';

export interface Prompts {
  /** A line of text; `initial` stands there to be changed. `check` says what is wrong with an answer. */
  text(message: string, options?: TextPromptOptions): Promise<string>;
  /** A line that is not shown. */
  password(message: string, options?: Pick<TextPromptOptions, 'check'>): Promise<string>;
  select<Value extends string>(message: string, choices: readonly Choice<Value>[]): Promise<Value>;
  confirm(message: string, initial: boolean): Promise<boolean>;
  /** Says something between questions. */
  say(message: string): Promise<void>;
  warn(message: string): Promise<void>;
}

export interface TextPromptOptions {
  readonly initial?: string;
  readonly check?: ((answer: string) => string | undefined) | undefined;
}

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
}

/** Whether a person can be asked. */
export function canAsk({ stdin, stderr }: Pick<NodeJS.Process, 'stdin' | 'stderr'>): boolean {
  return stdin.isTTY && stderr.isTTY;
}

/** Asks on the terminal. Every question ends with the error `interrupted` when there is no answer. */
export function terminalPrompts(
  { stdin: input, stderr: output }: Pick<NodeJS.Process, 'stdin' | 'stderr'>,
  signal: AbortSignal,
): Prompts {
  const load = async (): Promise<typeof clackPrompts> => import('@clack/prompts');
  const ask = async <Answer>(
    question: (clack: typeof clackPrompts, about: AskOptions) => Promise<Answer>,
  ): Promise<Exclude<Answer, symbol>> => {
    const clack = await load();
    const end = new AbortController();
    const onEnd = (): void => end.abort();
    const onKey = (_: unknown, key: { readonly ctrl?: boolean; readonly name?: string } | undefined): void => {
      if (key?.ctrl === true && key.name === 'd') onEnd();
    };
    for (const name of ['end', 'close', 'error']) input.once(name, onEnd);
    input.on('keypress', onKey);
    try {
      const answer = await question(clack, { input, output, signal: AbortSignal.any([signal, end.signal]) });
      signal.throwIfAborted();
      if (end.signal.aborted) throw new MbkError('interrupted', 'the input ended before the question was answered');
      if (typeof answer === 'symbol') throw new MbkError('interrupted', 'the question was not answered');
      return answer as Exclude<Answer, symbol>;
    } finally {
      for (const name of ['end', 'close', 'error']) input.off(name, onEnd);
      input.off('keypress', onKey);
    }
  };
  // Beside the text stands a line of three columns.
  const wrapped = (message: string): string => wrapWords(message, Math.min(output.columns ?? 80, 100) - 4);
  const checked = (check: TextPromptOptions['check']) => (answer: string | undefined) => check?.(answer ?? '');
  return {
    text: (message, { initial = '', check } = {}) =>
      ask(async ({ text }, about) => text({ ...about, message, initialValue: initial, validate: checked(check) })),
    password: (message, { check } = {}) =>
      ask(async ({ password }, about) => password({ ...about, message, validate: checked(check) })),
    select: (message, choices) =>
      ask(async ({ select }, about) => {
        const options = choices.map(({ value, label, hint }) => ({ value, label, ...(hint && { hint }) }));
        return select({
          ...about,
          message,
          options: options as clackPrompts.Option<(typeof choices)[number]['value']>[],
        });
      }),
    confirm: (message, initialValue) => ask(async ({ confirm }, about) => confirm({ ...about, message, initialValue })),
    say: async (message) => (await load()).log.info(wrapped(message), { output }),
    warn: async (message) => (await load()).log.warn(wrapped(message), { output }),
  };
}

interface AskOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}
