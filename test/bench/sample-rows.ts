/** Reports with round numbers, for the tests of what is made from reports. */

import type { Result, RowReport, Run } from './report.ts';

export function sampleResult(contender: string, runs: readonly Run[]): Result {
  return { contender, version: '1.2.3', command: `${contender} go`, runs };
}

export function sampleRow(id: string, results: readonly Result[], more: Partial<RowReport> = {}): RowReport {
  return {
    id,
    title: `the work ${id}`,
    conditions: 'warm',
    measuredAt: '2025-01-31T12:00:00.000Z',
    machine: {
      processor: 'Example 1',
      cores: 2,
      memoryBytes: 2 ** 34,
      system: 'Linux 1',
      fileSystem: 'tmpfs',
      load: 0,
    },
    seed: 7,
    scale: 1,
    note: '',
    sourceBytes: 1e9,
    sourceFiles: 3,
    results,
    ...more,
  };
}
