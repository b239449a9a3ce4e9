/** How often each of the 256 bytes is in `bytes[start..end)`. */
export function histogram(bytes: Uint8Array, start: number, end: number): Uint32Array {
  const counters = new Uint32Array(256);
  for (let i = start; i < end; i += 1) {
    const byte = bytes[i] ?? 0;
    counters[byte] = (counters[byte] ?? 0) + 1;
  }
  return counters;
}
