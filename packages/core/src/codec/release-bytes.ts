/** Smaller arrays may be views of Node's shared pool, and waiting for the collector costs little. */
const leastBytes = 128 * 1024;

/**
 * Gives the memory behind `bytes` back at once; the array is empty afterwards. For whole native outputs that nobody else
 * holds: left to the garbage collector, which does not see their size, they raise the peak of a snapshot from 100 to
 * 250 MB.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer, byteOffset } = bytes;
  if (byteOffset === 0 && buffer.byteLength >= leastBytes && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
