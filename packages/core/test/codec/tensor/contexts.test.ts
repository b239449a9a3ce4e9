/** Frames of version 2: streams with contexts, numbers of blocks as symbols, numbers that are foretold. */
import { twinContexts, twinDifferences, twinStreams } from '@mbk/kernels';
import { blockOf, type Dtype } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame } from '../../../src/codec/encode-frame.ts';
import type { Encoded } from '../../../src/codec/frame-codec.ts';
import { decodeFrame } from '../../../src/codec/registry.ts';
import { plannedCodec } from '../../../src/codec/tensor.ts';
import { choosePlan } from '../../../src/codec/tensor/choose-plan.ts';
import { plansFor, type TensorPlan } from '../../../src/codec/tensor/plan.ts';
import { segmentBytes, workspaceBytes, workspaceIn } from '../../../src/codec/tensor/workspace.ts';
import { gaussian } from '../gaussian.ts';

// prettier-ignore
const dtypes: readonly Dtype[] = [
  'BF16', 'F16', 'F32', 'F64', 'F8_E4M3', 'I8', 'I16', 'U16', 'I32', 'U32', 'I64', 'BOOL', 'F4', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1',
  'Q8_0', 'Q8_1', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_K', 'IQ1_S', 'IQ2_XXS', 'IQ3_S', 'IQ4_NL', 'IQ4_XS', 'TQ1_0', 'MXFP4',
  'NVFP4',
];

const what = 'frame 0 of a pack';

function encoded(plain: Uint8Array, plan: TensorPlan): Encoded {
  const { stored, parameters } = plannedCodec(plan).encode(plain);
  return { stored: stored.slice(), parameters };
}

function restored({ stored, parameters }: Encoded, plainLength: number): Uint8Array {
  return decodeFrame(2, stored, { plainLength, parameters, what });
}

function expectBack(plain: Uint8Array, plan: TensorPlan): Encoded {
  const frame = encoded(plain, plan);
  expect(Buffer.compare(restored(frame, plain.length), plain)).toBe(0);
  expect(plannedCodec(plan).gives?.(plain, frame, what)).toBe(true);
  return frame;
}

/** Bytes as blocks and floats have them: some alike, some of any kind. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc.array(fc.constantFrom(7, 7, 7, 8, 9, 200), { maxLength: 3000 }).map((bytes) => Uint8Array.from(bytes)),
  fc
    .array(fc.constantFrom(0, 0x8000, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff, 1, 0x8001, 0x3f80), { maxLength: 1500 })
    .map((words) => new Uint8Array(Uint16Array.from(words).buffer)),
  fc.tuple(fc.nat(1000), fc.nat(5)).map(([from, step]) => {
    return new Uint8Array(Float32Array.from({ length: 700 }, (_, i) => (from + step * i) / 64).buffer);
  }),
);

describe('frames of version 2', () => {
  test.each(dtypes)('%s: all bytes come back by every plan, and take at most a little more', (dtype) => {
    const unit = blockOf(dtype).bytes;
    const plans = plansFor({ dtype, unit, row: 12 * unit }, true);
    fc.assert(
      fc.property(content, (plain) => {
        for (const plan of plans) {
          const { stored } = expectBack(plain, plan);
          if (plan.order === 0) expect(stored.length).toBeLessThanOrEqual(plain.length + 400);
        }
      }),
      { numRuns: 6 },
    );
  });

  test.each(['BF16', 'F32', 'Q2_K'] as const)('%s: several segments and a rest', (dtype) => {
    const unit = blockOf(dtype).bytes;
    const plain = gaussian('BF16', 2 * segmentBytes + 2 * unit - 1);
    for (const plan of plansFor({ dtype, unit, row: 100 * unit }, true)) expectBack(plain, plan);
  });

  test('rows as long as they may be, and a history that reaches over a segment', () => {
    const plain = gaussian('F32', 2 * segmentBytes + 40);
    for (const row of [16_384, 16_388, 16_380]) {
      const plans = plansFor({ dtype: 'F32', unit: 4, row }, true).filter(({ order }) => order === 3);
      expect(plans.map(({ distance }) => distance)).toEqual(row > 16_384 ? [1] : [row / 4, 1]);
      for (const plan of plans) expectBack(plain, plan);
    }
  });

  test('the plain twins of the kernels encode to the same bytes and decode them', () => {
    const bytes = new Uint8Array(workspaceBytes);
    const twins = workspaceIn({ ...twinStreams(bytes), ...twinContexts(bytes), ...twinDifferences(bytes) });
    for (const dtype of ['F32', 'Q4_K'] as const) {
      const element = { dtype, unit: blockOf(dtype).bytes, row: 40 * blockOf(dtype).bytes };
      const plain = gaussian('BF16', 9001);
      for (const plan of plansFor(element, true)) {
        const codec = plannedCodec(plan, () => twins);
        const byTwins = codec.encode(plain);
        expect({ ...byTwins, stored: byTwins.stored.slice() }).toEqual(encoded(plain, plan));
        expect(codec.gives?.(plain, encoded(plain, plan), what)).toBe(true);
      }
    }
  });
});

describe('what is chosen', () => {
  const length = (plain: Uint8Array, plan: TensorPlan | undefined): number =>
    plan === undefined ? Infinity : encoded(plain, plan).stored.length;

  test('rows on lines and parabolas are foretold, also by the fast setting where there are rows', () => {
    const smooth = Float32Array.from({ length: 256 * 300 }, (_, i) => {
      const [row, column] = [Math.floor(i / 256), i % 256];
      return Math.sin(column) + (row * Math.cos(3 * column)) / 500;
    });
    const plain = new Uint8Array(smooth.buffer);
    const element = { dtype: 'F32', unit: 4, row: 1024 };
    const plan = choosePlan(plain, element, false);
    expect(plan).toMatchObject({ order: 2, distance: 256, contexts: false });
    expect(length(plain, plan)).toBeLessThan(0.4 * plain.length);
    expect(length(plain, choosePlan(plain, element, true))).toBeLessThan(length(plain, plan));
    expect(choosePlan(plain, { dtype: 'F32', unit: 4 }, false)).toMatchObject({ order: 0 });
  });

  test('weights are not foretold', () => {
    const element = { dtype: 'BF16', unit: 2, row: 1024 };
    for (const isBest of [false, true]) {
      expect(choosePlan(gaussian('BF16', 300_000), element, isBest)).toMatchObject({ order: 0, contexts: isBest });
    }
  });

  test('numbers that count up take next to nothing', () => {
    const plain = new Uint8Array(Int32Array.from({ length: 50_000 }, (_, i) => 5 + 3 * i).buffer);
    expect(length(plain, choosePlan(plain, { dtype: 'I32', unit: 4 }, true))).toBeLessThan(600);
  });

  test('what the scales of a block say of its numbers is used', () => {
    // Weights around 0, each group with a scale and a minimum of its own: the numbers lie around m / s.
    const plain = new Uint8Array(144 * 600);
    const noise = gaussian('noise', plain.length, 5);
    for (let block = 0; block < 600; block += 1) {
      const at = 144 * block;
      plain.set([0, 0x3c, 0, 0x3c], at);
      for (let j = 0; j < 4; j += 1) {
        plain[at + 4 + j] = 4;
        plain[at + 8 + j] = (noise[at + j] ?? 0) & 31;
        plain[at + 12 + j] = 4 | (((noise[at + 4 + j] ?? 0) & 15) << 4);
      }
      for (let k = 0; k < 128; k += 1) {
        const numberOf = (group: number): number => {
          const m = group < 4 ? (plain[at + 8 + group] ?? 0) : (plain[at + 8 + group] ?? 0) >> 4;
          return Math.min(15, Math.max(0, Math.floor(m / 4) + ((noise[at + k] ?? 0) & 3)));
        };
        const group = 2 * Math.floor(k / 32);
        plain[at + 16 + k] = numberOf(group) | (numberOf(group + 1) << 4);
      }
    }
    const [, singles] = plansFor({ dtype: 'Q4_K', unit: 144 }, true);
    expect(singles).toBeDefined();
    const { stored } = singles === undefined ? { stored: plain } : expectBack(plain, singles);
    expect(stored.length).toBeLessThan(0.63 * plain.length);
  });

  test('best makes no more of anything than fast does, but for a few bytes', () => {
    for (const dtype of ['BF16', 'F16', 'F32'] as const) {
      const element = { dtype, unit: blockOf(dtype).bytes };
      const plain = gaussian(dtype, 200_000);
      const fast = encodeFrame(plain, { element }).stored.length;
      expect(encodeFrame(plain, { element, compression: 'best' }).stored.length).toBeLessThanOrEqual(fast + 64);
    }
  });
});

describe('frames of version 2 that are malformed', () => {
  const elements = [
    { dtype: 'BF16', unit: 2, row: 200 },
    { dtype: 'F32', unit: 4, row: 400 },
    { dtype: 'Q4_K', unit: 144 },
    { dtype: 'Q6_K', unit: 210 },
  ];
  const frames = elements.flatMap((element) => {
    const plain = gaussian('BF16', 12_000);
    return plansFor(element, true).map((plan) => ({ plain, frame: encoded(plain, plan), name: element.dtype, plan }));
  });

  test.each(frames)('$name $plan.order: damage ends in an error or in the right length', ({ plain, frame }) => {
    const part = fc.constantFrom('stored', 'parameters');
    fc.assert(
      fc.property(part, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (which, where, mask, isEarly) => {
        const bytes = frame[which];
        const damaged = bytes.slice();
        const place = (isEarly ? where % 200 : where) % bytes.length;
        damaged[place] = (damaged[place] ?? 0) ^ mask;
        let { length } = plain;
        try {
          ({ length } = restored({ ...frame, [which]: damaged }, plain.length));
        } catch (error) {
          expect(error).toMatchObject({ code: 'value-invalid' });
        }
        expect(length).toBe(plain.length);
      }),
      { numRuns: 40 },
    );
  });

  test('noise ends in an error or in the right length', () => {
    const parameters = fc
      .tuple(fc.nat(23), fc.nat(4), fc.nat(5000))
      .map(([transform, order, distance]) => Uint8Array.of(2, transform, order, distance & 255, distance >> 8));
    const noise = fc
      .tuple(fc.nat(6), fc.uint8Array({ maxLength: 2000 }))
      .map(([mode, rest]) => Uint8Array.of(mode, ...rest));
    fc.assert(
      fc.property(parameters, noise, fc.nat(5000), (given, bytes, length) => {
        try {
          expect(restored({ stored: bytes, parameters: given }, length).length).toBe(length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'value-invalid' });
        }
      }),
      { numRuns: 200 },
    );
  });

  test('parameters that fit no transform', () => {
    const bad = [
      [2, 1, 0, 0],
      [2, 1, 1, 1, 0],
      [2, 1, 0, 1, 0],
      [2, 19, 0, 1, 0],
      [2, 19, 4, 1, 0],
      [2, 19, 1, 0, 0],
      [2, 19, 1, 0, 255],
      [2, 22, 0, 0, 0],
      [2, 8, 0, 0, 0, 0],
      [2, 0, 0, 0, 0],
      [3, 1, 0, 0, 0],
      [1, 8],
      [1, 19],
    ];
    for (const parameters of bad) {
      const read = (): unknown =>
        restored({ stored: new Uint8Array(100), parameters: Uint8Array.from(parameters) }, 99);
      expect(read).toThrow(expect.objectContaining({ code: 'value-invalid' }));
    }
  });
});
