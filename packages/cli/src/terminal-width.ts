/** How many columns text takes on a terminal, and text cut to them: wide characters take two, combining ones and colours none. */

import measure from 'fast-string-truncated-width';

/** Width of sentences where there is no terminal. */
export const proseColumns = 120;

const reset = '\u001b[0m';
const ellipsis = '…';

/** Of most cells: a table of ten thousand rows has a hundred thousand. */
const plain = /^[ -~]*$/;

/** Columns of one line. */
export function widthOf(text: string): number {
  return plain.test(text) ? text.length : measure(text).width;
}

/** `text` in at most `columns` columns, the end cut off with an ellipsis; whole characters only. */
export function cutEnd(text: string, columns: number): string {
  if (columns < 1) return '';
  if (widthOf(text) <= columns) return text;
  let start = '';
  let width = 1;
  // Every second part is a colour.
  for (const [place, part] of text.split(colour).entries()) {
    if (place % 2 === 1) {
      start += part;
      continue;
    }
    for (const { segment } of graphemesOf(part)) {
      width += widthOf(segment);
      if (width > columns) return `${start}${ellipsis}${start.includes('\u001b') ? reset : ''}`;
      start += segment;
    }
  }
  return text;
}

/** The same with the start cut off: of a path the end says most. Text without colours. */
export function cutStart(text: string, columns: number): string {
  if (columns < 1) return '';
  if (widthOf(text) <= columns) return text;
  let end = '';
  let width = 1;
  for (const { segment } of [...graphemesOf(text)].toReversed()) {
    width += widthOf(segment);
    if (width > columns) break;
    end = segment + end;
  }
  return ellipsis + end;
}

/** Lines of at most `columns` columns, broken at spaces; a word that is longer stays whole. Line breaks and indents stay. */
export function wrapWords(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
}

/** What is broken keeps its indent on every line. */
function wrapLine(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = '';
  for (const word of text.slice(indent.length).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + widthOf(longer) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((one) => indent + one).join('\n');
}

// oxlint-disable-next-line no-control-regex -- colours begin with one
const colour = /(\u001b\[[\d;]*m)/;

/** Made when text is first cut: making it takes 20 ms. */
let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}
