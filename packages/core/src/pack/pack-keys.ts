/** The keys of one pack, from its header and what a grant gave (docs/format.md, Sealing). */
import { decodeHeader, encodeHeader, entryKey, type Magic } from '../crypto/entry.ts';
import { x25519 } from '../crypto/key-pair.ts';
import type { AgreementKeys, Keys, Keyset } from '../crypto/keyset.ts';
import { MbkError } from '../errors.ts';
import { utf8 } from '../format/bytes.ts';
import type { KeysetId, PackKind, RepositoryId } from '../format/ids.ts';

const magicOf: Readonly<Record<PackKind, Magic>> = { data: 'mbkP', meta: 'mbkM' };
const framesInfo: Readonly<Record<PackKind, string>> = { data: 'mbk/1 data frames', meta: 'mbk/1 meta frames' };

/** What the signature of a footer covers before the header. */
export const packSignatureLabel: Uint8Array = utf8('mbk/1 pack');

export interface PackHeader {
  readonly repository: RepositoryId;
  readonly kind: PackKind;
  readonly keyset: KeysetId;
  /** X25519 public key that was made for this pack alone. */
  readonly ephemeral: Uint8Array;
}

export function encodePackHeader({ repository, kind, keyset, ephemeral }: PackHeader): Uint8Array {
  return encodeHeader({ magic: magicOf[kind], repository, keyset, salt: ephemeral });
}

/** The header of the pack `what`; `entry-damaged` unless it is a pack of that kind and repository. */
export function decodePackHeader(
  bytes: Uint8Array,
  { kind, repository, what }: { readonly kind: PackKind; readonly repository: RepositoryId; readonly what: string },
): PackHeader {
  const header = decodeHeader(bytes, what);
  if (header.magic !== magicOf[kind] || header.repository !== repository) {
    throw new MbkError('entry-damaged', `${what} is not a ${kind} pack of this repository`);
  }
  return { repository, kind, keyset: header.keyset, ephemeral: header.salt };
}

/** Key of the frames for the one who writes them and holds the ephemeral private key. */
export function framesKeyOfWriter(header: PackHeader, ephemeralPrivate: Uint8Array, keyset: Keyset): Uint8Array {
  const { publicKey } = agreementOf(keyset, header.kind, 'write');
  return entryKey(x25519(ephemeralPrivate, publicKey), encodePackHeader(header), framesInfo[header.kind], publicKey);
}

/** Key of the frames for a reader. Errors: `role-denied`, `entry-damaged` (a key of low order). */
export function framesKeyOfReader(header: PackHeader, keys: Keys): Uint8Array {
  const { publicKey, privateKey } = agreementOf(keysetOf(keys, header.keyset), header.kind, 'read');
  if (privateKey === undefined)
    throw new MbkError('role-denied', `the key that was used may not read ${header.kind} packs`);
  return entryKey(x25519(privateKey, header.ephemeral), encodePackHeader(header), framesInfo[header.kind], publicKey);
}

/** Key of the footer's box. Errors: `role-denied`. */
export function footerKey(header: PackHeader, keyset: Keyset): Uint8Array {
  return entryKey(indexKeyOf(keyset), encodePackHeader(header), 'mbk/1 pack footer');
}

/** The keyset with this id; `role-denied` when it was not granted. */
export function keysetOf(keys: Keys, id: KeysetId): Keyset {
  const keyset = keys.keysets.get(id);
  if (keyset === undefined)
    throw new MbkError('role-denied', `the key that was used was not granted keyset ${id}`, {
      details: { keyset: id },
    });
  return keyset;
}

/** The symmetric key of footers and segments; `role-denied` when it was not granted. */
export function indexKeyOf(keyset: Keyset): Uint8Array {
  if (keyset.index === undefined) throw new MbkError('role-denied', 'the key that was used may not read the index');
  return keyset.index;
}

function agreementOf(keyset: Keyset, kind: PackKind, verb: 'read' | 'write'): AgreementKeys {
  const keys = keyset[kind];
  if (keys === undefined) throw new MbkError('role-denied', `the key that was used may not ${verb} ${kind} packs`);
  return keys;
}
