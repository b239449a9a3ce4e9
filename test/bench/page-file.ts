/** Writes docs/bench/README.md from the reports beside it. */

import { writeFileSync } from 'node:fs';
import { benchPage } from './page.ts';
import { pagePath, readReport } from './report-files.ts';

export function writePage(): void {
  writeFileSync(pagePath, benchPage({ bench: readReport('bench'), scale: readReport('scale') }));
}
