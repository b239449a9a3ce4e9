/** mbk.json, slots and grants, each with its second copy (docs/format.md, Entries). */
import { decodeGrant, isGrantSigned } from '../../crypto/grant.ts';
import { sha256Hex } from '../../crypto/hash.ts';
import { decodeSlot } from '../../crypto/slot.ts';
import { isMbkError } from '../../errors.ts';
import { toHex } from '../../format/bytes.ts';
import { isHex } from '../../format/ids.ts';
import { copyPrefix, decodeRepositoryFile, repositoryFileKey } from '../../format/repository-file.ts';
import { readBounded } from '../../log/read-bounded.ts';
import { roleOf, wasOwner } from '../../log/fold.ts';
import type { Verification } from './verification.ts';

/** No entry of these kinds comes near this; more is not read. */
const maxBytes = 16 * 1024 * 1024;

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
  for (const key of [repositoryFileKey, copyPrefix + repositoryFileKey]) {
    const bytes = await readEntry(run, key);
    if (bytes === undefined) continue;
    const id = decodeOr(run, key, () => decodeRepositoryFile(bytes, key));
    if (id !== undefined && id !== repository.keys.repository) {
      damaged(run, key, `${key} names repository ${id}, and this is ${repository.keys.repository}`);
    }
  }
}

/** Actor ids of the slots of which at least one copy is sound. */
async function verifySlots(run: Verification): Promise<ReadonlySet<string>> {
  const sound = new Set<string>();
  for (const { key, bytes } of await readTwice(run, 'slots')) {
    const slot = decodeOr(run, key, () => decodeSlot(bytes, key));
    if (slot?.repository === run.repository.keys.repository) sound.add(toHex(slot.signing));
  }
  return sound;
}

async function verifyGrants(run: Verification): Promise<void> {
  const { fold, found } = run;
  const sound = new Set<string>();
  for (const { key, id, bytes } of await readTwice(run, 'grants')) {
    const grant = decodeOr(run, key, () => decodeGrant(bytes, key));
    if (grant === undefined || grant.repository !== run.repository.keys.repository) continue;
    sound.add(id);
    const problem = !isGrantSigned(grant)
      ? 'is not signed by the owner that it names'
      : wasOwner(fold, grant.signer)
        ? undefined
        : `is signed by ${grant.signer.slice(0, 8)}, who never was an owner`;
    if (problem !== undefined) found.add({ code: 'grant-unsound', severity: 'error', key, message: `${key} ${problem}` });
  }
  for (const { grant, actor } of fold.grants.values()) {
    if (sound.has(grant) || roleOf(fold, actor) === undefined) continue;
    const name = fold.actors.get(actor)?.name ?? actor.slice(0, 8);
    const key = `grants/${grant}`;
    found.add({ code: 'key-entry-absent', severity: 'error', key, message: `${key}, the keys of ${name}, is in the storage in no sound copy` });
  }
}

interface NamedEntry {
  readonly key: string;
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** One sound copy of every entry in `folder`; copies that are absent or do not match their name are findings. */
async function readTwice(run: Verification, folder: 'slots' | 'grants'): Promise<readonly NamedEntry[]> {
  const ids = new Set<string>();
  for (const key of run.listed.keys()) {
    const [, name] = /^(?:copy\/)?(?:slots|grants)\/([0-9a-f]+)$/.exec(key) ?? [];
    if (name !== undefined && isHex(name, 32) && key.includes(`${folder}/`)) ids.add(name);
  }
  const entries: NamedEntry[] = [];
  for (const id of [...ids].sort()) {
    let sound: NamedEntry | undefined;
    for (const key of [`${folder}/${id}`, `${copyPrefix}${folder}/${id}`]) {
      const bytes = await readEntry(run, key);
      if (bytes === undefined) continue;
      if (sha256Hex(bytes) === id) sound ??= { key, id, bytes };
      else damaged(run, key, `${key} does not match its name: its bytes were changed`);
    }
    if (sound !== undefined) entries.push(sound);
  }
  return entries;
}

async function readEntry(run: Verification, key: string): Promise<Uint8Array | undefined> {
  const bytes = await readBounded(run.repository.backend, key, maxBytes, run.signal);
  if (bytes instanceof Uint8Array) return bytes;
  if (bytes === 'absent') {
    run.found.add({ code: 'key-entry-absent', severity: 'error', key, message: `${key} is not in the storage` });
  } else damaged(run, key, `${key} cannot be read: it is ${bytes}`);
  return undefined;
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
