import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createGrant, decodeGrant, encodeGrant, openGrant } from '../../src/crypto/grant.ts';
import { deriveKeyset } from '../../src/crypto/keyset.ts';
import { createSlot, decodeSlot, encodeSlot, unlockSlot, type Secret } from '../../src/crypto/slot.ts';
import { keyFileText, parseKeyFile, parseRecoveryKey, recoveryKeyText } from '../../src/crypto/secret-text.ts';
import { isMbkError } from '../../src/errors.ts';
import { toHex, utf8 } from '../../src/format/bytes.ts';
import { asActorId, asKeysetId, asRepositoryId } from '../../src/format/ids.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const repository = asRepositoryId('00112233445566778899aabbccddeeff');
const cost = { memoryKiB: 64, passes: 1, parallelism: 1 };
const options = { repository, random, cost };

describe('slots', () => {
  const key = random(32);
  const secrets: Secret[] = [
    { kind: 'passphrase', passphrase: 'grüne Gürkchen' },
    { kind: 'key-file', key },
    { kind: 'recovery', key },
  ];
  test.each(secrets)('a $kind slot opens with its secret after a round trip through bytes', async (secret) => {
    const { slot, keys } = await createSlot(secret, options);
    expect(await unlockSlot(decodeSlot(encodeSlot(slot), 'slot'), secret)).toEqual(keys);
  });

  test('another secret of the same kind opens nothing', async () => {
    const { slot } = await createSlot({ kind: 'passphrase', passphrase: 'right' }, options);
    expect(await unlockSlot(slot, { kind: 'passphrase', passphrase: 'wrong' })).toBeUndefined();
    expect(await unlockSlot(slot, { kind: 'key-file', key })).toBeUndefined();
  });

  test('a passphrase is the same however the system composes its characters', async () => {
    const { slot, keys } = await createSlot({ kind: 'passphrase', passphrase: 'caf\u00e9' }, options);
    expect(await unlockSlot(slot, { kind: 'passphrase', passphrase: 'cafe\u0301' })).toEqual(keys);
  });

  test('every field of a slot is bound: changing one locks it', async () => {
    const secret: Secret = { kind: 'key-file', key };
    const { slot } = await createSlot(secret, options);
    expect(await unlockSlot({ ...slot, signing: random(32) }, secret)).toBeUndefined();
    expect(await unlockSlot({ ...slot, repository: asRepositoryId('0'.repeat(32)) }, secret)).toBeUndefined();
    expect(await unlockSlot({ ...slot, kind: 'recovery' }, { kind: 'recovery', key })).toBeUndefined();
  });

  test('a slot that asks for more memory than the limit is refused before any is taken', async () => {
    const { slot } = await createSlot({ kind: 'passphrase', passphrase: 'p' }, options);
    const text = new TextDecoder().decode(encodeSlot(slot)).replace('"memoryKiB":64', '"memoryKiB":2000000');
    expect(() => decodeSlot(utf8(text), 'slot')).toThrow(expect.objectContaining({ code: 'value-invalid' }));
  });
});

describe('secrets as text', () => {
  test('a recovery key survives being typed in lower case without dashes, and a typing error is noticed', () => {
    for (let round = 0; round < 50; round++) {
      const key = random(32);
      const text = recoveryKeyText(key);
      expect(text).toMatch(/^([A-Z2-7]{4}-){13}[A-Z2-7]{4}$/);
      expect(parseRecoveryKey(text.toLowerCase().replaceAll('-', ' '))).toEqual(key);
      expect(parseRecoveryKey((text[0] === 'A' ? 'B' : 'A') + text.slice(1))).toBeUndefined();
    }
  });

  test('a key file holds its key', () => {
    const key = random(32);
    expect(parseKeyFile(keyFileText(key))).toEqual(key);
    expect(() => parseKeyFile('hello')).toThrow(expect.objectContaining({ code: 'key-file-unsafe' }));
  });
});

describe('grants', () => {
  const about = { id: asKeysetId(toHex(random(16))), scope: 'shared', generation: 1 };
  const keyset = { ...deriveKeyset(random(32), about), root: random(32) };

  test('a grant opens for its recipient only, and only if its owner signed it', async () => {
    const owner = await createSlot({ kind: 'key-file', key: random(32) }, options);
    const other = await createSlot({ kind: 'key-file', key: random(32) }, options);
    const signer = { id: asActorId(toHex(owner.slot.signing)), seed: owner.keys.signing };
    const grant = createGrant([keyset], { repository, recipient: owner.slot.agreement, signer, random });
    const read = decodeGrant(encodeGrant(grant), 'grant');
    expect(openGrant(read, owner.keys.agreement, 'grant')).toEqual([deriveKeyset(keyset.root, about)]);

    const damaged = (run: () => unknown): boolean => {
      try {
        run();
        return false;
      } catch (error) {
        return isMbkError(error, 'entry-damaged');
      }
    };
    expect(damaged(() => openGrant(read, other.keys.agreement, 'grant'))).toBe(true);
    const forged = { ...read, signer: asActorId(toHex(other.slot.signing)) };
    expect(damaged(() => openGrant(forged, owner.keys.agreement, 'grant'))).toBe(true);
  });
});
