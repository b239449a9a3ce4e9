/**
 * Hashes and key derivation, by node:crypto; the self-test holds all of it against @noble/hashes, which is audited and
 * independent of it, and takes five times as long for the few hundred keys that a command derives.
 */
import { createHash, hash, hkdfSync, type Hash } from 'node:crypto';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../format/bytes.ts';

/** Fresh random bytes; an argument everywhere so that tests are repeatable. */
export type Random = (length: number) => Uint8Array;

/** SHA-256 of `bytes`, or of several parts one after the other: 32 bytes. */
export function sha256(bytes: Uint8Array | readonly Uint8Array[]): Uint8Array {
  const hasher = createHash('sha256');
  for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) hasher.update(part);
  return new Uint8Array(hasher.digest());
}

/** SHA-256 of `bytes` as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** SHA-256 of bytes that come one part after the other; `hex` ends it. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  hex(): string;
}

/** One implementation of SHA-256. */
export interface Sha256 {
  /** Of all bytes at once, in hex. */
  hex(bytes: Uint8Array): string;
  start(): RunningHash;
}

export const platformSha256: Sha256 = { hex: sha256Hex, start: () => running(createHash('sha256')) };

/** Slow, and independent of the platform's. */
export const independentSha256: Sha256 = {
  hex: (bytes) => toHex(nobleSha256(bytes)),
  start() {
    const hasher = nobleSha256.create();
    return { update: (bytes) => void hasher.update(bytes), hex: () => toHex(hasher.digest()) };
  },
};

function running(hasher: Hash): RunningHash {
  return { update: (bytes) => void hasher.update(bytes), hex: () => hasher.digest('hex') };
}

/** HKDF-SHA-256 (RFC 5869): `length` bytes, at most 8,160. */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: string | Uint8Array, length = 32): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length));
}
