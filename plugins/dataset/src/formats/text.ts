/** Plain text: each line a record. */

import { lineSplitter } from '../records/line-splitter.ts';
import { isBlank } from './jsonl.ts';
import { markGate, recordScan, type ScanContext, type Scanner } from './record-scan.ts';

/** Equal lines are no fault of a text: they are not looked for. */
export function scanText(context: ScanContext): Scanner {
  const scan = recordScan({ ...context, options: { ...context.options, duplicates: 'off' } }, 'text');
  let blank = 0;
  let longest = 0;
  const splitter = lineSplitter(
    markGate(scan, (line) => {
      if (line.isTooLong) return scan.tooLong(line);
      const { bytes, number, offset } = line;
      if (isBlank(bytes)) blank += 1;
      longest = Math.max(longest, bytes.length);
      return scan.record(bytes, { line: number, offset }, scan.isText(line));
    }),
  );
  return {
    push: (piece) => splitter.push(piece),
    end() {
      splitter.end();
      return scan.end(splitter.size(), { blankLines: blank, longestLineBytes: longest }, 'line');
    },
  };
}
