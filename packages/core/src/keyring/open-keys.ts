/**
 * From a secret to keys: mbk.json names the repository, a slot gives the actor, its grants give keysets.
 *
 * Three failures are told apart: no mbk.json is no repository, a slot whose bytes do not match its name is damaged, a
 * secret that opens no sound slot is wrong.
 */
import type { Backend } from '../backend/backend.ts';
import { readBounded } from '../backend/read-bounded.ts';
import { decodeGrant, openGrant } from '../crypto/grant.ts';
import { sharedScope, type Keys, type Keyset } from '../crypto/keyset.ts';
import { decodeSlot, unlockSlot, type Secret, type Slot, type SlotKeys } from '../crypto/slot.ts';
import { MbkError, isMbkError } from '../errors.ts';
import { equalBytes, toHex } from '../format/bytes.ts';
import { asActorId, type ActorId, type EntryId, type KeysetId, type RepositoryId } from '../format/ids.ts';
import { copyPrefix, decodeRepositoryFile, repositoryFileKey } from '../format/repository-file.ts';
import { listStoredTwice, maxKeyEntryBytes } from './stored-twice.ts';

export interface OpenedKeys {
  readonly keys: Keys;
  readonly slot: EntryId;
  /** Owners who signed the grants in use: to be checked against the folded log. */
  readonly grantSigners: ReadonlySet<ActorId>;
  /** Keys of damaged copies that were passed over. */
  readonly damaged: readonly string[];
}

/**
 * Keys that `secret` gives.
 * Errors: `repository-absent`, `secret-wrong`, `slot-damaged`, `format-unsupported`, and those of the backend.
 */
export async function openKeys(backend: Backend, secret: Secret, onDeriving?: () => void): Promise<OpenedKeys> {
  const { repository, damaged, otherwise } = await readRepositoryId(backend);
  try {
    return await openKeysOf(backend, secret, { repository, damaged, onDeriving });
  } catch (error) {
    // Somebody may have put the file of another repository in the place of one of the copies.
    if (otherwise === undefined || !isMbkError(error, 'secret-wrong', 'slot-damaged')) throw error;
    return openKeysOf(backend, secret, { repository: otherwise, damaged: [...damaged, repositoryFileKey] });
  }
}

async function openKeysOf(
  backend: Backend,
  secret: Secret,
  {
    repository,
    damaged,
    onDeriving,
  }: {
    readonly repository: RepositoryId;
    readonly damaged: readonly string[];
    readonly onDeriving?: (() => void) | undefined;
  },
): Promise<OpenedKeys> {
  const slots = await readSlots(backend, repository);
  const opened = await unlockAny(slots.sound, secret, onDeriving);
  if (opened === undefined) throw noSlotOpens(backend, secret, slots.lost);
  const grants = await readGrants(backend, repository, opened.slot, opened.keys);
  const shared = newestShared(grants.keysets);
  if (shared === undefined) {
    throw new MbkError(
      'slot-damaged',
      `slot ${opened.id.slice(0, 8)} opened, but no sound grant of the shared keys for it is left`,
      {
        details: { slot: opened.id, damaged: grants.damaged },
      },
    );
  }
  return {
    keys: {
      repository,
      actor: { id: asActorId(toHex(opened.slot.signing)), seed: opened.keys.signing },
      keysets: grants.keysets,
      shared,
    },
    slot: opened.id,
    grantSigners: grants.signers,
    damaged: [...damaged, ...slots.damaged, ...grants.damaged],
  };
}

export interface FoundRepository {
  readonly repository: RepositoryId;
  /** Keys of copies that are absent or damaged. */
  readonly damaged: string[];
  /** What the second copy says where both are sound and do not agree. */
  readonly otherwise: RepositoryId | undefined;
}

/** The repository id, from mbk.json or its copy. Errors: `repository-absent`, `entry-damaged`, `format-unsupported`. */
export async function readRepositoryId(backend: Backend): Promise<FoundRepository> {
  const damaged: string[] = [];
  const sound: RepositoryId[] = [];
  let failure: unknown;
  for (const key of [repositoryFileKey, copyPrefix + repositoryFileKey]) {
    const bytes = await readBounded(backend, key, maxKeyEntryBytes);
    if (bytes === 'absent') {
      damaged.push(key);
      continue;
    }
    try {
      if (!(bytes instanceof Uint8Array)) throw new MbkError('entry-damaged', `${key} cannot be read: it is ${bytes}`);
      sound.push(decodeRepositoryFile(bytes, key));
    } catch (error) {
      if (!isMbkError(error, 'format-unsupported', 'value-invalid', 'entry-damaged')) throw error;
      damaged.push(key);
      // A later version says so in both copies; in one alone it is a changed byte.
      if (!isMbkError(failure, 'format-unsupported')) failure = error;
    }
  }
  const [repository, second] = sound;
  if (repository !== undefined) return { repository, damaged, otherwise: second === repository ? undefined : second };
  if (failure === undefined)
    throw new MbkError('repository-absent', `there is no repository in ${backend.name}`, {
      details: { backend: backend.name },
    });
  if (isMbkError(failure, 'format-unsupported')) throw failure;
  throw new MbkError('entry-damaged', `mbk.json in ${backend.name} and its copy are both damaged`, {
    cause: failure,
    details: { damaged },
  });
}

export interface StoredSlot {
  readonly id: EntryId;
  readonly slot: Slot;
}

/** The slots of `repository`; `lost` are those whose two copies are both damaged. */
export async function readSlots(
  backend: Backend,
  repository: RepositoryId,
): Promise<{ sound: StoredSlot[]; lost: EntryId[]; damaged: string[] }> {
  const sound: StoredSlot[] = [];
  const lost: EntryId[] = [];
  const damaged: string[] = [];
  for await (const { id, bytes, damaged: keys } of listStoredTwice(backend, 'slots')) {
    const slot = bytes === undefined ? undefined : decodeIfValid(() => decodeSlot(bytes, `slot ${id.slice(0, 8)}`));
    if (slot !== undefined && slot.repository !== repository) continue; // left by an init that was never finished
    damaged.push(...keys);
    if (slot === undefined) lost.push(id);
    else sound.push({ id, slot });
  }
  return { sound, lost, damaged };
}

async function unlockAny(
  slots: readonly StoredSlot[],
  secret: Secret,
  onDeriving?: () => void,
): Promise<(StoredSlot & { keys: SlotKeys }) | undefined> {
  for (const { id, slot } of slots) {
    const keys = await unlockSlot(slot, secret, onDeriving);
    if (keys !== undefined) return { id, slot, keys };
  }
  return undefined;
}

function noSlotOpens(backend: Backend, secret: Secret, lost: readonly EntryId[]): MbkError {
  const what = { passphrase: 'passphrase', 'key-file': 'key file', recovery: 'recovery key' }[secret.kind];
  if (lost.length === 0) {
    return new MbkError('secret-wrong', `wrong ${what}: it opens no key slot of the repository in ${backend.name}`);
  }
  const names = lost.map((id) => id.slice(0, 8)).join(', ');
  return new MbkError(
    'slot-damaged',
    `the ${what} opens none of the sound slots, and slot ${names} is damaged in both copies`,
    {
      details: { lost },
    },
  );
}

async function readGrants(
  backend: Backend,
  repository: RepositoryId,
  slot: Slot,
  slotKeys: SlotKeys,
): Promise<{ keysets: Map<KeysetId, Keyset>; signers: Set<ActorId>; damaged: string[] }> {
  const keysets = new Map<KeysetId, Keyset>();
  const signers = new Set<ActorId>();
  const damaged: string[] = [];
  for await (const { id, bytes, damaged: keys } of listStoredTwice(backend, 'grants')) {
    const grant = bytes === undefined ? undefined : decodeIfValid(() => decodeGrant(bytes, `grant ${id.slice(0, 8)}`));
    if (grant !== undefined && grant.repository !== repository) continue;
    damaged.push(...keys);
    if (grant === undefined || !equalBytes(grant.recipient, slot.agreement)) continue;
    // A grant that anybody could have put there must not lock out whoever has a sound one; `verify` tells of it.
    const opened = decodeIfValid(() => openGrant(grant, slotKeys.agreement, `grant ${id.slice(0, 8)}`));
    if (opened === undefined) continue;
    for (const keyset of opened) keysets.set(keyset.id, keyset);
    signers.add(grant.signer);
  }
  return { keysets, signers, damaged };
}

function newestShared(keysets: ReadonlyMap<KeysetId, Keyset>): Keyset | undefined {
  return [...keysets.values()]
    .filter(({ scope }) => scope === sharedScope)
    .reduce<Keyset | undefined>(
      (best, one) => (best === undefined || one.generation > best.generation ? one : best),
      undefined,
    );
}

function decodeIfValid<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (isMbkError(error, 'value-invalid', 'entry-damaged')) return undefined;
    throw error;
  }
}
