/**
 * X25519 (RFC 7748) and Ed25519 (RFC 8032) over raw 32-byte keys, through node:crypto.
 */
import { createPrivateKey, createPublicKey, diffieHellman, sign, verify, type KeyObject } from 'node:crypto';
import { MbkError } from '../errors.ts';
import { concatBytes } from '../format/bytes.ts';

/** DER prefixes of raw keys: RFC 8410, sections 4 and 7. */
const prefixes = {
  x25519: { private: '302e020100300506032b656e04220420', public: '302a300506032b656e032100' },
  ed25519: { private: '302e020100300506032b657004220420', public: '302a300506032b6570032100' },
} as const;

type Curve = keyof typeof prefixes;

function privateKey(curve: Curve, raw: Uint8Array): KeyObject {
  checkLength(raw);
  const der = concatBytes([Buffer.from(prefixes[curve].private, 'hex'), raw]);
  return createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'pkcs8' });
}

function publicKey(curve: Curve, raw: Uint8Array): KeyObject {
  checkLength(raw);
  const der = concatBytes([Buffer.from(prefixes[curve].public, 'hex'), raw]);
  return createPublicKey({ key: Buffer.from(der.buffer), format: 'der', type: 'spki' });
}

function rawPublic(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}

function checkLength(raw: Uint8Array): void {
  if (raw.byteLength !== 32) throw new RangeError(`expected a key of 32 bytes, got ${raw.byteLength}`);
}

/** Public key of an X25519 private key. */
export function x25519Public(raw: Uint8Array): Uint8Array {
  return rawPublic(privateKey('x25519', raw));
}

/** Shared secret of 32 bytes; `entry-damaged` if the public key is of low order (all-zero result, RFC 7748 section 6.1). */
export function x25519(privateRaw: Uint8Array, publicRaw: Uint8Array): Uint8Array {
  let secret: Uint8Array;
  try {
    secret = new Uint8Array(
      diffieHellman({ privateKey: privateKey('x25519', privateRaw), publicKey: publicKey('x25519', publicRaw) }),
    );
  } catch (cause) {
    throw new MbkError('entry-damaged', 'a public key in the repository is not usable', { cause });
  }
  if (secret.every((byte) => byte === 0))
    throw new MbkError('entry-damaged', 'a public key in the repository is of low order');
  return secret;
}

/** Public key of an Ed25519 seed. */
export function ed25519Public(seed: Uint8Array): Uint8Array {
  return rawPublic(privateKey('ed25519', seed));
}

/** Ed25519 signature, 64 bytes. */
export function signMessage(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey('ed25519', seed)));
}

/** Whether `signature` is the signature of `message` under `publicRaw`; false for any malformed input. */
export function verifyMessage(publicRaw: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.byteLength !== 64) return false;
  try {
    return verify(null, message, publicKey('ed25519', publicRaw), signature);
  } catch {
    return false; // a key that OpenSSL refuses signs nothing
  }
}
