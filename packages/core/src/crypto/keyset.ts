/**
 * Keysets: the random root of a scope and generation, and the subkeys below it (docs/format.md, Keys).
 */
import { fromHex } from '../format/bytes.ts';
import type { ActorId, KeysetId, RepositoryId } from '../format/ids.ts';
import { hkdf } from './hash.ts';
import { x25519Public } from './key-pair.ts';

/** `shared`, or the one domain that a keyset isolates. */
export type Scope = string;

export interface AgreementKeys {
  readonly publicKey: Uint8Array;
  /** Absent where the role may seal but not open. */
  readonly privateKey: Uint8Array | undefined;
}

/** What a grant gave of one keyset; a subkey that is undefined was left out. */
export interface Keyset {
  readonly id: KeysetId;
  readonly scope: Scope;
  readonly generation: number;
  readonly root: Uint8Array | undefined;
  readonly index: Uint8Array | undefined;
  readonly catalogue: Uint8Array | undefined;
  readonly log: Uint8Array | undefined;
  readonly chunker: Uint8Array | undefined;
  readonly data: AgreementKeys | undefined;
  readonly meta: AgreementKeys | undefined;
  readonly audit: AgreementKeys | undefined;
}

export const sharedScope: Scope = 'shared';

/** The labels of docs/format.md, Keys. */
export const subkeyLabels = ['data', 'meta', 'index', 'catalogue', 'log', 'chunker', 'audit'] as const;

/** A whole keyset from its 32-byte root. */
export function deriveKeyset(
  root: Uint8Array,
  { id, scope, generation }: { readonly id: KeysetId; readonly scope: Scope; readonly generation: number },
): Keyset {
  const subkey = (label: (typeof subkeyLabels)[number]): Uint8Array => hkdf(root, fromHex(id), `mbk/1 keyset ${label}`);
  const pair = (label: 'data' | 'meta' | 'audit'): AgreementKeys => {
    const privateKey = subkey(label);
    return { privateKey, publicKey: x25519Public(privateKey) };
  };
  return {
    id,
    scope,
    generation,
    root,
    index: subkey('index'),
    catalogue: subkey('catalogue'),
    log: subkey('log'),
    chunker: subkey('chunker'),
    data: pair('data'),
    meta: pair('meta'),
    audit: pair('audit'),
  };
}

/** What an opened slot gives: who acts, and the keysets it was granted. */
export interface Keys {
  readonly repository: RepositoryId;
  readonly actor: { readonly id: ActorId; readonly seed: Uint8Array };
  readonly keysets: ReadonlyMap<KeysetId, Keyset>;
  /** The newest shared keyset: what is written now is sealed with it. */
  readonly shared: Keyset;
}
