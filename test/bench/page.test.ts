import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { benchPage } from './page.ts';
import { pagePath, readReport } from './report-files.ts';

test('docs/bench/README.md is what the reports say (make it with test/bench/make-page.ts)', () => {
  expect(existsSync(pagePath)).toBe(true);
  expect(readFileSync(pagePath, 'utf8')).toBe(benchPage({ bench: readReport('bench'), scale: readReport('scale') }));
});

test('a page without reports says that nothing was measured', () => {
  expect(benchPage({ bench: { rows: [] }, scale: { rows: [] } })).toContain('not measured yet');
});
