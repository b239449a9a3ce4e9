import { twinContexts, twinDifferences, twinStreams } from '@mbk/kernels';
import { blockOf, type Dtype } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame } from '../../src/codec/encode-frame.ts';
import { decodeFrame, decodeFrameParts } from '../../src/codec/registry.ts';
import { tensorCodec } from '../../src/codec/tensor.ts';
import {
  frameMemory,
  segmentBytes,
  type TensorKernels,
  workspaceBytes,
  workspaceIn,
} from '../../src/codec/tensor/workspace.ts';
import { gaussian } from './gaussian.ts';

// prettier-ignore
const dtypes: readonly Dtype[] = [
  'BF16', 'F16', 'F32', 'F64', 'F8_E4M3', 'I8', 'I16', 'I32', 'I64', 'C128', 'BOOL', 'F4', 'F6_E2M3', 'Q4_0', 'Q4_1', 'Q5_0',
  'Q5_1', 'Q8_0', 'Q8_1', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_K', 'IQ1_S', 'IQ1_M', 'IQ2_XXS', 'IQ2_XS', 'IQ2_S',
  'IQ3_XXS', 'IQ3_S', 'IQ4_NL', 'IQ4_XS', 'TQ1_0', 'TQ2_0', 'MXFP4', 'NVFP4', 'Q1_0', 'Q2_0',
];

const twinKernels = (bytes: Uint8Array): TensorKernels => ({
  ...twinStreams(bytes),
  ...twinContexts(bytes),
  ...twinDifferences(bytes),
});

function codecOf(dtype: string, unit: number) {
  const codec = tensorCodec({ dtype, unit });
  if (codec === undefined) throw new Error(`expected a codec for ${dtype}`);
  return codec;
}

/** The stored form, kept: the codec writes over what it gave. */
function stored(plain: Uint8Array, dtype: string, unit: number) {
  const encoded = codecOf(dtype, unit).encode(plain);
  return { stored: encoded.stored.slice(), parameters: encoded.parameters };
}

function restored({ stored: bytes, parameters }: ReturnType<typeof stored>, plainLength: number): Uint8Array {
  const options = { plainLength, parameters, what: 'frame 0 of a pack' };
  const plain = decodeFrame(2, bytes, options);
  // In parts it is the same, also from the memory that frames are read into.
  const read = frameMemory(bytes.length);
  read.set(bytes);
  for (const from of [bytes, read]) {
    const parts: Uint8Array[] = [];
    decodeFrameParts(2, from, options, (part, offset) => {
      expect(offset).toBe(parts.reduce((sum, { length }) => sum + length, 0));
      parts.push(part.slice());
    });
    expect(Buffer.compare(Buffer.concat(parts), plain)).toBe(0);
  }
  return plain;
}

/** Numbers that are hard for floats of any size, as bytes. */
const edges = fc
  .array(
    fc.constantFrom(0, 0x8000, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff, 1, 0x8001, 0x7c00, 0xfc01, 0x3f80, 0x3c00),
    {
      maxLength: 3000,
    },
  )
  .map((words) => new Uint8Array(Uint16Array.from(words).buffer));
const content = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  edges,
  fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc.array(fc.constantFrom(7, 7, 7, 8, 9, 200), { maxLength: 3000 }).map((bytes) => Uint8Array.from(bytes)),
);

describe('the tensor codec', () => {
  test.each(dtypes)('%s: all bytes come back, whatever they are and however long', (dtype) => {
    const unit = blockOf(dtype).bytes;
    fc.assert(
      fc.property(content, (plain) => {
        const encoded = stored(plain, dtype, unit);
        expect(Buffer.compare(restored(encoded, plain.length), plain)).toBe(0);
        expect(codecOf(dtype, unit).gives?.(plain, encoded, 'a frame')).toBe(true);
        expect(encoded.stored.length).toBeLessThanOrEqual(plain.length + 400);
      }),
      { numRuns: 40 },
    );
  });

  test('a type nobody knows, a unit that is not its own and units of any size cost compression only', () => {
    fc.assert(
      fc.property(
        content,
        fc.constantFrom('BF16', 'Q6_K', 'bf16', '', 'toString'),
        fc.integer({ min: 1, max: 65_535 }),
        (plain, dtype, unit) => {
          expect(Buffer.compare(restored(stored(plain, dtype, unit), plain.length), plain)).toBe(0);
        },
      ),
    );
    for (const unit of [0, -1, 1.5, 65_536, Number.NaN]) expect(tensorCodec({ dtype: 'F16', unit })).toBeUndefined();
  });

  test.each(['BF16', 'F32', 'Q8_0', 'Q6_K', 'Q5_1'] as const)('%s: frames of several segments and a rest', (dtype) => {
    const unit = blockOf(dtype).bytes;
    for (const length of [segmentBytes, segmentBytes + unit, 3 * segmentBytes + 2 * unit - 1]) {
      const plain = gaussian('BF16', length);
      expect(Buffer.compare(restored(stored(plain, dtype, unit), length), plain)).toBe(0);
    }
  });

  test('the plain twin of the kernels encodes to the same bytes and decodes them', () => {
    const workspace = workspaceIn(twinKernels(new Uint8Array(workspaceBytes)));
    for (const dtype of ['BF16', 'F32', 'Q5_0', 'Q3_K', 'Q4_K'] as const) {
      const element = { dtype, unit: blockOf(dtype).bytes };
      const plain = gaussian('BF16', 40_001);
      const byTwin = tensorCodec(element, () => workspace)?.encode(plain);
      expect(byTwin && { ...byTwin, stored: byTwin.stored.slice() }).toEqual(stored(plain, dtype, element.unit));
      expect(tensorCodec(element, () => workspace)?.gives?.(plain, stored(plain, dtype, element.unit), 'x')).toBe(true);
    }
  });

  test('weights take close to what their entropy is', () => {
    const bitsOf = (dtype: 'BF16' | 'F16' | 'F32', elements: number): number => {
      const { bytes: unit } = blockOf(dtype);
      return (stored(gaussian(dtype, elements * unit), dtype, unit).stored.length * 8) / elements;
    };
    expect(bitsOf('BF16', 500_000)).toBeLessThan(10.7);
    expect(bitsOf('F16', 500_000)).toBeLessThan(13.6);
    expect(bitsOf('F32', 250_000)).toBeLessThan(26.7);
  });

  test('floats that were widened, and constants, take little', () => {
    const bytes = gaussian('BF16', 200_000);
    const widened = new Uint8Array(400_000);
    for (let i = 0; i < 100_000; i += 1) widened.set(bytes.subarray(2 * i, 2 * i + 2), 4 * i + 2);
    expect(stored(widened, 'F32', 4).stored.length).toBeLessThan(0.68 * bytes.length);
    expect(stored(new Uint8Array(1_000_000), 'Q4_K', 144).stored.length).toBeLessThan(200);
  });

  test('what is not what was encoded is told apart', () => {
    const plain = gaussian('BF16', 10_000);
    const encoded = stored(plain, 'BF16', 2);
    const other = plain.slice();
    other[9999] = (other[9999] ?? 0) ^ 1;
    expect(codecOf('BF16', 2).gives?.(other, encoded, 'a frame')).toBe(false);
    expect(() => codecOf('BF16', 2).gives?.(plain.subarray(0, 9998), encoded, 'a frame')).toThrow(
      'a frame is no tensor frame',
    );
  });
});

describe('frames that are malformed', () => {
  const reading = (encoded: ReturnType<typeof stored>, length: number) => (): unknown => restored(encoded, length);
  const refusal = expect.objectContaining({
    code: 'value-invalid',
    message: expect.stringContaining('frame 0 of a pack is no tensor frame') as string,
  }) as Error;

  test.each(['BF16', 'Q4_0', 'Q6_K'] as const)('%s: damage ends in an error or in the right length', (dtype) => {
    const plain = gaussian('BF16', 20_000);
    const encoded = stored(plain, dtype, blockOf(dtype).bytes);
    const part = fc.constantFrom('stored', 'parameters');
    fc.assert(
      fc.property(
        part,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        fc.boolean(),
        (which, where, mask, cut, isEarly) => {
          const bytes = encoded[which];
          const place = (isEarly ? where % 200 : where) % bytes.length;
          const damaged = cut ? bytes.slice(0, place) : bytes.slice();
          if (!cut) damaged[place] = (damaged[place] ?? 0) ^ mask;
          let { length } = plain;
          try {
            ({ length } = restored({ ...encoded, [which]: damaged }, plain.length));
          } catch (error) {
            expect(error).toMatchObject({ code: 'value-invalid' });
          }
          expect(length).toBe(plain.length);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('noise ends in an error or in the right length', () => {
    const parameters = fc.oneof(
      fc.integer({ min: 0, max: 9 }).map((transform) => Uint8Array.of(1, transform)),
      fc.uint8Array({ maxLength: 12 }).map((rest) => Uint8Array.of(1, 0, ...rest)),
      fc.uint8Array({ maxLength: 12 }),
    );
    const noise = fc
      .tuple(fc.nat(4), fc.uint8Array({ maxLength: 2000 }))
      .map(([mode, rest]) => Uint8Array.of(mode, ...rest));
    fc.assert(
      fc.property(parameters, noise, fc.nat(5000), (given, bytes, length) => {
        try {
          expect(restored({ stored: bytes, parameters: given }, length).length).toBe(length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'value-invalid' });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('parameters of another version, transform or length', () => {
    const { stored: bytes } = stored(new Uint8Array(100), 'F16', 2);
    const bad = [[], [1], [2, 1], [1, 8], [1, 1, 0], [1, 0], [1, 0, 1], [1, 0, 0, 0], [1, 0, 255, 255, 1, 0]];
    for (const parameters of bad)
      expect(reading({ stored: bytes, parameters: Uint8Array.from(parameters) }, 100)).toThrow(refusal);
  });

  test('lengths that were never given, and bytes behind the end', () => {
    const parameters = Uint8Array.of(1, 0, 1, 0);
    expect(reading({ stored: new Uint8Array(100).fill(3, 0, 1), parameters }, 50)).toThrow(refusal);
    expect(reading({ stored: Uint8Array.of(1, 7, 0), parameters }, 50)).toThrow(refusal);
    expect(restored({ stored: Uint8Array.of(1, 7), parameters }, 5)).toEqual(new Uint8Array(5).fill(7));
  });
});

describe('encodeFrame with elements', () => {
  test('takes the tensor codec for weights', () => {
    const plain = gaussian('BF16', 600_000);
    const { codec, stored: bytes, parameters } = encodeFrame(plain, { element: { dtype: 'BF16', unit: 2 } });
    expect(codec).toBe(2);
    expect(bytes.length).toBeLessThan(0.68 * plain.length);
    expect(Buffer.compare(restored({ stored: bytes.slice(), parameters }, plain.length), plain)).toBe(0);
  });

  test('takes zstd where it is smaller and raw where nothing helps', () => {
    const element = { dtype: 'I8', unit: 1 };
    const noise = gaussian('noise', 600_000);
    expect(encodeFrame(noise, { element })).toMatchObject({ codec: 0, stored: noise });
    const repeated = Buffer.concat(Array.from({ length: 600 }, () => noise.subarray(0, 1000)));
    expect(encodeFrame(repeated, { element }).codec).toBe(1);
    expect(encodeFrame(new Uint8Array(0), { element }).codec).toBe(0);
  });

  test('takes the tensor codec only for what is as large as a piece', () => {
    const plain = new Uint8Array(4_194_305);
    plain.set(gaussian('BF16', 4_194_304));
    expect(encodeFrame(plain, { element: { dtype: 'BF16', unit: 2 } }).codec).toBe(1);
    expect(encodeFrame(plain.subarray(1), { element: { dtype: 'BF16', unit: 2 } }).codec).toBe(2);
  });
});
