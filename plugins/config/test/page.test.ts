import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codes } from '../src/index.ts';

test('docs/plugins/config.md lists every code with its severity and meaning', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/plugins/config.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `(config\/[^`]+)` +\| (\w+) +\| (.+?) +\|$/gm)].map(([, ...row]) => row);
  expect(listed).toEqual(Object.entries(codes).map(([code, { meaning, severity }]) => [code, severity, meaning]));
});
