/** What docs/cli.md shares with the code beside commands and flags, which packages/cli/test/commands.test.ts holds. */

import { exitCodes } from '@mbk/core';
import { expect, test } from 'vitest';
import { codeOf, filesBelow, readText, sectionOf, tableOf } from './markdown.ts';

const page = readText('docs/cli.md');

test('the exit codes', () => {
  const { rows } = tableOf(sectionOf(page, 'Exit codes'), 'exit code');
  expect(rows.map(([code]) => Number(code))).toEqual(Object.values(exitCodes));
});

test('the environment variables', () => {
  const { rows } = tableOf(sectionOf(page, 'Environment'), 'variable');
  const told = rows.flatMap(([name = '']) => codeOf(name)).filter((name) => name.startsWith('MBK_'));
  const sources = filesBelow('packages/cli/src', (path) => path.endsWith('.ts'))
    .map(readText)
    .join('\n');
  // A name at the end of which nothing may follow: `MBK_PASSPHRASE` alone is a prefix too.
  const read = [...sources.matchAll(/'(MBK_[A-Z_]*[A-Z])'|\.(MBK_[A-Z_]*[A-Z])\b/g)].map(
    ([, quoted, member]) => quoted ?? member ?? '',
  );
  expect(told.toSorted()).toEqual([...new Set(read)].toSorted());
});
