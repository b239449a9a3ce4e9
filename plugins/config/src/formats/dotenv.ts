/** `.env` files as dotenv and Docker Compose read them: `KEY=value`, `export`, quotes, comments. Everything is text. */

import { findingList, type Json } from '@mbk/plugin-sdk';
import { type ParsedText, type Place, pointerSegment, setMember } from '../document.ts';

const start = /^\s*(?:export\s+)?(?<key>[\w.-]+)\s*=[ \t]*/;

export function parseDotenv(text: string): ParsedText {
  const findings = findingList();
  const places = new Map<string, Place>();
  const value: Record<string, Json> = {};
  const lines = text.split(/\r\n|\r|\n/);

  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^\s*(?:#|$)/.test(line)) continue;
    const place = { line: index + 1, column: line.length - line.trimStart().length + 1 };
    const head = start.exec(line);
    const key = head?.groups?.['key'];
    if (head === null || key === undefined) {
      findings.add({ code: 'config/syntax', severity: 'error', message: 'neither KEY=value nor a comment', ...place });
      continue;
    }
    const read = readValue(lines, index, head[0].length);
    if (read === undefined) {
      findings.add({
        code: 'config/syntax',
        severity: 'error',
        message: 'a quote is opened here and never closed',
        ...place,
      });
      break;
    }
    index = read.lastLine;
    const pointer = pointerSegment(key);
    if (Object.hasOwn(value, key))
      findings.add({
        code: 'config/duplicate-key',
        severity: 'error',
        message: `${key.slice(0, 100)} is set twice`,
        remedy: 'remove one of them',
        pointer,
        ...place,
      });
    setMember(value, key, read.value);
    places.set(pointer, place);
  }
  return { value, places, documents: 1, findings: findings.findings() };
}

/** A value that begins in a line; in quotes it may go on over the next ones. Undefined where its quote never closes. */
function readValue(
  lines: readonly string[],
  line: number,
  column: number,
): { readonly value: string; readonly lastLine: number } | undefined {
  const rest = (lines[line] ?? '').slice(column);
  const quote = rest[0];
  if (quote !== '"' && quote !== "'" && quote !== '`')
    return { value: rest.replace(/(?:^|\s)#.*$/, '').trim(), lastLine: line };
  const parts: string[] = [];
  for (let at = line; at < lines.length; at += 1) {
    const text = at === line ? rest.slice(1) : (lines[at] ?? '');
    const end = closingQuote(text, quote);
    if (end >= 0) {
      parts.push(text.slice(0, end));
      return { value: parts.join('\n'), lastLine: at };
    }
    parts.push(text);
  }
  return undefined;
}

/** Where a quote closes; in double quotes one behind a backslash does not. */
function closingQuote(text: string, quote: string): number {
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === quote) return at;
    if (quote === '"' && text[at] === '\\') at += 1;
  }
  return -1;
}
