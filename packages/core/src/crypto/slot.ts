/**
 * Key slots: who can unlock (docs/format.md, Slots).
 *
 * A slot is an actor's two key pairs with their private halves wrapped by a secret: a passphrase (through Argon2id), a
 * key file or a recovery key (32 random bytes, no derivation, so they open at once).
 */
import { argon2, createCipheriv, createDecipheriv } from 'node:crypto';
import { promisify } from 'node:util';
import { MbkError } from '../errors.ts';
import { concatBytes, fromHex, toHex, utf8 } from '../format/bytes.ts';
import { encodeCanonical, parseJson, type JsonValue } from '../format/canonical-json.ts';
import { readFields, type Fields } from '../format/fields.ts';
import { asRepositoryId, type RepositoryId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { hkdf, sha256, type Random } from './hash.ts';
import { ed25519Public, x25519Public } from './key-pair.ts';

export const slotKinds = ['passphrase', 'key-file', 'recovery'] as const;
export type SlotKind = (typeof slotKinds)[number];

/** What unlocks a slot: a passphrase as typed, or 32 bytes. */
export type Secret =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'key-file' | 'recovery'; readonly key: Uint8Array };

export type Kdf =
  | {
      readonly name: 'argon2id';
      readonly memoryKiB: number;
      readonly passes: number;
      readonly parallelism: number;
      readonly salt: Uint8Array;
    }
  | { readonly name: 'hkdf-sha256'; readonly salt: Uint8Array };

export interface Slot {
  readonly repository: RepositoryId;
  readonly kind: SlotKind;
  readonly kdf: Kdf;
  /** X25519 public key, 32 bytes: grants are sealed to it. */
  readonly agreement: Uint8Array;
  /** Ed25519 public key, 32 bytes: the actor id. */
  readonly signing: Uint8Array;
  /** Nonce (12) and AES-256-GCM box of both private halves. */
  readonly wrapped: Uint8Array;
}

/** The private halves: X25519 private key and Ed25519 seed, 32 bytes each. */
export interface SlotKeys {
  readonly agreement: Uint8Array;
  readonly signing: Uint8Array;
}

/** RFC 9106's second recommended setting with its memory (64 MiB, t = 3). */
export const argon2Cost: { readonly memoryKiB: number; readonly passes: number; readonly parallelism: number } = {
  memoryKiB: 65_536,
  passes: 3,
  parallelism: 1,
};

const wrappedBytes = 12 + 64 + 16;
const runArgon2 = promisify(argon2);

/** A new slot with fresh key pairs, unlocked by `secret`. */
export async function createSlot(
  secret: Secret,
  {
    repository,
    random,
    cost = argon2Cost,
  }: { readonly repository: RepositoryId; readonly random: Random; readonly cost?: typeof argon2Cost },
): Promise<{ slot: Slot; keys: SlotKeys }> {
  const keys: SlotKeys = { agreement: random(32), signing: random(32) };
  const salt = random(16);
  const unwrapped: Slot = {
    repository,
    kind: secret.kind,
    kdf: secret.kind === 'passphrase' ? { name: 'argon2id', ...cost, salt } : { name: 'hkdf-sha256', salt },
    agreement: x25519Public(keys.agreement),
    signing: ed25519Public(keys.signing),
    wrapped: new Uint8Array(0),
  };
  const key = await wrappingKey(secret, unwrapped.kdf);
  const nonce = random(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associatedData(unwrapped));
  const body = concatBytes([cipher.update(concatBytes([keys.agreement, keys.signing])), cipher.final()]);
  return { slot: { ...unwrapped, wrapped: concatBytes([nonce, body, cipher.getAuthTag()]) }, keys };
}

/**
 * The private halves of `slot`, or undefined if `secret` is not its secret. `onDeriving` is called when all that is left
 * is to wait for another thread of the system.
 */
export async function unlockSlot(
  slot: Slot,
  secret: Secret,
  onDeriving: () => void = () => undefined,
): Promise<SlotKeys | undefined> {
  if ((slot.kind === 'passphrase') !== (secret.kind === 'passphrase')) return undefined;
  const key = await wrappingKey(secret, slot.kdf, onDeriving);
  const decipher = createDecipheriv('aes-256-gcm', key, slot.wrapped.subarray(0, 12)).setAAD(associatedData(slot));
  decipher.setAuthTag(slot.wrapped.subarray(wrappedBytes - 16));
  const both = decipher.update(slot.wrapped.subarray(12, wrappedBytes - 16));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return { agreement: new Uint8Array(both.subarray(0, 32)), signing: new Uint8Array(both.subarray(32, 64)) };
}

async function wrappingKey(secret: Secret, kdf: Kdf, onDeriving?: () => void): Promise<Uint8Array> {
  const input = secret.kind === 'passphrase' ? await stretch(secret.passphrase, kdf, onDeriving) : secret.key;
  return hkdf(input, kdf.salt, 'mbk/1 slot');
}

async function stretch(passphrase: string, kdf: Kdf, onDeriving?: () => void): Promise<Uint8Array> {
  if (kdf.name !== 'argon2id') throw new MbkError('value-invalid', 'a passphrase slot without argon2id');
  const { memoryKiB: memory, passes, parallelism, salt: nonce } = kdf;
  // NFC: the same passphrase typed on two systems is the same bytes.
  const message = utf8(passphrase.normalize('NFC'));
  const deriving = runArgon2('argon2id', { message, nonce, memory, passes, parallelism, tagLength: 32 });
  onDeriving?.();
  return deriving;
}

function associatedData(slot: Slot): Uint8Array {
  const { wrapped: _, ...rest } = slotRecord(slot);
  return sha256(encodeCanonical(rest));
}

function slotRecord(slot: Slot): { readonly [key: string]: JsonValue } {
  return {
    format: 'mbk slot',
    version: 1,
    repository: slot.repository,
    kind: slot.kind,
    kdf: { ...slot.kdf, salt: toHex(slot.kdf.salt) },
    agreement: toHex(slot.agreement),
    signing: toHex(slot.signing),
    wrapped: toHex(slot.wrapped),
  };
}

/** Bytes of a slot entry. */
export function encodeSlot(slot: Slot): Uint8Array {
  return concatBytes([encodeCanonical(slotRecord(slot)), utf8('\n')]);
}

/** A slot from bytes named `what`; `value-invalid` if a field is missing, wrong or out of bounds. */
export function decodeSlot(bytes: Uint8Array, what: string): Slot {
  const fields = readFields(parseJson(bytes, what), what);
  fields.literal('format', 'mbk slot');
  fields.literal('version', 1);
  const kind = fields.literal('kind', ...slotKinds);
  return {
    repository: asRepositoryId(fields.hex('repository', 16)),
    kind,
    kdf: decodeKdf(fields.object('kdf'), kind),
    agreement: fromHex(fields.hex('agreement', 32)),
    signing: fromHex(fields.hex('signing', 32)),
    wrapped: fromHex(fields.hex('wrapped', wrappedBytes)),
  };
}

function decodeKdf(fields: Fields, kind: SlotKind): Kdf {
  const salt = fromHex(fields.hex('salt', 16));
  if (kind !== 'passphrase') return { name: fields.literal('name', 'hkdf-sha256'), salt };
  return {
    name: fields.literal('name', 'argon2id'),
    memoryKiB: fields.int('memoryKiB', { min: 8, max: limits.argon2MemoryKiB }),
    passes: fields.int('passes', { min: 1, max: limits.argon2Passes }),
    parallelism: fields.int('parallelism', { min: 1, max: limits.argon2Parallelism }),
    salt,
  };
}
