import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMbkError } from '../../src/errors.ts';
import { concatBytes, toHex } from '../../src/format/bytes.ts';
import { asKeysetId, asRepositoryId } from '../../src/format/ids.ts';
import {
  decodeLogEntry,
  encodeLogHeader,
  logKey,
  logNumberOf,
  logPrefix,
  noPrevious,
} from '../../src/format/log-entry.ts';

const repository = asRepositoryId('00112233445566778899aabbccddeeff');
const other = asRepositoryId('ff112233445566778899aabbccddeeff');
const keyset = asKeysetId('ffeeddccbbaa99887766554433221100');

function entryBytes(boxes: readonly Uint8Array[], n = 1): Uint8Array {
  const sections = boxes.map((box) => ({ keyset, boxLength: box.byteLength }));
  const header = encodeLogHeader({ repository, n, previous: noPrevious, salt: new Uint8Array(32).fill(7), sections });
  return concatBytes([header, ...boxes, new Uint8Array(64).fill(8), new Uint8Array(32).fill(9)]);
}

describe('keys of the log', () => {
  test('sort the newest first and give their number back', () => {
    expect(logKey(repository, 1)).toBe(`log/${repository}/fffffffffffffffe`);
    expect(logKey(repository, 257) < logKey(repository, 256)).toBe(true);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        (n) => logNumberOf(repository, logKey(repository, n)) === n,
      ),
    );
  });

  test('of other things have no number', () => {
    for (const key of [
      `${logPrefix(repository)}ffffffffffffffff`,
      `${logPrefix(repository)}0000000000000000`,
      `${logPrefix(repository)}x`,
      logKey(other, 1),
      'log/x',
    ]) {
      expect(logNumberOf(repository, key)).toBeUndefined();
    }
  });
});

describe('decodeLogEntry', () => {
  test('gives back what was encoded', () => {
    const sizes = fc.array(fc.integer({ min: 16, max: 300 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (lengths, n) => {
        const boxes = lengths.map((length, index) => new Uint8Array(length).fill(index));
        const bytes = entryBytes(boxes, n);
        const frame = decodeLogEntry(bytes, 'it');
        expect(frame).toMatchObject({ repository, n, previous: noPrevious });
        expect(frame.boxes.map(toHex)).toEqual(boxes.map(toHex));
        expect(frame.hashed.byteLength).toBe(bytes.byteLength - 32);
        expect(frame.signed.byteLength).toBe(bytes.byteLength - 96);
        expect(toHex(frame.signature)).toBe('08'.repeat(64));
        expect(toHex(frame.trailer)).toBe('09'.repeat(32));
      }),
      { numRuns: 50 },
    );
  });

  test('takes a frame or refuses it as damaged, whatever the bytes', () => {
    const sound = entryBytes([new Uint8Array(40), new Uint8Array(16)]);
    const changed = fc.array(fc.tuple(fc.nat(sound.byteLength - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(changed, fc.nat(sound.byteLength), (changes, length) => {
        const bytes = sound.slice(0, length);
        for (const [offset, value] of changes) if (offset < length) bytes[offset] = value;
        try {
          const frame = decodeLogEntry(bytes, 'it');
          expect(frame.boxes).toHaveLength(frame.sections.length);
        } catch (error) {
          expect(isMbkError(error, 'entry-damaged')).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('names both numbers when a length does not fit', () => {
    const bytes = entryBytes([new Uint8Array(40)]);
    new DataView(bytes.buffer).setUint32(96 + 16, 0xffffffff, true);
    expect(() => decodeLogEntry(bytes, 'entry 1')).toThrow(/entry 1 is damaged: .* claims 4294967295 bytes, 40 remain/);
  });
});
