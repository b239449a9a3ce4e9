/** A finding of a plugin as one line for people, and its remedy on a second one. */
import type { ByteText } from '@mbk/core';
import type { Finding } from '@mbk/plugin-sdk';
import { escapeForTerminal, escapePath } from './escape.ts';
import type { Styler } from './output.ts';

const colours = { error: 'red', warning: 'yellow', info: 'dim' } as const;

export function renderFinding(path: ByteText, finding: Finding, style: Styler): string {
  const { code, count, message, remedy, severity } = finding;
  const place = escapeForTerminal(placeOf(finding));
  const times = count === undefined || count === 1 ? '' : ` (${count} times)`;
  const head = `${style(colours[severity], `${severity}:`)} ${escapePath(path)}${place}: ${escapeForTerminal(message)}${times}`;
  const line = `${head} ${style('dim', `[${code}]`)}`;
  return remedy === undefined ? line : `${line}\n  ${style('dim', escapeForTerminal(remedy))}`;
}

/** Where in the file: `:12:3`, ` at byte 40`, ` at /optimizer/lr`, ` in part.jsonl`. */
function placeOf({ column, line, offset, path, pointer }: Finding): string {
  const inside = path === undefined ? '' : ` in ${path}`;
  if (line !== undefined) return `${inside}:${line}${column === undefined ? '' : `:${column}`}`;
  if (pointer !== undefined) return `${inside} at ${pointer === '' ? 'its root' : pointer}`;
  return offset === undefined ? inside : `${inside} at byte ${offset}`;
}
