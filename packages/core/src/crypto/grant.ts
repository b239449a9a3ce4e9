/**
 * Grants: keys of keysets, sealed to a slot and signed by an owner (docs/format.md, Grants).
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { MbkError } from '../errors.ts';
import { concatBytes, fromHex, toHex, utf8 } from '../format/bytes.ts';
import { encodeCanonical, parseJson, type JsonValue } from '../format/canonical-json.ts';
import { readFields, type Fields } from '../format/fields.ts';
import { asActorId, asKeysetId, asRepositoryId, type ActorId, type RepositoryId } from '../format/ids.ts';
import { hkdf, sha256, type Random } from './hash.ts';
import { signMessage, verifyMessage, x25519, x25519Public } from './key-pair.ts';
import { deriveKeyset, type AgreementKeys, type Keyset } from './keyset.ts';

export interface Grant {
  readonly repository: RepositoryId;
  /** X25519 public key of the slot that it is sealed to. */
  readonly recipient: Uint8Array;
  /** Who signed it; that this is an owner is checked once the log is folded. */
  readonly signer: ActorId;
  readonly ephemeral: Uint8Array;
  readonly sealed: Uint8Array;
  readonly signature: Uint8Array;
}

/** One key of a grant: a whole keyset by its root. */
type GrantedKey = Keyset & { readonly root: Uint8Array };

/** A grant of whole keysets to `recipient`, signed with the owner's Ed25519 `signer` seed. */
export function createGrant(
  keysets: readonly GrantedKey[],
  options: {
    readonly repository: RepositoryId;
    readonly recipient: Uint8Array;
    readonly signer: { readonly id: ActorId; readonly seed: Uint8Array };
    readonly random: Random;
  },
): Grant {
  const { repository, recipient, signer, random } = options;
  const ephemeralPrivate = random(32);
  const draft: Grant = {
    repository,
    recipient,
    signer: signer.id,
    ephemeral: x25519Public(ephemeralPrivate),
    sealed: new Uint8Array(0),
    signature: new Uint8Array(0),
  };
  const keys = keysets.map(({ id, scope, generation, root }) => ({ keyset: id, scope, generation, root: toHex(root) }));
  const cipher = createCipheriv(
    'aes-256-gcm',
    sealingKey(draft, x25519(ephemeralPrivate, recipient)),
    new Uint8Array(12),
  );
  const sealed = concatBytes([cipher.update(encodeCanonical({ keys })), cipher.final(), cipher.getAuthTag()]);
  const unsigned = { ...draft, sealed };
  return { ...unsigned, signature: signMessage(signer.seed, signedBytes(unsigned)) };
}

/** Whether `grant` is signed by the actor that it names as its signer. */
export function isGrantSigned(grant: Grant): boolean {
  return verifyMessage(fromHex(grant.signer), signedBytes(grant), grant.signature);
}

/** The keysets in `grant`; `entry-damaged` if its signature is wrong or it does not open with `recipientPrivate`. */
export function openGrant(grant: Grant, recipientPrivate: Uint8Array, what: string): Keyset[] {
  if (!isGrantSigned(grant)) {
    throw new MbkError('entry-damaged', `${what} is not signed by the owner that it names`);
  }
  const key = sealingKey(grant, x25519(recipientPrivate, grant.ephemeral));
  const decipher = createDecipheriv('aes-256-gcm', key, new Uint8Array(12), { authTagLength: 16 });
  decipher.setAuthTag(grant.sealed.subarray(-16));
  let plaintext: Uint8Array;
  try {
    plaintext = concatBytes([decipher.update(grant.sealed.subarray(0, -16)), decipher.final()]);
  } catch (cause) {
    throw new MbkError('entry-damaged', `${what} does not open with the slot that it names`, { cause });
  }
  return readFields(parseJson(plaintext, what), what).array('keys', readKey, { max: 65_536 });
}

function readKey(value: unknown, what: string): Keyset {
  const fields = readFields(value, what);
  const about = {
    id: asKeysetId(fields.hex('keyset', 16)),
    scope: fields.string('scope', { pattern: /^[a-z0-9][a-z0-9._-]{0,62}$/ }),
    generation: fields.int('generation', { min: 1 }),
  };
  if (fields.has('root')) return deriveKeyset(fromHex(fields.hex('root', 32)), about);
  return { ...about, root: undefined, ...readSubkeys(fields.object('subkeys')) };
}

function readSubkeys(fields: Fields): Omit<Keyset, 'id' | 'scope' | 'generation' | 'root'> {
  const key = (name: string): Uint8Array | undefined => fields.optional(name, (f) => fromHex(f.hex(name, 32)));
  const pair = (name: string): AgreementKeys | undefined => {
    const privateKey = key(`${name}Private`);
    const publicKey = privateKey === undefined ? key(`${name}Public`) : x25519Public(privateKey);
    return publicKey === undefined ? undefined : { publicKey, privateKey };
  };
  return {
    index: key('index'),
    catalogue: key('catalogue'),
    log: key('log'),
    chunker: key('chunker'),
    data: pair('data'),
    meta: pair('meta'),
    audit: pair('audit'),
  };
}

function record(grant: Grant): { readonly [key: string]: JsonValue } {
  return {
    format: 'mbk grant',
    version: 1,
    repository: grant.repository,
    recipient: toHex(grant.recipient),
    signer: grant.signer,
    ephemeral: toHex(grant.ephemeral),
    sealed: toHex(grant.sealed),
    signature: toHex(grant.signature),
  };
}

function sealingKey(grant: Grant, secret: Uint8Array): Uint8Array {
  const { sealed: _, signature: __, ...rest } = record(grant);
  return hkdf(secret, sha256(encodeCanonical(rest)), 'mbk/1 grant');
}

function signedBytes(grant: Grant): Uint8Array {
  const { signature: _, ...rest } = record(grant);
  return concatBytes([utf8('mbk/1 grant'), encodeCanonical(rest)]);
}

/** Bytes of a grant entry. */
export function encodeGrant(grant: Grant): Uint8Array {
  return concatBytes([encodeCanonical(record(grant)), utf8('\n')]);
}

/** A grant from bytes named `what`; `value-invalid` if a field is missing or wrong. */
export function decodeGrant(bytes: Uint8Array, what: string): Grant {
  const fields = readFields(parseJson(bytes, what), what);
  fields.literal('format', 'mbk grant');
  fields.literal('version', 1);
  const sealed = fields.string('sealed', { pattern: /^([0-9a-f]{2}){16,}$/, max: 16_777_216 });
  return {
    repository: asRepositoryId(fields.hex('repository', 16)),
    recipient: fromHex(fields.hex('recipient', 32)),
    signer: asActorId(fields.hex('signer', 32)),
    ephemeral: fromHex(fields.hex('ephemeral', 32)),
    sealed: fromHex(sealed),
    signature: fromHex(fields.hex('signature', 64)),
  };
}
