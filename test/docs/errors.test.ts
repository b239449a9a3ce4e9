import { errorTable, exitCodes } from '@mbk/core';
import { expect, test } from 'vitest';
import { errorsPage } from './errors-page.ts';
import { filesBelow, readText } from './markdown.ts';

test('docs/errors.md is what the table of errors says (make it with test/docs/make-errors.ts)', () => {
  expect(readText('docs/errors.md')).toBe(errorsPage());
});

test('every code says what happened and what to do, in sentences', () => {
  for (const [code, { exit, meaning, remedy }] of Object.entries(errorTable)) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(Object.values(exitCodes), code).toContain(exit);
    for (const text of [meaning, remedy]) expect(text, code).toMatch(/^[A-Z`m].*\.$/);
  }
});

test('every code is thrown somewhere', () => {
  const sources = filesBelow('packages', (path) => /\/src\/.*\.ts$/.test(path) && !path.endsWith('src/errors.ts'))
    .map(readText)
    .join('\n');
  const unused = Object.keys(errorTable).filter((code) => !sources.includes(`'${code}'`));
  expect(unused).toEqual([]);
});
