/** A count as the summary of an asset shows it: three digits and the letter for thousands, `1.1B`, `22M`. */
export function roundedCount(count: number): string {
  const steps: readonly (readonly [number, string])[] = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ];
  for (const [size, letter] of steps) {
    // 999,500 is rounded to 1M, not to 1000K.
    if (count >= size * 0.9995) return `${Number((count / size).toPrecision(3))}${letter}`;
  }
  return String(count);
}
