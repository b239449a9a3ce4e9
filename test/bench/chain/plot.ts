/** A line plot as SVG, for pages: a line for each series over the same numbers. */

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

export interface PlotOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
}

const size = { width: 720, height: 360, left: 64, right: 96, top: 40, bottom: 48 } as const;
/** Told apart in print too: by Wong (Nature Methods 8, 441). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'] as const;

export function linePlot(series: readonly Series[], { title, x, y }: PlotOptions): string {
  const count = Math.max(...series.map(({ values }) => values.length));
  const most = niceAbove(Math.max(...series.flatMap(({ values }) => values)));
  const { bottom, height, left, right, top, width } = size;
  const placeX = (at: number): number => left + (at / Math.max(1, count - 1)) * (width - left - right);
  const placeY = (value: number): number => height - bottom - (value / most) * (height - top - bottom);
  const ticks = [0, 1, 2, 3, 4].map((part) => (most * part) / 4);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(left, 22, title, 'font-size="14" font-weight="bold"'),
    ...ticks.flatMap((tick) => [
      `<line x1="${left}" x2="${width - right}" y1="${round(placeY(tick))}" y2="${round(placeY(tick))}" stroke="#ddd"/>`,
      text(left - 8, placeY(tick) + 4, String(round(tick)), 'text-anchor="end"'),
    ]),
    ...Array.from({ length: count }, (_, at) =>
      at % 5 === 0 || at === count - 1
        ? text(placeX(at), height - bottom + 18, String(at + 1), 'text-anchor="middle"')
        : '',
    ),
    text((left + width - right) / 2, height - 10, x, 'text-anchor="middle"'),
    `<g transform="translate(16 ${(top + height - bottom) / 2}) rotate(-90)">${text(0, 0, y, 'text-anchor="middle"')}</g>`,
    ...series.flatMap(({ name, values }, number) => {
      const colour = colours[number % colours.length] ?? '#000';
      const points = values.map((value, at) => `${round(placeX(at))},${round(placeY(value))}`).join(' ');
      return [
        `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        text(width - right + 8, placeY(values.at(-1) ?? 0) + 4, name, `fill="${colour}"`),
      ];
    }),
    '</svg>',
  ];
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped}</text>`;
}

/** A round number that is not less. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
