/** Views of arrays of that size may be of Node's shared pool, which nobody can give back. */
const poolBytes = Math.max(Buffer.poolSize, 64 * 1024);
/** Waiting for the collector costs less than these. */
const leastOwn = 16 * 1024;

/**
 * Gives the memory behind `bytes` back at once; the array is empty afterwards. For native outputs that nobody else holds:
 * left to the garbage collector, which does not see their size, they raise the peak of a snapshot from 100 to 250 MB,
 * and the next output comes from memory that is new and slow.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer, byteOffset } = bytes;
  const least = bytes.byteLength === buffer.byteLength ? leastOwn : poolBytes + 1;
  if (byteOffset === 0 && buffer.byteLength >= least && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
