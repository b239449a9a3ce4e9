import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, encodeWith } from '../../src/codec/encode-frame.ts';
import type { FrameCodec } from '../../src/codec/frame-codec.ts';
import { noParameters } from '../../src/codec/frame-codec.ts';
import { decodeFrame } from '../../src/codec/registry.ts';
import { zstdCodec } from '../../src/codec/zstd.ts';
import { gaussian } from './gaussian.ts';

const decode = (codec: number, stored: Uint8Array, plainLength: number): Uint8Array =>
  decodeFrame(codec, stored, { plainLength, parameters: noParameters, what: 'frame 0 of a pack' });

describe('frame codecs', () => {
  test('what is encoded decodes to the same bytes, never larger than raw', () => {
    const text = fc.array(fc.constantFrom('weights', 'layer', ' ', '\n', '0.125'), { maxLength: 5000 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 5000 }),
          text.map((words) => Buffer.from(words.join(''))),
        ),
        (plain) => {
          const { codec, stored, parameters } = encodeFrame(plain);
          expect(parameters.byteLength).toBe(0);
          expect(stored.byteLength).toBeLessThanOrEqual(plain.byteLength);
          expect(Buffer.compare(decode(codec, stored, plain.byteLength), plain)).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a codec that saves less than 1/64 is not taken', () => {
    const length = 64 * 1024;
    const saving = (bytes: number): FrameCodec => ({
      number: 9,
      name: 'saving',
      encode: () => ({ stored: new Uint8Array(length - bytes), parameters: noParameters }),
      decode: () => new Uint8Array(length),
    });
    expect(encodeWith(saving(length / 64), new Uint8Array(length)).codec).toBe(9);
    expect(encodeWith(saving(length / 64 - 1), new Uint8Array(length)).codec).toBe(0);
  });

  test('large frames that do not compress in a sample are stored raw, others are not', () => {
    const noise = new Uint8Array(randomBytes(1 << 20));
    expect(encodeFrame(noise)).toEqual({ codec: 0, stored: noise, parameters: noParameters });
    const text = Buffer.from('{"step":1,"loss":0.25}\n'.repeat(40_000));
    const encoded = encodeFrame(text);
    expect(encoded.codec).toBe(1);
    expect(encoded.stored.byteLength).toBeLessThan(text.byteLength / 20);
  });

  test('how hard it tries is what it is told: nothing, what is cheap, or what is smallest', () => {
    const text = Buffer.from('{"step":1,"loss":0.25}\n'.repeat(4000));
    expect(encodeFrame(text, { compression: 'off' })).toEqual({ codec: 0, stored: text, parameters: noParameters });
    expect(encodeFrame(text, { compression: 'fast' })).toEqual(encodeFrame(text));
    const words = Array.from({ length: 20_000 }, (_, i) => `step ${i} loss ${Math.sin(i).toFixed(6)}\n`);
    const log = Buffer.from(words.join(''));
    const fast = encodeFrame(log).stored.byteLength;
    expect(encodeFrame(log, { compression: 'best' }).stored.byteLength).toBeLessThan(0.9 * fast);
    const little = gaussian('noise', 1 << 20).map((byte) => (byte < 56 ? byte >> 1 : byte));
    const element = { dtype: 'U8', unit: 1 };
    expect(encodeFrame(little, { element }).codec).toBe(0);
    const best = encodeFrame(little, { element, compression: 'best' });
    expect(best.stored.byteLength).toBeLessThan(0.98 * little.byteLength);
  });

  test('plain bytes stay the caller\u2019s, whatever is tried', () => {
    const noise = new Uint8Array(randomBytes(300_000));
    const half = new Uint8Array([...noise.subarray(0, 100_000), ...noise.subarray(0, 100_000)]);
    for (const plain of [noise, half, new Uint8Array(100_000)]) {
      for (const element of [undefined, { dtype: 'F32', unit: 4, row: 4000 }, { dtype: 'I8', unit: 1 }]) {
        for (const compression of ['off', 'fast', 'best'] as const) {
          encodeFrame(plain, { element, compression });
          expect(plain.buffer.detached).toBe(false);
        }
      }
    }
  });

  test('a codec that does not give back what it was given is caught before anything is stored', () => {
    const plain = Buffer.from('a'.repeat(1000));
    const wrong: FrameCodec = {
      ...zstdCodec,
      decode: (stored, options) => zstdCodec.decode(stored, options).fill(98, 999),
    };
    const broken: FrameCodec = {
      ...zstdCodec,
      encode: (bytes) => ({ ...zstdCodec.encode(bytes), stored: new Uint8Array(10) }),
    };
    expect(() => encodeWith(wrong, plain)).toThrow(expect.objectContaining({ code: 'self-test-failed' }));
    expect(() => encodeWith(broken, plain)).toThrow(expect.objectContaining({ code: 'self-test-failed' }));
  });

  test('a frame that would decode to more than its row says is refused, whatever it expands to', () => {
    const bomb = zstdCompressSync(new Uint8Array(256 << 20));
    expect(bomb.byteLength).toBeLessThan(64 << 10);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decode(1, bomb, 1000)).toThrow(expect.objectContaining({ code: 'value-invalid' }));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
  });

  test('a frame of another length than its row says is refused', () => {
    const stored = zstdCompressSync(new Uint8Array(1000));
    for (const length of [0, 1, 999, 1001, 100_000]) {
      expect(() => decode(1, stored, length)).toThrow(expect.objectContaining({ code: 'value-invalid' }));
      expect(() => decode(0, new Uint8Array(1000), length)).toThrow(expect.objectContaining({ code: 'value-invalid' }));
    }
  });

  test('damaged zstd frames end in an error or in the right length', () => {
    const plain = Buffer.from('some text, some more text, '.repeat(200));
    const { stored } = zstdCodec.encode(plain);
    fc.assert(
      fc.property(fc.nat(stored.byteLength - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (place, mask, cut) => {
        const damaged = cut ? stored.slice(0, place) : Uint8Array.from(stored);
        if (!cut) damaged[place] = (damaged[place] ?? 0) ^ mask;
        let length = plain.byteLength;
        try {
          length = decode(1, damaged, plain.byteLength).byteLength;
        } catch (error) {
          expect(error).toMatchObject({ code: 'value-invalid' });
        }
        expect(length).toBe(plain.byteLength);
      }),
      { numRuns: 300 },
    );
  });

  test('an unknown codec is named', () => {
    expect(() => decode(5, new Uint8Array(8), 8)).toThrow(
      expect.objectContaining({ code: 'codec-unknown', details: { codec: 5 } }),
    );
  });
});
