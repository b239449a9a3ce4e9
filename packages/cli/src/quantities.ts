/** Sizes and times as people read them. Nothing parses these again: `--json` has the plain numbers. */

const binaryUnits = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** Bytes in binary units with three digits or so: `0 B`, `1023 B`, `1.50 KiB`, `23.4 MiB`, `512 GiB`. */
export function formatBytes(bytes: number | bigint): string {
  let value = Number(bytes);
  if (value < 1024) return `${value} B`;
  let unit = -1;
  // 1023.5 would be rounded to "1024 KiB": it belongs to the next unit.
  do {
    value /= 1024;
    unit += 1;
  } while (value >= 1023.5 && unit < binaryUnits.length - 1);
  return `${threeDigits(value)} ${binaryUnits[unit] ?? ''}`;
}

/** Bytes per second, from bytes and milliseconds; `-` before any time has passed. */
export function formatRate(bytes: number, elapsedMs: number): string {
  return elapsedMs > 0 ? `${formatBytes(Math.round((bytes * 1000) / elapsedMs))}/s` : '-';
}

/** Milliseconds as the two units that matter: `350 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return twoUnits(seconds, 60, 'min', 1, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return twoUnits(minutes, 60, 'h', 1, 'min');
  return twoUnits(Math.round(minutes / 60), 24, 'd', 1, 'h');
}

/** `1 file`, `2 files`; the plural is the word with an s unless given. */
export function formatCount(count: number, word: string, plural = `${word}s`): string {
  return `${count} ${count === 1 ? word : plural}`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function twoUnits(total: number, perLarge: number, large: string, perSmall: number, small: string): string {
  const rest = Math.floor((total % perLarge) / perSmall);
  const first = `${Math.floor(total / perLarge)} ${large}`;
  return rest === 0 ? first : `${first} ${rest} ${small}`;
}
