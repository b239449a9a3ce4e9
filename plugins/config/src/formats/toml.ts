/** TOML 1.1. Its reader tells the place of errors only. */

import type { Json } from '@mbk/plugin-sdk';
import { parse, TomlDate, TomlError } from 'smol-toml';
import { maxDepth, type ParsedText, setMember } from '../document.ts';

export function parseToml(text: string): ParsedText {
  try {
    const value = plain(parse(text, { integersAsBigInt: 'asNeeded', maxDepth: maxDepth * 2 }), maxDepth + 1);
    return { value, places: new Map(), documents: 1, findings: [] };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.split('\n');
    const isDuplicate = /redefin|already defined|duplicate/i.test(first);
    return {
      value: undefined,
      places: new Map(),
      documents: 1,
      findings: [
        {
          code: isDuplicate ? 'config/duplicate-key' : 'config/syntax',
          severity: 'error',
          message: first.slice(0, 300),
          line: error.line,
          column: error.column,
        },
      ],
    };
  }
}

function plain(value: unknown, left: number): Json {
  if (left === 0 || value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => plain(item, left - 1));
  const object: Record<string, Json> = {};
  for (const [name, member] of Object.entries(value)) setMember(object, name, plain(member, left - 1));
  return object;
}
