import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMbkError } from '../../src/errors.ts';
import { asActorId, asBlobId, lifetimes } from '../../src/format/ids.ts';
import {
  decodeFooter,
  decodePackTrailer,
  encodeFooter,
  encodePackTrailer,
  type FooterFrame,
  type PackFooter,
  signatureBytes,
} from '../../src/format/pack-footer.ts';

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'));
const framesTo = 0x0fff_0000;
const options = { kind: 'meta', framesFrom: 72, framesTo, what: 'meta pack 00' } as const;

const frame: fc.Arbitrary<FooterFrame> = fc
  .record({
    offset: fc.integer({ min: 72, max: framesTo - 20_000_000 }),
    boxLength: fc.integer({ min: 16, max: 16 * 2 ** 20 }),
    codec: fc.nat(255),
    parameters: fc.uint8Array({ maxLength: 20 }),
    bases: fc.array(hex(32).map(asBlobId), { maxLength: 3 }),
    level: fc.integer({ min: 1, max: 8 }),
    boxEnd: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    blobs: fc.array(
      fc.record({
        id: hex(32).map(asBlobId),
        type: fc.constantFrom('tree', 'chunks', 'layout', 'table', 'links'),
        length: fc.nat(2 ** 20),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  })
  .map(({ level, ...row }) => ({
    ...row,
    depth: row.bases.length === 0 ? 0 : level,
    plainLength: row.blobs.reduce((sum, blob) => sum + blob.length, 0),
  }));

const footer: fc.Arbitrary<PackFooter> = fc.record({
  lifetime: fc.constantFrom(...lifetimes),
  frames: fc.array(frame, { maxLength: 6 }),
  actor: hex(32).map(asActorId),
});

/** A footer as it is sealed: signature and zeros behind it. */
function sealed(signed: Uint8Array, zeros = 40): Uint8Array {
  const bytes = new Uint8Array(signed.byteLength + signatureBytes + zeros);
  bytes.set(signed);
  bytes.fill(7, signed.byteLength, signed.byteLength + signatureBytes);
  return bytes;
}

const sample: PackFooter = {
  lifetime: 'long',
  actor: asActorId('ab'.repeat(32)),
  frames: [
    {
      offset: 72,
      boxLength: 116,
      plainLength: 100,
      codec: 0,
      depth: 0,
      parameters: new Uint8Array(0),
      bases: [],
      blobs: [{ id: asBlobId('cd'.repeat(32)), type: 'tree', length: 100 }],
      boxEnd: new Uint8Array(8).fill(9),
    },
  ],
};

describe('pack footers', () => {
  test('decode to what was encoded', () => {
    fc.assert(
      fc.property(footer, fc.nat(5000), (value, zeros) => {
        const signed = encodeFooter(value);
        const decoded = decodeFooter(sealed(signed, zeros), options);
        expect(decoded).toEqual({ ...value, signed, signature: new Uint8Array(signatureBytes).fill(7) });
      }),
      { numRuns: 200 },
    );
  });

  test('have the bytes that docs/format.md lays down', () => {
    const bytes = encodeFooter(sample);
    const expected = [
      '01010000' + '01000000' + '01000000' + '00000000' + '00000000' + '00000000',
      '48000000' + '74000000' + '64000000' + '00000000' + '01000000' + '00000000' + '0909090909090909',
      'cd'.repeat(32) + '64000000' + '02000000',
      'ab'.repeat(32),
    ];
    expect(Buffer.from(bytes).toString('hex')).toBe(expected.join(''));
  });

  test('cut or changed bytes never make an error of another kind, nor frames outside the pack', () => {
    fc.assert(
      fc.property(footer, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (value, at, mask, cut) => {
        const whole = sealed(encodeFooter(value), 0);
        const place = at % whole.byteLength;
        const damaged = cut ? whole.slice(0, place) : whole.slice();
        if (!cut) damaged[place] = (damaged[place] ?? 0) ^ mask;
        try {
          const decoded = decodeFooter(damaged, options);
          expect(cut).toBe(false);
          for (const one of decoded.frames) {
            expect(one.offset).toBeGreaterThanOrEqual(72);
            expect(one.offset + one.boxLength).toBeLessThanOrEqual(framesTo);
            expect(one.blobs.reduce((sum, blob) => sum + blob.length, 0)).toBe(one.plainLength);
          }
        } catch (error) {
          if (!isMbkError(error)) throw error;
          expect(error.code).toBe('value-invalid');
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['version', 0, 2],
    ['lifetime', 1, 3],
    ['reserved bytes', 2, 1],
    ['frames, hostile', 7, 0xff],
    ['blobs, hostile', 11, 0xff],
    ['bases, hostile', 15, 0xff],
    ['parameters, hostile', 19, 0xff],
    ['reserved bytes', 20, 1],
    ['offset before the frames', 24, 71],
    ['offset behind the frames', 27, 0xff],
    ['box length below a tag', 28, 15],
    ['box length over the limit', 31, 0xf0],
    ['plain length', 32, 101],
    ['depth without bases', 37, 1],
    ['parameter length', 38, 1],
    ['blobs of the frame, none', 40, 0],
    ['blobs of the frame, hostile', 43, 0xff],
    ['bases of the frame', 44, 1],
    ['blob length', 88, 99],
    ['blob type of the other kind', 92, 1],
    ['blob type', 92, 7],
    ['reserved bytes of a blob', 93, 1],
    ['padding', 224, 1],
  ])('refuse a wrong field: %s', (_field, place, byte) => {
    const bytes = sealed(encodeFooter(sample));
    expect(decodeFooter(bytes, options).frames).toHaveLength(1);
    bytes[place] = byte;
    expect(() => decodeFooter(bytes, options)).toThrow(expect.objectContaining({ code: 'value-invalid' }));
  });

  test('a trailer decodes to its length, and every changed bit of it is noticed or changes the length', () => {
    expect(decodePackTrailer(encodePackTrailer(4096), 'pack')).toBe(4096);
    for (let bit = 0; bit < 128; bit += 1) {
      const bytes = encodePackTrailer(4096);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (bit < 32) expect(decodePackTrailer(bytes, 'pack')).not.toBe(4096);
      else expect(() => decodePackTrailer(bytes, 'pack')).toThrow(expect.objectContaining({ code: 'entry-damaged' }));
    }
    expect(() => decodePackTrailer(new Uint8Array(3), 'pack')).toThrow(
      expect.objectContaining({ code: 'entry-damaged' }),
    );
  });
});
