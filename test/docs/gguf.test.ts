import { describe, expect, test } from 'vitest';
import { ggufCodes } from '../../plugins/gguf/src/codes.ts';
import { codeOf, filesBelow, readText, tablesOf } from './markdown.ts';

describe('docs/plugins/gguf.md', () => {
  const rows = tablesOf(readText('docs/plugins/gguf.md'))
    .filter(({ head }) => head[0] === 'code')
    .flatMap(({ rows: each }) => each);

  test('lists every code with its severity, in the order of the table of codes', () => {
    const told = rows.map(([code = '', severity]) => [codeOf(code)[0], severity]);
    expect(told).toEqual(Object.entries(ggufCodes).map(([code, severity]) => [`gguf/${code}`, severity]));
  });

  test('says of each what it means and where the rule comes from', () => {
    expect(rows.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
  });

  test('the sources of the plugin know no other code', () => {
    const sources = filesBelow('plugins/gguf/src', (path) => path.endsWith('.ts'));
    const used = sources.flatMap((path) =>
      [...readText(path).matchAll(/'gguf\/([a-z0-9-]+)'/g)].map(([, code]) => code),
    );
    expect(used.filter((code) => code !== undefined && !Object.hasOwn(ggufCodes, code))).toEqual([]);
    expect(used.length).toBeGreaterThan(10);
  });
});
