import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { createGrant, encodeGrant } from '../../src/crypto/grant.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { ed25519Public } from '../../src/crypto/key-pair.ts';
import { toHex, utf8 } from '../../src/format/bytes.ts';
import { asActorId } from '../../src/format/ids.ts';
import { openKeys, readRepositoryId, readSlots } from '../../src/keyring/open-keys.ts';
import { initRepository } from '../../src/operations/init.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const secret = { kind: 'key-file', key: new Uint8Array(32).fill(7) } as const;

async function make(): Promise<Backend> {
  const backend = memoryBackend();
  await initRepository({
    backend,
    secret,
    name: 'founder',
    recovery: false,
    timezone: 'UTC',
    random,
    tool: 'mbk test',
  });
  return backend;
}

/** Says that the entries `isHuge` are larger than memory; they must not be asked for. */
function claimingHuge(backend: Backend, isHuge: (key: string) => boolean): Backend {
  return {
    ...backend,
    stat: async (key, options) => (isHuge(key) ? { size: 2 ** 45 } : backend.stat(key, options)),
    get: async (key, options) => {
      if (isHuge(key)) throw new RangeError('Array buffer allocation failed');
      return backend.get(key, options);
    },
  };
}

describe('an entry that claims to be larger than any of its kind', () => {
  test('is a damaged copy, and the other one serves', async () => {
    const backend = claimingHuge(await make(), (key) => /^(mbk|slots|grants)/.test(key));
    const { damaged } = await openKeys(backend, secret);
    expect(damaged.map((key) => key.split('/', 1)[0])).toEqual(['mbk.json', 'slots', 'grants']);
  });

  test('in both copies is damage, not an absent repository', async () => {
    const backend = claimingHuge(await make(), (key) => key.endsWith('mbk.json'));
    await expect(readRepositoryId(backend)).rejects.toMatchObject({ code: 'entry-damaged' });
  });
});

test('a grant that somebody put there without being able to sign it locks nobody out', async () => {
  const backend = await make();
  const { keys } = await openKeys(backend, secret);
  const { repository, shared } = keys;
  const [slot] = (await readSlots(backend, repository)).sound;
  if (slot === undefined || shared.root === undefined) throw new TypeError('expected a slot and a whole keyset');
  const seed = random(32);
  const forged = createGrant([{ ...shared, root: random(32) }], {
    repository,
    recipient: slot.slot.agreement,
    signer: { id: asActorId(toHex(ed25519Public(seed))), seed },
    random,
  });
  // Under the founder's name, whose signature it does not have; and one that does not open.
  for (const grant of [
    { ...forged, signer: keys.actor.id },
    { ...forged, sealed: random(64) },
  ]) {
    const bytes = encodeGrant(grant);
    await backend.put(`grants/${sha256Hex(bytes)}`, [bytes]);
  }
  const junk = utf8('{}');
  await backend.put(`grants/${sha256Hex(junk)}`, [junk]);
  const opened = await openKeys(backend, secret);
  expect(opened.keys.keysets).toEqual(keys.keysets);
  expect([...opened.grantSigners]).toEqual([keys.actor.id]);
});
