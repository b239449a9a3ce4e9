/**
 * A screen as tmux captures it, with its colours, as a picture in SVG: one `text` a line, one `tspan` a run of the same
 * style, placed by columns. Colours of the fixed palette are the same on any background; text itself is not.
 */

import { widthOf } from '../../packages/cli/src/terminal-width.ts';

export type Theme = 'light' | 'dark';

/** A cell is as wide and as high as this, in user units. */
const cell = { width: 8.4, height: 18, font: 14 };
const margin = 14;

const themes: Readonly<
  Record<Theme, { readonly back: string; readonly text: string; readonly basic: readonly string[] }>
> = {
  light: {
    back: '#ffffff',
    text: '#24292f',
    basic: ['#24292f', '#cd0000', '#008700', '#a06000', '#0451a5', '#a000a0', '#007a7a', '#6e7781'],
  },
  dark: {
    back: '#16181d',
    text: '#d8dee4',
    basic: ['#5c6370', '#ff5f5f', '#5fd75f', '#d7af5f', '#5f87ff', '#d787d7', '#5fd7d7', '#d8dee4'],
  },
};

interface Style {
  readonly colour?: string | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly inverse?: boolean;
  readonly strike?: boolean;
}

/** The picture of `screen`: lines with SGR sequences, `columns` wide. */
export function screenSvg(
  screen: string,
  { columns, theme, title }: { readonly columns: number; readonly theme: Theme; readonly title: string },
): string {
  const lines = screen.replace(/\s+$/, '').split('\n');
  const { back, text } = themes[theme];
  const width = Math.ceil(columns * cell.width + 2 * margin);
  const height = lines.length * cell.height + 2 * margin;
  let style: Style = {};
  const rows = lines.map((line, row) => {
    const drawn = drawLine(line, style, { theme, y: margin + row * cell.height });
    style = drawn.style;
    return drawn.svg;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${back}" stroke="#8b949e" stroke-opacity="0.4"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${cell.font}" fill="${text}" xml:space="preserve">`,
    ...rows.filter((row) => row !== ''),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function drawLine(
  line: string,
  before: Style,
  { theme, y }: { readonly theme: Theme; readonly y: number },
): { readonly svg: string; readonly style: Style } {
  let style = before;
  let column = 0;
  let boxes = '';
  let spans = '';
  // Every second part is the numbers of a sequence.
  // oxlint-disable-next-line no-control-regex -- a sequence begins with one
  for (const [place, part] of line.split(/\u001b\[([\d;]*)m/).entries()) {
    if (place % 2 === 1) {
      style = applySgr(style, part, theme);
      continue;
    }
    const width = widthOf(part);
    const x = margin + column * cell.width;
    if (style.inverse === true)
      boxes += `<rect x="${round(x)}" y="${y}" width="${round(width * cell.width)}" height="${cell.height}"/>`;
    if (part.trim() !== '') {
      const length = width === 0 ? '' : ` textLength="${round(width * cell.width)}"`;
      spans += `<tspan x="${round(x)}"${length}${attributes(style, theme)}>${escapeXml(part)}</tspan>`;
    }
    column += width;
  }
  const text = spans === '' ? '' : `<text y="${y + cell.font}">${spans}</text>`;
  return { svg: boxes + text, style };
}

function attributes({ colour, bold, dim, inverse, strike }: Style, theme: Theme): string {
  return [
    inverse === true ? ` fill="${themes[theme].back}"` : colour === undefined ? '' : ` fill="${colour}"`,
    bold === true ? ' font-weight="bold"' : '',
    dim === true ? ' opacity="0.65"' : '',
    strike === true ? ' text-decoration="line-through"' : '',
  ].join('');
}

function applySgr(style: Style, numbers: string, theme: Theme): Style {
  const codes = numbers === '' ? [0] : numbers.split(';').map(Number);
  let next = style;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) next = {};
    else if (code === 1) next = { ...next, bold: true };
    else if (code === 2) next = { ...next, dim: true };
    else if (code === 7) next = { ...next, inverse: true };
    else if (code === 9) next = { ...next, strike: true };
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 27) next = { ...next, inverse: false };
    else if (code === 29) next = { ...next, strike: false };
    else if (code === 39) next = { ...next, colour: undefined };
    else if (code >= 30 && code <= 37) next = { ...next, colour: themes[theme].basic[code - 30] };
    else if (code >= 90 && code <= 97) next = { ...next, colour: themes[theme].basic[code === 90 ? 7 : code - 90] };
    else if (code === 38 && codes[at + 1] === 5) {
      next = { ...next, colour: paletteColour(codes[at + 2] ?? 0, theme) };
      at += 2;
    }
  }
  return next;
}

/** Colour `n` of the 256: the cube of 6 × 6 × 6, and the greys behind it. */
function paletteColour(n: number, theme: Theme): string | undefined {
  if (n < 16) return themes[theme].basic[n % 8];
  if (n >= 232) return hexColour(Array.from({ length: 3 }, () => 8 + (n - 232) * 10));
  const steps = [0, 95, 135, 175, 215, 255];
  const at = n - 16;
  return hexColour([Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((step) => steps[step] ?? 0));
}

const hexColour = (parts: readonly number[]): string =>
  `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
const round = (value: number): number => Math.round(value * 10) / 10;

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
