/**
 * `mbk key add`: another secret that opens the repository.
 *
 * Slot and grant are put first, the log entry that makes their actor known last: killed before it, they are bytes that
 * open nothing, and `key list` shows them.
 */
import { createGrant } from '../crypto/grant.ts';
import type { Keyset } from '../crypto/keyset.ts';
import { unlockSlot, type Secret } from '../crypto/slot.ts';
import { MbkError } from '../errors.ts';
import { toHex } from '../format/bytes.ts';
import { asActorId, type ActorId, type EntryId } from '../format/ids.ts';
import { readSlots } from '../keyring/open-keys.ts';
import { putTwice } from '../keyring/stored-twice.ts';
import { roleOf, type Fold } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { grantEntry, newSlot } from './init.ts';
import { removeKeyEntries } from './key-remove.ts';
import { requireOwner } from './keys.ts';

export interface AddKeyRequest {
  readonly secret: Secret;
  /** What the slot is called: 1 to 200 characters, none of them a control character. */
  readonly name: string;
}

/** The slot that was added. */
export interface KeyAdded {
  readonly id: EntryId;
  readonly name: string;
  readonly kind: Secret['kind'];
  readonly actor: ActorId;
}

/**
 * Adds a slot of an owner, with all keysets that the key in use was given.
 *
 * Errors: `role-denied`, `name-invalid`, `slot-exists` (the name, or a slot that the secret opens), those of appending to
 * the log and of the backend.
 */
export async function addKey(repository: Repository, { secret, name }: AddKeyRequest): Promise<KeyAdded> {
  const { backend, keys, log, random } = repository;
  await log.refresh();
  requireOwner(repository, log.fold, 'add a key');
  checkName(name);
  refuseTaken(log.fold, name);
  await refuseOpening(repository, secret);

  const made = await newSlot({ secret, name, repository: keys.repository, random });
  const keysets = [...keys.keysets.values()].filter(isWhole);
  const recipient = made.slot.agreement;
  const grant = grantEntry(
    createGrant(keysets, { repository: keys.repository, recipient, signer: keys.actor, random }),
  );
  for (const { key, bytes } of [made, grant]) await putTwice(backend, key, bytes);
  const { actor } = made;
  await log.append((fold) => {
    refuseTaken(fold, name);
    return {
      ops: [
        { op: 'actors', set: [actor], remove: [] },
        { op: 'grant', grant: grant.id, actor: actor.signing, keysets: keysets.map(({ id }) => id) },
      ],
    };
  });
  return { id: made.id, name, kind: secret.kind, actor: actor.signing };
}

/** Whether a name for a slot is free and allowed; as `addKey` checks it. Errors: `name-invalid`, `slot-exists`. */
export function checkKeyName(repository: Repository, name: string): void {
  checkName(name);
  refuseTaken(repository.log.fold, name);
}

function isWhole(keyset: Keyset): keyset is Keyset & { readonly root: Uint8Array } {
  return keyset.root !== undefined;
}

function checkName(name: string): void {
  if (name !== '' && name.length <= 200 && name.isWellFormed() && !/\p{Cc}/u.test(name)) return;
  throw new MbkError('name-invalid', `${JSON.stringify(name)} is no name for a key`, {
    details: { name },
    remedy: 'A name has 1 to 200 characters and no control characters.',
  });
}

function refuseTaken(fold: Fold, name: string): void {
  for (const row of fold.actors.values()) {
    if (row.removedAt === undefined && row.name === name) {
      throw new MbkError('slot-exists', `there is a key called ${name} already`, { details: { name } });
    }
  }
}

/**
 * One secret opens one slot, or it would be left to chance which one it opens.
 *
 * A slot of nobody, left by a `key add` or `key remove` that was killed, is cleared away instead.
 */
async function refuseOpening(repository: Repository, secret: Secret): Promise<void> {
  const { backend, keys, log } = repository;
  for (const { id, slot } of (await readSlots(backend, keys.repository)).sound) {
    if ((await unlockSlot(slot, secret)) === undefined) continue;
    const actor = asActorId(toHex(slot.signing));
    if (roleOf(log.fold, actor) === undefined) {
      await removeKeyEntries(backend, { id, agreement: toHex(slot.agreement) });
      continue;
    }
    const name = log.fold.actors.get(actor)?.name ?? '';
    throw new MbkError('slot-exists', `this secret opens the key ${name} (${id.slice(0, 8)}) already`, {
      details: { id, name },
    });
  }
}
