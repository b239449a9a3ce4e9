/** The one renderer: what a command returns, as text for people or as JSON for programs. */

import type { MbkError } from '@mbk/core';
import { styleText } from 'node:util';
import { escapeJson, escapeMessage } from './escape.ts';
import { startLiveLine, startTicking } from './live-line.ts';
import type { LiveLine, ReadProgress } from './live-line.ts';

/** Colours text when the stream it goes to shows colours (a terminal, and no NO_COLOR). */
export type Styler = (format: Parameters<typeof styleText>[0], text: string) => string;

/** One line of a long command's JSON output. */
export interface OutputEvent {
  readonly type: 'progress' | 'summary' | 'finding' | 'notice';
  readonly [field: string]: unknown;
}

export interface Output {
  readonly json: boolean;
  /** The value of the command: JSON on one line, or the text that `render` makes of it, on stdout. */
  result<Value>(value: Value, render: (value: Value, style: Styler) => string): void;
  /** Something on the way: a JSON line, or the text that `render` makes of it, on stdout. No text when it is empty. */
  event<Event extends OutputEvent>(event: Event, render?: (event: Event, style: Styler) => string): void;
  /**
   * Shows how far long work is, from its first second on: a live line on a terminal, else plain lines on stderr, or a
   * JSON line of type `progress` every second. Returns what ends it.
   */
  progress(read: ReadProgress): () => void;
  /** Something the user should know though the command goes on: stderr, or a JSON line of type `notice`. */
  notice(message: string): void;
  /** How the command ends: message and remedy on stderr, or a JSON line of type `error` on stdout. */
  error(error: MbkError): void;
}

export interface OutputStreams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function makeOutput(json: boolean, { stdout, stderr }: OutputStreams): Output {
  const outStyle = stylerFor(stdout);
  const errorStyle = stylerFor(stderr);
  let live: LiveLine | undefined;
  const writeJson = (value: unknown): void => void stdout.write(`${toJson(value)}\n`);
  const writeText = (stream: NodeJS.WriteStream, text: string): void => {
    live?.clear();
    if (text !== '') stream.write(text.endsWith('\n') ? text : `${text}\n`);
  };
  return {
    json,
    result: (value, render) => (json ? writeJson(value) : writeText(stdout, render(value, outStyle))),
    event: (event, render) => (json ? writeJson(event) : writeText(stdout, render?.(event, outStyle) ?? '')),
    progress: (read) => {
      if (json) return startTicking(() => writeJson({ type: 'progress', ...read().fields }));
      const mine = startLiveLine(stderr, () => read().line);
      live = mine;
      return () => {
        mine.stop();
        if (live === mine) live = undefined;
      };
    },
    notice: (message) => {
      if (json) writeJson({ type: 'notice', message });
      else writeText(stderr, `${errorStyle('yellow', 'note:')} ${escapeMessage(message)}`);
    },
    error: (error) => {
      if (json) writeJson(errorJson(error));
      else writeText(stderr, errorText(error, errorStyle));
    },
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

function stylerFor(stream: NodeJS.WriteStream): Styler {
  // Asked once: a stream without colours is asked for every cell of a table otherwise.
  if (styleText('red', '-', { stream }) === '-') return (_, text) => text;
  return (format, text) => styleText(format, text, { stream });
}

function plainValue(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (value instanceof Set) return [...(value as Set<unknown>)];
  return value;
}
