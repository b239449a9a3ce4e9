/** The one renderer: what a command returns, as text for people or as JSON for programs. */

import type { MbkError } from '@mbk/core';
import { escapeJson, escapeMessage } from './escape.ts';
import { startLiveLine, startTicking } from './progress/live-line.ts';
import type { LiveLine, ReadProgress } from './progress/live-line.ts';
import { stylerFor } from './styler.ts';
import type { Styler } from './styler.ts';
import { wrapWords } from './terminal-width.ts';

export type { Styler } from './styler.ts';

/** One line of a long command's JSON output. */
export interface OutputEvent {
  readonly type: 'progress' | 'summary' | 'match' | 'finding' | 'manifests' | 'notice' | 'hook';
  readonly [field: string]: unknown;
}

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /**
   * The value of the command: JSON on one line, or the text that `render` makes of it, on stdout. `columns` is the width of
   * the terminal, undefined where there is none and nothing is to be cut off. Quiet output leaves out the summary of what
   * went well (a value of `type` summary), and nothing that was asked for.
   */
  result<Value>(value: Value, render: (value: Value, style: Styler, columns: number | undefined) => string): void;
  /** Something on the way: a JSON line, or the text that `render` makes of it, on stdout. No text when it is empty. */
  event<Event extends OutputEvent>(
    event: Event,
    render?: (event: Event, style: Styler, columns: number | undefined) => string,
  ): void;
  /**
   * Shows how far long work is, from its first second on: a live line on a terminal, else plain lines on stderr, or a
   * JSON line of type `progress` every second. Returns what ends it.
   */
  progress(read: ReadProgress): () => void;
  /** Something the user should know though the command goes on: stderr, or a JSON line of type `notice`; not when quiet. */
  notice(message: string): void;
  /** What another program says or does on the way: a JSON line, or text on stderr, also when quiet. No text when it is empty. */
  aside<Event extends OutputEvent>(event: Event, render: (event: Event, style: Styler) => string): void;
  /** How the command ends: message and remedy on stderr, or a JSON line of type `error` on stdout. */
  error(error: MbkError): void;
  /** Takes progress off the terminal, before the process ends in the middle of it. */
  clear(): void;
}

export interface OutputOptions {
  readonly json: boolean;
  /** No progress, notices and summaries; errors, findings and what was asked for are told as always. */
  readonly quiet?: boolean;
  /** The TERM variable: a dumb terminal is written to as a pipe is. */
  readonly term?: string | undefined;
}

export interface OutputStreams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function makeOutput({ json, quiet = false, term }: OutputOptions, { stdout, stderr }: OutputStreams): Output {
  const outStyle = stylerFor(stdout);
  const errorStyle = stylerFor(stderr);
  let live: LiveLine | undefined;
  const columns = (): number | undefined => (stdout.isTTY ? stdout.columns : undefined);
  const writeJson = (value: unknown): void => void stdout.write(`${toJson(value)}\n`);
  const writeText = (stream: NodeJS.WriteStream, text: string): void => {
    live?.clear();
    if (text !== '') stream.write(text.endsWith('\n') ? text : `${text}\n`);
  };
  return {
    json,
    quiet,
    result: (value, render) => {
      if (json) writeJson(value);
      else if (!(quiet && isSummary(value))) {
        writeText(stdout, render(value, outStyle, columns()));
      }
    },
    event: (event, render) => (json ? writeJson(event) : writeText(stdout, render?.(event, outStyle, columns()) ?? '')),
    progress: (read) => {
      if (quiet) return () => undefined;
      if (json) return startTicking(() => writeJson({ type: 'progress', ...read().fields }));
      const mine = startLiveLine(stderr, () => read().view, { canRewrite: stderr.isTTY && term !== 'dumb' });
      live = mine;
      return () => {
        mine.stop();
        if (live === mine) live = undefined;
      };
    },
    notice: (message) => {
      if (quiet) return;
      if (json) writeJson({ type: 'notice', message });
      else writeText(stderr, wrapped(stderr, `${errorStyle('yellow', 'note:')} ${escapeMessage(message)}`));
    },
    aside: (event, render) => (json ? writeJson(event) : writeText(stderr, render(event, errorStyle))),
    error: (error) => {
      if (json) writeJson(errorJson(error));
      else writeText(stderr, wrapped(stderr, errorText(error, errorStyle)));
    },
    clear: () => live?.clear(),
  };
}

/** Numbers stay numbers (large ones as strings), bytes are hexadecimal, times RFC 3339; nothing a terminal obeys. */
export function toJson(value: unknown): string {
  return escapeJson(JSON.stringify(value, plainValue));
}

function errorJson({ code, message, remedy, details }: MbkError): object {
  return { type: 'error', code, message, remedy, details };
}

function errorText(error: MbkError, style: Styler): string {
  // What a bug report needs; every other cause is one line.
  const cause = !(error.cause instanceof Error)
    ? ''
    : error.code === 'internal'
      ? `\n${error.cause.stack ?? error.cause.message}`
      : `\n  because: ${error.cause.message}`;
  return `${style('red', 'error:')} ${escapeMessage(error.message + cause)}\n${escapeMessage(error.remedy)}`;
}

/** Sentences in the width of the terminal; as they are where there is none. */
function wrapped({ isTTY, columns }: NodeJS.WriteStream, text: string): string {
  return isTTY ? wrapWords(text, columns) : text;
}

function isSummary(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'summary';
}

function plainValue(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (value instanceof Set) return [...(value as Set<unknown>)];
  return value;
}
