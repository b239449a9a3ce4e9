/**
 * Hashes and key derivation, by node:crypto; the self-test holds all of it against @noble/hashes, which is audited and
 * independent of it, and takes five times as long for the few hundred keys that a command derives.
 */
import { createHash, hash, hkdfSync } from 'node:crypto';

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

/** HKDF-SHA-256 (RFC 5869): `length` bytes, at most 8,160. */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: string | Uint8Array, length = 32): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length));
}
