/**
 * `mbk init`: slots, grants, log entry 1, and last of all mbk.json, whose put is the commit point.
 *
 * Until then nothing stands in anybody's way: every entry carries the new repository's id, and another init's entries
 * carry another (docs/decisions/0001-log-keys-carry-the-repository-id.md).
 */
import type { Backend } from '../backend/backend.ts';
import { createGrant, encodeGrant, type Grant } from '../crypto/grant.ts';
import { sha256Hex, type Random } from '../crypto/hash.ts';
import { deriveKeyset, sharedScope, type Keys } from '../crypto/keyset.ts';
import { createSlot, encodeSlot, type Secret, type Slot, type SlotKeys } from '../crypto/slot.ts';
import { isMbkError, MbkError } from '../errors.ts';
import { toHex } from '../format/bytes.ts';
import { asActorId, asEntryId, asKeysetId, asRepositoryId, type EntryId, type RepositoryId } from '../format/ids.ts';
import type { Actor } from '../format/log-operations.ts';
import { copyPrefix, encodeRepositoryFile, repositoryFileKey } from '../format/repository-file.ts';
import { readRepositoryId } from '../keyring/open-keys.ts';
import { putTwice } from '../keyring/stored-twice.ts';
import { genesis } from '../log/genesis.ts';

export interface InitOptions {
  readonly backend: Backend;
  /** What will unlock the repository, and what its slot is called. */
  readonly secret: Secret;
  readonly name: string;
  /** Whether a second slot is made for a recovery key. */
  readonly recovery: boolean;
  /** IANA name of the zone that dates of this repository are in. */
  readonly timezone: string;
  readonly random: Random;
  readonly tool: string;
}

export interface InitReport {
  readonly repository: RepositoryId;
  readonly slot: EntryId;
  /** 32 bytes, shown once and stored nowhere. */
  readonly recoveryKey: Uint8Array | undefined;
}

/** Makes a repository in `backend`. Errors: `repository-exists`, and those of the backend. */
export async function initRepository(options: InitOptions): Promise<InitReport> {
  const { backend, secret, name, timezone, random, tool } = options;
  await refuseExisting(backend);

  const repository = asRepositoryId(toHex(random(16)));
  const about = { id: asKeysetId(toHex(random(16))), scope: sharedScope, generation: 1 };
  const root = random(32);
  const keyset = { ...deriveKeyset(root, about), root };

  const recoveryKey = options.recovery ? random(32) : undefined;
  const founder = await newSlot({ secret, name, repository, random });
  const slots = [founder];
  if (recoveryKey !== undefined) {
    slots.push(
      await newSlot({ secret: { kind: 'recovery', key: recoveryKey }, name: 'recovery key', repository, random }),
    );
  }
  const signer = { id: founder.actor.signing, seed: founder.keys.signing };
  const grants = slots.map(({ slot, actor }) => ({
    actor: actor.signing,
    ...grantEntry(createGrant([keyset], { repository, recipient: slot.agreement, signer, random })),
  }));

  for (const { key, bytes } of [...slots, ...grants]) await putTwice(backend, key, bytes);
  const keys: Keys = { repository, actor: signer, keysets: new Map([[keyset.id, keyset]]), shared: keyset };
  const first = genesis({
    keys,
    actors: slots.map(({ actor }) => actor),
    grants: grants.map(({ id, actor }) => ({ grant: id, actor, keysets: [keyset.id] })),
    timezone,
    at: await backend.now(),
    tool,
    random,
  });
  await backend.put(first.key, [first.bytes]);
  const file = encodeRepositoryFile(repository);
  if ((await backend.put(repositoryFileKey, [file])) === 'exists') throw exists(backend);
  await backend.put(copyPrefix + repositoryFileKey, [file]);
  return { repository, slot: founder.id, recoveryKey };
}

export interface NewSlot {
  readonly id: EntryId;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly slot: Slot;
  readonly keys: SlotKeys;
  readonly actor: Actor;
}

/** A slot for an owner, ready to be put, and the actor that it is in the log. */
export async function newSlot(options: {
  readonly secret: Secret;
  readonly name: string;
  readonly repository: RepositoryId;
  readonly random: Random;
}): Promise<NewSlot> {
  const { secret, name, repository, random } = options;
  const { slot, keys } = await createSlot(secret, { repository, random });
  const bytes = encodeSlot(slot);
  const id = asEntryId(sha256Hex(bytes));
  const signing = asActorId(toHex(slot.signing));
  const actor: Actor = { signing, agreement: toHex(slot.agreement), name, role: 'owner', kind: slot.kind };
  return { id, key: `slots/${id}`, bytes, slot, keys, actor };
}

/** A grant as an entry, ready to be put. */
export function grantEntry(grant: Grant): { readonly id: EntryId; readonly key: string; readonly bytes: Uint8Array } {
  const bytes = encodeGrant(grant);
  const id = asEntryId(sha256Hex(bytes));
  return { id, key: `grants/${id}`, bytes };
}

async function refuseExisting(backend: Backend): Promise<void> {
  try {
    await readRepositoryId(backend);
  } catch (error) {
    if (isMbkError(error, 'repository-absent')) return;
    throw error;
  }
  throw exists(backend);
}

function exists(backend: Backend): MbkError {
  return new MbkError('repository-exists', `there is a repository in ${backend.name} already`, {
    details: { backend: backend.name },
  });
}
