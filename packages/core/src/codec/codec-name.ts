/** What codecs are called (docs/format.md, Frames and codecs): for those who look at what is stored and decode nothing. */

const names: readonly string[] = ['raw', 'zstd', 'tensor', 'tensor-delta', 'derive'];

/** Of a number in a frame row; `codec 9` for one that this program does not know. */
export function codecName(number: number): string {
  return names[number] ?? `codec ${number}`;
}
