/** Logarithms for the sizes of what is coded: by multiplication of exact numbers only, so the same everywhere. */

/** log2 of 2048 to 4096, in steps of 1. */
const logs = Float64Array.from({ length: 2049 }, (_, i) => logOf(2048 + i));
/** n · log2 n of the first numbers. */
const small = Float64Array.from({ length: 4097 }, (_, n) => (n === 0 ? 0 : n * logOf(n)));

/** 24 bits behind the point, one for each squaring. */
function logOf(n: number): number {
  const whole = 31 - Math.clz32(n);
  let rest = n / 2 ** whole;
  let log = whole;
  for (let bit = 1; bit <= 24; bit += 1) {
    rest *= rest;
    if (rest < 2) continue;
    rest /= 2;
    log += 2 ** -bit;
  }
  return log;
}

/** n · log2 n for 0 ≤ n < 2^31, nearly. */
export function selfBits(n: number): number {
  if (n <= 4096) return small[n] ?? 0;
  const shift = 20 - Math.clz32(n);
  const top = n >>> shift;
  const below = logs[top - 2048] ?? 0;
  const above = logs[top - 2047] ?? 0;
  return n * (shift + below + (above - below) * (n / 2 ** shift - top));
}
