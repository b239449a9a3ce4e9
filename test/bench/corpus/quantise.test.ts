import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFloats } from '../../assets/tensor.ts';
import { bytesOf } from './placed-file.ts';
import { blockLength, fromBfloats, q4BlockBytes, q8BlockBytes, toBfloats, toQ4, toQ8 } from './quantise.ts';
import { randomSource } from './random-source.ts';

const block = (values: readonly number[]): Float32Array =>
  Float32Array.from({ length: blockLength }, (_, at) => values[at] ?? 0);
const floats = fc.array(fc.float({ min: Math.fround(-1000), max: Math.fround(1000), noNaN: true }), {
  minLength: blockLength,
  maxLength: blockLength,
});
const halfAt = (bytes: Uint8Array): number => new DataView(bytes.buffer).getFloat16(0, true);

describe('BF16', () => {
  test('is what the slow encoder makes, and comes back as it was', () => {
    fc.assert(
      fc.property(floats, (values) => {
        const weights = Float32Array.from(values);
        const bfloats = new Uint16Array(weights.length);
        toBfloats(weights, bfloats);
        expect(bytesOf(bfloats)).toEqual(encodeFloats(weights, 'BF16'));
        const back = new Float32Array(weights.length);
        fromBfloats(bfloats, back);
        const again = new Uint16Array(weights.length);
        toBfloats(back, again);
        expect(again).toEqual(bfloats);
      }),
    );
  });
});

describe('Q8_0', () => {
  test('keeps each weight within half a step', () => {
    fc.assert(
      fc.property(floats, (values) => {
        const weights = block(values);
        const bytes = new Uint8Array(q8BlockBytes);
        toQ8(weights, bytes);
        const step = Math.max(...weights.map(Math.abs)) / 127;
        const numbers = new Int8Array(bytes.buffer, 2);
        for (const [at, weight] of weights.entries())
          expect(Math.abs((numbers[at] ?? 0) * step - weight)).toBeLessThanOrEqual(step * 0.5001 + 1e-30);
      }),
    );
  });

  test('rounds halves away from zero, and a block of zeros to zeros', () => {
    const bytes = new Uint8Array(q8BlockBytes);
    toQ8(block([127, 0.5, -0.5, 1.5, -1.5, 0.49, -127]), bytes);
    expect(halfAt(bytes)).toBe(1);
    expect([...new Int8Array(bytes.buffer, 2, 7)]).toEqual([127, 1, -1, 2, -2, 0, -127]);
    toQ8(block([]), bytes);
    expect(bytes).toEqual(new Uint8Array(q8BlockBytes));
  });
});

describe('Q4_0', () => {
  test('holds the first half of a block in low and the second in high half-bytes', () => {
    const bytes = new Uint8Array(q4BlockBytes);
    toQ4(block([-8, 7, 0, ...Array.from({ length: 13 }, () => 0), 1, -1]), bytes);
    expect(halfAt(bytes)).toBe(1);
    expect([...bytes.subarray(2, 6)]).toEqual([0x90, 0x7f, 0x88, 0x88]);
  });

  test('has the scale of the weight that is farthest from zero, which it keeps', () => {
    const bytes = new Uint8Array(q4BlockBytes);
    toQ4(block([2, 4]), bytes);
    expect(halfAt(bytes)).toBe(-0.5);
    expect((bytes[3] ?? 0) & 15).toBe(0);
    toQ4(block([]), bytes);
    // The scale of nothing is minus zero, in the reference too.
    expect([...bytes]).toEqual([0, 0x80, ...Array.from({ length: 16 }, () => 0x88)]);
  });
});

test('blocks stand beside each other as if each were alone', () => {
  const weights = new Float32Array(blockLength * 3);
  randomSource(1).fillNormal(weights, 0.02);
  for (const [quantise, size] of [
    [toQ8, q8BlockBytes],
    [toQ4, q4BlockBytes],
  ] as const) {
    const together = new Uint8Array(size * 3);
    quantise(weights, together);
    const last = new Uint8Array(size);
    quantise(weights.subarray(blockLength * 2), last);
    expect(together.subarray(size * 2)).toEqual(last);
  }
});
