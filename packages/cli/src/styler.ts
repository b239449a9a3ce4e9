/**
 * Colours that are read on light and on dark backgrounds alike.
 *
 * Where a terminal has 256 colours, those of the fixed part of its palette are taken: each has a contrast of at least
 * 3.5 to 1 against white and against black, whatever theme is set. Elsewhere yellow, which is not seen on white, is magenta.
 */

import { styleText } from 'node:util';

export type Style = 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim';

/** Styles text when the stream it goes to shows colours. */
export type Styler = (style: Style, text: string) => string;

const fixed: Readonly<Record<Style, readonly [on: string, off: string]>> = {
  red: ['38;5;196', '39'],
  green: ['38;5;28', '39'],
  yellow: ['38;5;130', '39'],
  cyan: ['38;5;30', '39'],
  bold: ['1', '22'],
  dim: ['2', '22'],
};

const basic: typeof fixed = {
  ...fixed,
  red: ['31', '39'],
  green: ['32', '39'],
  yellow: ['35', '39'],
  cyan: ['36', '39'],
};

/** Plain where the stream is no terminal, TERM is dumb or NO_COLOR is set; FORCE_COLOR decides otherwise. */
export function stylerFor(stream: NodeJS.WriteStream): Styler {
  // What Node says of stream and environment counts. Asked once, and not for every cell of a table.
  if (styleText('red', '-', { stream }) === '-') return (_, text) => text;
  const codes = colourDepth(stream) >= 8 ? fixed : basic;
  return (style, text) => {
    const [on, off] = codes[style];
    return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

function colourDepth(stream: NodeJS.WriteStream): number {
  // A pipe with FORCE_COLOR has no depth of its own.
  return stream.isTTY && typeof stream.getColorDepth === 'function' ? stream.getColorDepth() : 8;
}
