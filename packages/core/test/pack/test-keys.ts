import { createCipheriv } from 'node:crypto';
import { ed25519Public } from '../../src/crypto/key-pair.ts';
import { sha256, sha256Hex, type Random } from '../../src/crypto/hash.ts';
import { deriveKeyset, type Keys } from '../../src/crypto/keyset.ts';
import { toHex, utf8 } from '../../src/format/bytes.ts';
import { asActorId, asBlobId, asKeysetId, asRepositoryId, type BlobId, type BlobType } from '../../src/format/ids.ts';
import type { NewFrame } from '../../src/pack/pack-writer.ts';

/** Bytes that are the same for the same seed: the key stream of AES-256-CTR. */
export function seededBytes(seed: string): Random {
  const cipher = createCipheriv('aes-256-ctr', sha256(utf8(seed)), new Uint8Array(16));
  return (length) => new Uint8Array(cipher.update(new Uint8Array(length)));
}

/** Keys of an owner of a repository; other names make other actors, roots and repositories. */
export function testKeys({ actor = 'owner', root = 'root', repository = 'one' } = {}): Keys {
  const seed = sha256(utf8(`actor ${actor}`));
  const id = asKeysetId(sha256Hex(utf8(`keyset ${root}`)).slice(0, 32));
  const shared = deriveKeyset(sha256(utf8(root)), { id, scope: 'shared', generation: 1 });
  return {
    repository: asRepositoryId(sha256Hex(utf8(repository)).slice(0, 32)),
    actor: { id: asActorId(toHex(ed25519Public(seed))), seed },
    keysets: new Map([[id, shared]]),
    shared,
  };
}

export function idOf(bytes: Uint8Array): BlobId {
  return asBlobId(sha256Hex(bytes));
}

/** A frame of these blobs. */
export function frameOf(blobs: readonly Uint8Array[], type: BlobType = 'data'): NewFrame {
  return {
    plain: new Uint8Array(Buffer.concat(blobs)),
    blobs: blobs.map((bytes) => ({ id: idOf(bytes), type, length: bytes.byteLength })),
  };
}

/** The code of the MbkError that `work` throws; any other outcome fails the test. */
export function codeOf(work: () => unknown): string {
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.name === 'MbkError') return String(error.code);
    throw error;
  }
  throw new Error(`expected an MbkError, got ${JSON.stringify(result)}`);
}
