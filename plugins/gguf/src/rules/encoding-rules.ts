/** Version, byte order and where the header begins. */

import { type Problems, quoted } from '../codes.ts';
import type { GgufSurvey } from '../survey.ts';

export function checkEncoding({ alignment, encoding, start }: GgufSurvey, problems: Problems): void {
  const { littleEndian, magic, version } = encoding;
  if (version === 1) {
    problems.report('version-1', 'version 1 of GGUF is no longer read by llama.cpp', {
      offset: start + 4,
      remedy: 'Convert the model again.',
    });
  }
  if (!littleEndian) {
    problems.report('big-endian', 'the file is big-endian: only big-endian machines load it', { offset: start + 4 });
    if (version < 3) {
      problems.report('big-endian-version', `the file is big-endian, which version ${version} does not know`, {
        offset: start + 4,
      });
    }
  }
  if (magic === 'FUGG') {
    problems.report('swapped-magic', `the magic reads ${quoted(magic)}, which llama.cpp refuses`, { offset: start });
  }
  if (start === 0) return;
  problems.report('embedded', `the GGUF header begins at byte ${start}, behind something else`, { offset: start });
  if (start % alignment !== 0) {
    const message = `the header begins at byte ${start}, which is no multiple of ${alignment}: it cannot be mapped`;
    problems.report('embedded-alignment', message, { offset: start });
  }
}
