/** mbk.json, slots and grants, each with its second copy (docs/format.md, Entries). */
import { decodeGrant, isGrantSigned } from '../../crypto/grant.ts';
import { sha256Hex } from '../../crypto/hash.ts';
import { decodeSlot } from '../../crypto/slot.ts';
import { isMbkError } from '../../errors.ts';
import { toHex } from '../../format/bytes.ts';
import { asActorId, isHex } from '../../format/ids.ts';
import { copyPrefix, decodeRepositoryFile, repositoryFileKey } from '../../format/repository-file.ts';
import { maxKeyEntryBytes } from '../../keyring/stored-twice.ts';
import { readBounded } from '../../backend/read-bounded.ts';
import { roleOf, wasOwner } from '../../log/fold.ts';
import type { Verification } from './verification.ts';

export async function verifyKeys(run: Verification): Promise<void> {
  await verifyRepositoryFile(run);
  const signers = await verifySlots(run);
  await verifyGrants(run);
  for (const actor of run.fold.actors.values()) {
    if (roleOf(run.fold, actor.signing) === undefined || signers.has(actor.signing)) continue;
    run.found.add({
      code: 'key-entry-absent',
      severity: 'error',
      message: `the slot of ${actor.name} (${actor.role}) is in the storage no more, in neither copy: its secret opens nothing`,
    });
  }
}

async function verifyRepositoryFile(run: Verification): Promise<void> {
  const { repository } = run;
  const entries = [];
  for (const key of [repositoryFileKey, copyPrefix + repositoryFileKey])
    entries.push({ key, bytes: await readEntry(run, key) });
  const found = entries.some(({ bytes }) => bytes !== undefined);
  for (const { key, bytes } of entries) {
    if (bytes === 'damaged') continue;
    if (bytes === undefined) {
      // Its own copy is the last thing that init writes: one that was killed right before it harms nobody.
      const severity = key !== repositoryFileKey && found ? 'warning' : 'error';
      absent(run, key, severity);
      continue;
    }
    const id = decodeOr(run, key, () => decodeRepositoryFile(bytes, key));
    if (id !== undefined && id !== repository.keys.repository) {
      damaged(run, key, `${key} names repository ${id}, and this is ${repository.keys.repository}`);
    }
  }
}

/** Actor ids of the slots of which at least one copy is sound. */
async function verifySlots(run: Verification): Promise<ReadonlySet<string>> {
  const { fold, repository } = run;
  const sound = new Set<string>();
  for (const { key, bytes, unsound } of await readTwice(run, 'slots')) {
    const slot = bytes === undefined ? undefined : decodeOr(run, key, () => decodeSlot(bytes, key));
    const signer = slot?.repository === repository.keys.repository ? toHex(slot.signing) : undefined;
    if (signer !== undefined) sound.add(signer);
    // A slot of nobody was left by an init, `key add` or `key remove` that was killed: its copies may be anything.
    if (slot === undefined || (signer !== undefined && roleOf(fold, asActorId(signer)) !== undefined))
      tellUnsound(run, unsound);
  }
  return sound;
}

async function verifyGrants(run: Verification): Promise<void> {
  const { fold, found } = run;
  const sound = new Set<string>();
  const live = new Set<string>(
    [...fold.grants.values()].filter(({ actor }) => roleOf(fold, actor) !== undefined).map(({ grant }) => grant),
  );
  for (const { key, id, bytes, unsound } of await readTwice(run, 'grants')) {
    const grant = bytes === undefined ? undefined : decodeOr(run, key, () => decodeGrant(bytes, key));
    if (grant === undefined || live.has(id)) tellUnsound(run, unsound);
    if (grant === undefined || grant.repository !== run.repository.keys.repository) continue;
    sound.add(id);
    const problem = !isGrantSigned(grant)
      ? 'is not signed by the owner that it names'
      : wasOwner(fold, grant.signer)
        ? undefined
        : `is signed by ${grant.signer.slice(0, 8)}, who never was an owner`;
    if (problem !== undefined)
      found.add({ code: 'grant-unsound', severity: 'error', key, message: `${key} ${problem}` });
  }
  for (const { grant, actor } of fold.grants.values()) {
    if (sound.has(grant) || roleOf(fold, actor) === undefined) continue;
    const name = fold.actors.get(actor)?.name ?? actor.slice(0, 8);
    const key = `grants/${grant}`;
    found.add({
      code: 'key-entry-absent',
      severity: 'error',
      key,
      message: `${key}, the keys of ${name}, is in the storage in no sound copy`,
    });
  }
}

interface StoredTwice {
  /** Of the first sound copy. */
  readonly key: string;
  readonly id: string;
  /** Undefined if no copy is sound. */
  readonly bytes: Uint8Array | undefined;
  readonly unsound: readonly UnsoundCopy[];
}

interface UnsoundCopy {
  readonly key: string;
  readonly problem: 'absent' | 'changed';
}

/** Every entry in `folder`, from the first of its copies that matches its name. */
async function readTwice(run: Verification, folder: 'slots' | 'grants'): Promise<readonly StoredTwice[]> {
  const ids = new Set<string>();
  for (const key of run.listed.keys()) {
    const [, name] = /^(?:copy\/)?(?:slots|grants)\/([0-9a-f]+)$/.exec(key) ?? [];
    if (name !== undefined && isHex(name, 32) && key.includes(`${folder}/`)) ids.add(name);
  }
  const entries: StoredTwice[] = [];
  for (const id of [...ids].sort()) {
    let sound: { readonly key: string; readonly bytes: Uint8Array } | undefined;
    const unsound: UnsoundCopy[] = [];
    for (const key of [`${folder}/${id}`, `${copyPrefix}${folder}/${id}`]) {
      const bytes = await readEntry(run, key);
      if (bytes === 'damaged') continue;
      if (bytes !== undefined && sha256Hex(bytes) === id) sound ??= { key, bytes };
      else unsound.push({ key, problem: bytes === undefined ? 'absent' : 'changed' });
    }
    entries.push({ key: sound?.key ?? `${folder}/${id}`, id, bytes: sound?.bytes, unsound });
  }
  return entries;
}

/** The bytes of an entry, undefined if there is none; one that cannot be read is told here. */
async function readEntry(run: Verification, key: string): Promise<Uint8Array | undefined | 'damaged'> {
  const bytes = await readBounded(run.repository.backend, key, maxKeyEntryBytes, run.signal);
  if (bytes instanceof Uint8Array) return bytes;
  if (bytes === 'absent') return undefined;
  damaged(run, key, `${key} cannot be read: it is ${bytes}`);
  return 'damaged';
}

function tellUnsound(run: Verification, copies: readonly UnsoundCopy[]): void {
  for (const { key, problem } of copies) {
    if (problem === 'absent') absent(run, key, 'error');
    else damaged(run, key, `${key} does not match its name: its bytes were changed`);
  }
}

function absent({ found }: Verification, key: string, severity: 'error' | 'warning'): void {
  found.add({ code: 'key-entry-absent', severity, key, message: `${key} is not in the storage` });
}

function decodeOr<T>(run: Verification, key: string, decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!isMbkError(error, 'value-invalid', 'entry-damaged', 'format-unsupported')) throw error;
    damaged(run, key, error.message);
    return undefined;
  }
}

function damaged({ found }: Verification, key: string, message: string): void {
  found.add({ code: 'key-entry-damaged', severity: 'error', key, message });
}
