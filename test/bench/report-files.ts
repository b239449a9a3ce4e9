/** The JSON files in docs/bench. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Report } from './report.ts';

const folder = join(import.meta.dirname, '../../docs/bench');

export function reportPath(name: string): string {
  return join(folder, `${name}.json`);
}

/** Empty when nothing was measured under that name. */
export function readReport(name: string): Report {
  const path = reportPath(name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : { rows: [] };
}

export function writeReport(name: string, report: Report): void {
  mkdirSync(dirname(reportPath(name)), { recursive: true });
  writeFileSync(reportPath(name), `${JSON.stringify(report, null, 2)}\n`);
}

/** Path of the page that is made from the reports. */
export const pagePath: string = join(folder, 'README.md');
