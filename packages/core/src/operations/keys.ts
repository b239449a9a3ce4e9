/**
 * `mbk key list`: the slots in the storage, held against the actors of the log.
 *
 * The log decides who may act, the storage holds what a secret opens; a crash between the two leaves one without the
 * other, which is harmless and shown for what it is.
 */
import { toHex } from '../format/bytes.ts';
import { asActorId, type ActorId, type EntryId } from '../format/ids.ts';
import type { Role } from '../format/log-operations.ts';
import type { ActorRow } from '../format/log-state.ts';
import { timeText } from '../format/snapshot-manifest.ts';
import { readSlots } from '../keyring/open-keys.ts';
import { MbkError } from '../errors.ts';
import { roleOf, type Fold } from '../log/fold.ts';
import type { Repository } from '../repository.ts';

/**
 * What can be said of a slot:
 * - `active`: it opens the repository;
 * - `removed`: the log removed its actor and its bytes are still there; what it opens is refused;
 * - `unfinished`: its actor never came into the log, because `key add` was killed; refused likewise;
 * - `damaged`: both of its copies are damaged, so whose it was is unknown;
 * - `missing`: an actor of the log that no sound slot is left of.
 */
export type KeyState = 'active' | 'removed' | 'unfinished' | 'damaged' | 'missing';

export interface KeyRow {
  /** Null for a `missing` one. */
  readonly id: EntryId | null;
  readonly state: KeyState;
  /** Null where no actor is known, as is the role. */
  readonly name: string | null;
  readonly role: Role | null;
  readonly actor: ActorId | null;
  /** `passphrase`, `key-file`, `recovery`; null for a `damaged` one. */
  readonly kind: string | null;
  /** RFC 3339, by the storage's clock. */
  readonly addedAt: string | null;
  readonly removedAt: string | null;
  /** Whether this slot opened the repository now. */
  readonly isCurrent: boolean;
  /** Keys of copies whose bytes are absent or damaged. */
  readonly damagedCopies: readonly string[];
}

/** Every slot, in the order in which their actors were added; those without an actor last. */
export async function listKeys(repository: Repository): Promise<KeyRow[]> {
  const { backend, keys, log } = repository;
  const { sound, lost, damaged } = await readSlots(backend, keys.repository);
  const damagedCopies = (id: EntryId): string[] => damaged.filter((key) => key.endsWith(`slots/${id}`));
  const seen = new Set<ActorId>();
  const rows: KeyRow[] = sound.map(({ id, slot }) => {
    const actor = asActorId(toHex(slot.signing));
    seen.add(actor);
    const row = log.fold.actors.get(actor);
    const state = row === undefined ? 'unfinished' : row.removedAt === undefined ? 'active' : 'removed';
    const isCurrent = id === repository.slot;
    return { id, state, ...actorFields(row), actor, kind: slot.kind, isCurrent, damagedCopies: damagedCopies(id) };
  });
  for (const row of log.fold.actors.values()) {
    if (seen.has(row.signing) || row.removedAt !== undefined) continue;
    const isCurrent = row.signing === keys.actor.id;
    const { signing: actor, kind } = row;
    rows.push({ id: null, state: 'missing', ...actorFields(row), actor, kind, isCurrent, damagedCopies: [] });
  }
  for (const id of lost) {
    rows.push({
      id,
      state: 'damaged',
      ...actorFields(undefined),
      actor: null,
      kind: null,
      isCurrent: false,
      damagedCopies: damagedCopies(id),
    });
  }
  return rows.sort((a, b) => compare(a.addedAt ?? '~', b.addedAt ?? '~') || compare(a.id ?? '', b.id ?? ''));
}

/**
 * The slot that `text` means: an id, a name (an active slot's before all others), or the start of an id, 4 digits or
 * more. Errors: `slot-absent`, `slot-ambiguous`.
 */
export function findKey(rows: readonly KeyRow[], text: string): KeyRow {
  const named = rows.filter(({ name }) => name === text);
  const attempts = [
    rows.filter(({ id }) => id === text),
    named.filter(({ state }) => state === 'active'),
    named,
    /^[0-9a-f]{4,64}$/.test(text) ? rows.filter(({ id }) => id?.startsWith(text)) : [],
  ];
  const found = attempts.find((some) => some.length > 0) ?? [];
  const [row] = found;
  if (row === undefined) throw new MbkError('slot-absent', `no key is called ${text}`, { details: { key: text } });
  if (found.length === 1) return row;
  throw new MbkError('slot-ambiguous', `${text} can mean ${found.length} keys`, {
    details: { key: text, candidates: found.map(({ id, name }) => ({ id, name })) },
  });
}

/** `role-denied` unless the key in use is an owner's, as of `fold`. */
export function requireOwner({ keys }: Pick<Repository, 'keys'>, fold: Fold, doing: string): void {
  const role = roleOf(fold, keys.actor.id);
  if (role !== 'owner') throw new MbkError('role-denied', `only an owner may ${doing}`, { details: { role } });
}

function actorFields(row: ActorRow | undefined): Pick<KeyRow, 'name' | 'role' | 'addedAt' | 'removedAt'> {
  if (row === undefined) return { name: null, role: null, addedAt: null, removedAt: null };
  const { name, role, addedAt, removedAt } = row;
  return { name, role, addedAt: timeText(addedAt), removedAt: removedAt === undefined ? null : timeText(removedAt) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
