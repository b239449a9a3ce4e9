import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/crypto/hash.ts';
import { deriveKeyset, type Keys } from '../../src/crypto/keyset.ts';
import { concatBytes, utf8 } from '../../src/format/bytes.ts';
import { asKeysetId } from '../../src/format/ids.ts';
import { limits } from '../../src/format/limits.ts';
import { openEntry, peekOperations, sealEntry } from '../../src/log/sealed-entry.ts';
import { codeOf, seededBytes, testKeys } from '../pack/test-keys.ts';
import { advance, flipped, head, hex, owner, segment, startOfTime, tag, tool, writer } from './small-log.ts';

const isolated = deriveKeyset(sha256(utf8('isolated')), {
  id: asKeysetId(hex('isolated', 32)),
  scope: 'lab',
  generation: 1,
});
const member: Keys = { ...owner, keysets: new Map([...owner.keysets, [isolated.id, isolated]]) };
const draft = {
  n: 7,
  previous: hex('previous'),
  at: startOfTime,
  tool,
  audit: [{ chain: 'aa', hash: hex('h'), n: 1 }],
  ops: [tag('clinic/v1')],
  sections: [{ keyset: isolated.id, ops: [advance(head('lab', null, 'a'))] }],
};
const bytes = sealEntry(draft, member, seededBytes('salt'));

describe('openEntry', () => {
  test('gives what was sealed', () => {
    expect(openEntry(bytes, 7, member, 'entry 7')).toMatchObject({
      n: 7,
      previous: hex('previous'),
      actor: owner.actor.id,
      at: startOfTime,
      tool,
      audit: draft.audit,
      sections: [
        { scope: 'shared', ops: draft.ops },
        { scope: 'lab', ops: draft.sections[0]?.ops },
      ],
      skipped: [],
    });
  });

  test('passes over the sections of keysets that were not granted', () => {
    const entry = openEntry(bytes, 7, owner, 'entry 7');
    expect(entry.sections).toEqual([{ scope: 'shared', ops: draft.ops }]);
    expect(entry.skipped).toEqual([isolated.id]);
  });

  test('notices one changed bit in any byte', () => {
    for (let offset = 0; offset < bytes.byteLength; offset += 1) {
      expect(codeOf(() => openEntry(flipped(bytes, offset), 7, member, 'entry 7'))).toBe('entry-damaged');
    }
  });

  test('notices a changed byte also when the trailer hash was made to fit', () => {
    // The trailer needs no key: whoever writes to the storage can make it right. Tags and signature must hold alone.
    const end = bytes.byteLength - 32;
    for (let offset = 0; offset < end; offset += 1) {
      const hashed = flipped(bytes.subarray(0, end), offset);
      expect(codeOf(() => openEntry(concatBytes([hashed, sha256(hashed)]), 7, member, 'entry 7'))).toBe(
        'entry-damaged',
      );
    }
  });

  test('notices every truncation and any addition', () => {
    for (let length = 0; length < bytes.byteLength; length += 7) {
      expect(codeOf(() => openEntry(bytes.subarray(0, length), 7, member, 'entry 7'))).toBe('entry-damaged');
    }
    expect(codeOf(() => openEntry(concatBytes([bytes, new Uint8Array(1)]), 7, member, 'entry 7'))).toBe(
      'entry-damaged',
    );
    expect(codeOf(() => openEntry(new Uint8Array(limits.logEntryBytes + 1), 7, member, 'entry 7'))).toBe(
      'entry-damaged',
    );
  });

  test('refuses a valid entry of another number, repository or keyset', () => {
    expect(codeOf(() => openEntry(bytes, 8, member, 'entry 8'))).toBe('entry-damaged');
    expect(codeOf(() => openEntry(bytes, 7, testKeys({ repository: 'two' }), 'entry 7'))).toBe('entry-damaged');
    expect(codeOf(() => openEntry(bytes, 7, testKeys({ root: 'other' }), 'entry 7'))).toBe('entry-damaged');
  });

  test('refuses a first section of an isolated scope', () => {
    const strange = sealEntry({ ...draft, sections: [] }, { ...member, shared: isolated }, seededBytes('salt'));
    expect(() => openEntry(strange, 7, member, 'entry 7')).toThrow(/no shared one/);
  });

  test('refuses a signature by somebody else than it names', () => {
    const forged = sealEntry(
      { ...draft, sections: [] },
      { ...owner, actor: { id: owner.actor.id, seed: writer.actor.seed } },
      seededBytes('salt'),
    );
    expect(() => openEntry(forged, 7, owner, 'entry 7')).toThrow(/not signed by the actor/);
  });
});

test('sealEntry refuses what would pass 16 MiB', () => {
  const add = Array.from({ length: 200_000 }, (_, index) => segment(`s ${index % 10}`));
  expect(() => sealEntry({ ...draft, ops: [{ op: 'index', add, drop: [] }] }, member, seededBytes('salt'))).toThrow(
    RangeError,
  );
});

test('peekOperations tells what a damaged entry said when its section still opens', () => {
  const signatureDamaged = flipped(bytes, bytes.byteLength - 40);
  expect(peekOperations(signatureDamaged, owner)).toEqual(['tag']);
  expect(peekOperations(flipped(bytes, 200), owner)).toBeUndefined();
});
