/**
 * `mbk key remove`: a secret opens the repository no longer.
 *
 * The log entry comes first: from then on whoever opens the slot is refused, whether its bytes are gone yet or not. It
 * takes nothing back: who copied keys keeps what was sealed with them so far.
 */
import type { Backend } from '../backend/backend.ts';
import { decodeGrant } from '../crypto/grant.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { toHex } from '../format/bytes.ts';
import type { ActorId, EntryId } from '../format/ids.ts';
import { readSlots } from '../keyring/open-keys.ts';
import { deleteTwice, listStoredTwice } from '../keyring/stored-twice.ts';
import { roleOf, type Fold } from '../log/fold.ts';
import type { Repository } from '../repository.ts';
import { findKey, listKeys, requireOwner, type KeyRow } from './keys.ts';

export interface KeyRemoved {
  readonly id: EntryId | null;
  readonly name: string | null;
  readonly kind: string | null;
  /** Whether it is the slot that the repository was opened with. */
  readonly isCurrent: boolean;
  /** Slots that open the repository now. */
  readonly left: number;
}

/**
 * Removes the slot that `which` means (an id, its start, or a name) and its grants. Repeating it after a crash goes on.
 *
 * Errors: `role-denied`, `slot-absent`, `slot-ambiguous`, `slot-last`, those of appending to the log and of the backend.
 */
export async function removeKey(repository: Repository, which: string): Promise<KeyRemoved> {
  const { backend, keys, log } = repository;
  await log.refresh();
  requireOwner(repository, log.fold, 'remove a key');
  const rows = await listKeys(repository);
  const row = findKey(rows, which);
  const agreement = await agreementOf(repository, row);
  const openers = rows.flatMap(({ state, actor }) => (state === 'active' && actor !== null ? [actor] : []));
  const { actor } = row;
  if (actor !== null && roleOf(log.fold, actor) !== undefined) {
    await log.append((fold) => {
      requireOwner(repository, fold, 'remove a key');
      if (roleOf(fold, actor) === undefined) return undefined; // somebody else removed it
      refuseLast(fold, openers, row);
      return { ops: [{ op: 'actors', set: [], remove: [actor] }] };
    });
  }
  await removeKeyEntries(backend, { id: row.id, agreement });
  const { id, name, kind, isCurrent } = row;
  const left = openers.filter((one) => one !== actor && roleOf(log.fold, one) !== undefined).length;
  return { id, name, kind, isCurrent: isCurrent || actor === keys.actor.id, left };
}

/** Removes the bytes of a slot and of the grants to its `agreement` key (hex), as far as they are known. */
export async function removeKeyEntries(
  backend: Backend,
  { id, agreement }: { readonly id: EntryId | null; readonly agreement: string | undefined },
): Promise<void> {
  for await (const { id: grant, bytes } of listStoredTwice(backend, 'grants')) {
    if (bytes !== undefined && agreement !== undefined && recipientOf(bytes, grant) === agreement) {
      await deleteTwice(backend, `grants/${grant}`);
    }
  }
  if (id !== null) await deleteTwice(backend, `slots/${id}`);
}

async function agreementOf({ backend, keys, log }: Repository, { id, actor }: KeyRow): Promise<string | undefined> {
  const known = actor === null ? undefined : log.fold.actors.get(actor)?.agreement;
  if (known !== undefined || id === null) return known;
  const stored = (await readSlots(backend, keys.repository)).sound.find((slot) => slot.id === id);
  return stored === undefined ? undefined : toHex(stored.slot.agreement);
}

/** `slot-last` unless another owner's slot opens the repository, as of `fold`. */
function refuseLast(fold: Fold, openers: readonly ActorId[], row: KeyRow): void {
  if (openers.some((one) => one !== row.actor && roleOf(fold, one) === 'owner')) return;
  throw new MbkError('slot-last', `the key ${row.name ?? row.id ?? ''} is the last one that opens this repository`, {
    details: { id: row.id, name: row.name },
  });
}

function recipientOf(bytes: Uint8Array, id: EntryId): string | undefined {
  try {
    return toHex(decodeGrant(bytes, `grant ${id.slice(0, 8)}`).recipient);
  } catch (error) {
    if (isMbkError(error, 'value-invalid')) return undefined;
    throw error;
  }
}
