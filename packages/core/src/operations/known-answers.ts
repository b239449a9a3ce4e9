/**
 * Known-answer tests of everything that the safety of a repository rests on.
 *
 * Each function of the platform is held against a published vector and, where @noble/hashes has the function too,
 * against that independent implementation, so a broken build, CPU or library is found before a backup trusts it.
 */

import {
  argon2Sync,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  sign,
  verify,
} from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { argon2id } from '@noble/hashes/argon2.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Handlers } from '../pool/channel.ts';

export interface KnownAnswer {
  /** The function that was tried, such as `SHA-256`. */
  readonly name: string;
  /** Where the expected answer is published. */
  readonly source: string;
  /** The implementations that were held against it. */
  readonly implementations: readonly string[];
  readonly passed: boolean;
  /** What differed; absent when it passed. */
  readonly problem?: string;
}

/** What a worker thread does for `selfTest`. */
export function selfTestTask(): Handlers {
  return { run: runKnownAnswers };
}

/** Runs every test, in a fixed order; a failing or throwing test is a row with `passed: false`, never an exception. */
export function runKnownAnswers(): readonly KnownAnswer[] {
  return tests.map(runTest);
}

interface Test {
  readonly name: string;
  readonly source: string;
  /** The expected bytes in hexadecimal. */
  readonly expected: string;
  readonly implementations: Readonly<Record<string, () => Uint8Array>>;
}

function runTest({ name, source, expected, implementations }: Test): KnownAnswer {
  const problems: string[] = [];
  for (const [implementation, compute] of Object.entries(implementations)) {
    try {
      const answer = toHex(compute());
      if (answer !== expected) problems.push(`${implementation} gave ${answer}, expected ${expected}`);
    } catch (error) {
      problems.push(`${implementation} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const row = { name, source, implementations: Object.keys(implementations), passed: problems.length === 0 };
  return problems.length === 0 ? row : { ...row, problem: problems.join('; ') };
}

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const range = (from: number, to: number): Uint8Array => Uint8Array.from({ length: to - from }, (_, i) => from + i);

const shaInput = ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq');

const hmacInput = { key: ascii('Jefe'), text: ascii('what do ya want for nothing?') };

const hkdfInput = { ikm: fill(22, 0x0b), salt: range(0, 13), info: range(0xf0, 0xfa), length: 42 };

const argonInput = {
  password: fill(32, 1),
  salt: fill(16, 2),
  secret: fill(8, 3),
  data: fill(12, 4),
  passes: 3,
  memoryKib: 32,
  lanes: 4,
};

const gcmInput = {
  key: fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'),
  nonce: fromHex('cafebabefacedbaddecaf888'),
  plaintext: fromHex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  ),
  data: fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
};

const gcmAnswer =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
  '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
  '76fc6ece0f4e1768cddf8853bb2d551b';

const x25519Input = {
  bobPrivate: fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
  alicePublic: fromHex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'),
};

const ed25519Input = {
  seed: fromHex('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7'),
  publicKey: fromHex('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'),
  message: fromHex('af82'),
};

const ed25519Answer =
  '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
  '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a';

/** A zstd frame (RFC 8878) written by hand: one raw block of 5 bytes, content size in the header. */
const zstdFrame = fromHex('28b52ffd 20 05 290000 68656c6c6f'.replaceAll(' ', ''));

const tests: readonly Test[] = [
  {
    name: 'SHA-256',
    source: 'FIPS 180-4, two-block message',
    expected: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    implementations: {
      'node:crypto': () => createHash('sha256').update(shaInput).digest(),
      '@noble/hashes': () => sha256(shaInput),
    },
  },
  {
    name: 'HMAC-SHA-256',
    source: 'RFC 4231, test case 2',
    expected: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    implementations: {
      'node:crypto': () => createHmac('sha256', hmacInput.key).update(hmacInput.text).digest(),
      '@noble/hashes': () => hmac(sha256, hmacInput.key, hmacInput.text),
    },
  },
  {
    name: 'HKDF-SHA-256',
    source: 'RFC 5869, test case 1',
    expected: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    implementations: {
      'node:crypto': () =>
        new Uint8Array(hkdfSync('sha256', hkdfInput.ikm, hkdfInput.salt, hkdfInput.info, hkdfInput.length)),
      '@noble/hashes': () => hkdf(sha256, hkdfInput.ikm, hkdfInput.salt, hkdfInput.info, hkdfInput.length),
    },
  },
  {
    name: 'Argon2id',
    source: 'RFC 9106, section 5.3',
    expected: '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659',
    implementations: {
      'node:crypto': () =>
        argon2Sync('argon2id', {
          message: argonInput.password,
          nonce: argonInput.salt,
          secret: argonInput.secret,
          associatedData: argonInput.data,
          passes: argonInput.passes,
          memory: argonInput.memoryKib,
          parallelism: argonInput.lanes,
          tagLength: 32,
        }),
      '@noble/hashes': () =>
        argon2id(argonInput.password, argonInput.salt, {
          key: argonInput.secret,
          personalization: argonInput.data,
          t: argonInput.passes,
          m: argonInput.memoryKib,
          p: argonInput.lanes,
          dkLen: 32,
        }),
    },
  },
  {
    name: 'AES-256-GCM seal',
    source: 'GCM specification (McGrew, Viega), test case 16',
    expected: gcmAnswer,
    implementations: { 'node:crypto': sealGcm },
  },
  {
    name: 'AES-256-GCM open',
    source: 'GCM specification (McGrew, Viega), test case 16; one changed bit must be refused',
    expected: toHex(gcmInput.plaintext),
    implementations: { 'node:crypto': openGcm },
  },
  {
    name: 'X25519',
    source: 'RFC 7748, section 6.1',
    expected: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    implementations: { 'node:crypto': agreeX25519 },
  },
  {
    name: 'Ed25519',
    source: 'RFC 8032, section 7.1, test 3; a changed message must be refused',
    expected: ed25519Answer,
    implementations: { 'node:crypto': signEd25519 },
  },
  {
    name: 'zstd decoding',
    source: 'RFC 8878, a frame of one raw block',
    expected: toHex(ascii('hello')),
    implementations: { 'node:zlib': () => zstdDecompressSync(zstdFrame) },
  },
  {
    name: 'zstd round trip',
    source: 'SHA-256 of 1,000,000 repeated bytes, FIPS 180-4',
    expected: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
    implementations: {
      'node:zlib': () => {
        const million = fill(1_000_000, 'a'.charCodeAt(0));
        const back = zstdDecompressSync(zstdCompressSync(million), { maxOutputLength: million.length });
        return createHash('sha256').update(back).digest();
      },
    },
  },
];

/** Ciphertext followed by the 16-byte tag. */
function sealGcm(): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', gcmInput.key, gcmInput.nonce);
  cipher.setAAD(gcmInput.data);
  return Buffer.concat([cipher.update(gcmInput.plaintext), cipher.final(), cipher.getAuthTag()]);
}

function openGcm(): Uint8Array {
  const open = (sealed: Uint8Array): Uint8Array => {
    const decipher = createDecipheriv('aes-256-gcm', gcmInput.key, gcmInput.nonce, { authTagLength: 16 });
    decipher.setAAD(gcmInput.data);
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  };
  const sealed = fromHex(gcmAnswer);
  const damaged = sealed.map((byte, i) => (i === 7 ? byte ^ 1 : byte));
  if (!throws(() => open(damaged))) throw new Error('a damaged ciphertext was accepted');
  return open(sealed);
}

// Fixed DER headers (RFC 8410) in front of raw 32-byte keys, the shortest way to hand raw keys to node:crypto.
const derPrefix = {
  x25519Private: '302e020100300506032b656e04220420',
  x25519Public: '302a300506032b656e032100',
  ed25519Private: '302e020100300506032b657004220420',
  ed25519Public: '302a300506032b6570032100',
} as const;

const privateKey = (prefix: string, raw: Uint8Array): ReturnType<typeof createPrivateKey> =>
  createPrivateKey({ key: Buffer.concat([fromHex(prefix), raw]), format: 'der', type: 'pkcs8' });
const publicKey = (prefix: string, raw: Uint8Array): ReturnType<typeof createPublicKey> =>
  createPublicKey({ key: Buffer.concat([fromHex(prefix), raw]), format: 'der', type: 'spki' });

function agreeX25519(): Uint8Array {
  return diffieHellman({
    privateKey: privateKey(derPrefix.x25519Private, x25519Input.bobPrivate),
    publicKey: publicKey(derPrefix.x25519Public, x25519Input.alicePublic),
  });
}

function signEd25519(): Uint8Array {
  const signer = privateKey(derPrefix.ed25519Private, ed25519Input.seed);
  const verifier = publicKey(derPrefix.ed25519Public, ed25519Input.publicKey);
  const signature = sign(null, ed25519Input.message, signer);
  if (!verify(null, ed25519Input.message, verifier, signature)) throw new Error('its own signature was refused');
  if (verify(null, ascii('other'), verifier, signature)) throw new Error('a signature of another message was accepted');
  return signature;
}

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}
