/** Loops over bytes that a host has faster than a plugin could: the same answers, at gigabytes a second. */

import { createHash } from 'node:crypto';
import { type NonFinite, scanNonFinite } from './non-finite.ts';

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** 64 lower-case hexadecimal digits; ends the hasher. */
  digest(): string;
}

/** All synchronous: who loops over a large file gives others their turn between pieces. */
export interface Kernels {
  sha256(): Hasher;
  /** NaNs and infinities in whole elements or blocks of `dtype` (`scanNonFinite`). */
  nonFinite(bytes: Uint8Array, dtype: string, byteOrder?: 'big'): NonFinite;
  /** Adds how often each byte value occurs to 256 counts. */
  histogram(bytes: Uint8Array, counts: Uint32Array): void;
}

/** Kernels in plain TypeScript, for tests and for hosts without others. */
export const plainKernels: Kernels = {
  sha256() {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  },
  nonFinite: scanNonFinite,
  histogram(bytes, counts) {
    for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  },
};
