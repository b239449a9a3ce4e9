/**
 * Writes delta-frames.json: `node --conditions=@mbk/source test/golden/make-delta-frames.ts`. Frames of codec 3 and their
 * bases, that every later version must read; what it writes may change, so these are never made again. New ones may be
 * added.
 */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeTensorDelta } from '../../packages/core/src/codec/tensor-delta.ts';
import { toHex } from '../../packages/core/src/format/bytes.ts';
import { blockOf, type Dtype } from '../../packages/plugin-sdk/src/index.ts';
import { seeded } from './vectors.ts';

interface Pair {
  readonly name: string;
  readonly plain: Uint8Array;
  readonly base: Uint8Array;
  readonly element: { readonly dtype: string; readonly unit: number };
}

/** Whole units of noise and a rest that is none, and what some of the bytes became. */
function pairOf(dtype: Dtype, bytes = 700, every = 5): Pair {
  const { bytes: unit } = blockOf(dtype);
  const length = Math.floor(bytes / unit) * unit + Math.min(unit - 1, 1);
  const noise = seeded(`delta ${dtype}`)(2 * length);
  const base = noise.slice(0, length);
  const plain = base.map((byte, i) => (i % every === 0 ? byte ^ ((noise[length + i] ?? 0) & 7) : byte));
  return { name: dtype, plain, base, element: { dtype, unit } };
}

function frameOf({ name, plain, base, element }: Pair): object {
  const encoded = encodeTensorDelta(plain, element, base);
  if (encoded === undefined) throw new Error(`expected a delta of ${name}`);
  const sha256 = createHash('sha256').update(plain).digest('hex');
  return {
    name,
    length: plain.length,
    sha256,
    base: toHex(base),
    parameters: toHex(encoded.parameters),
    stored: toHex(encoded.stored),
  };
}

// prettier-ignore
const dtypes: readonly Dtype[] = [
  'U8', 'F6_E2M3', 'F16', 'BF16', 'F32', 'F64', 'F8_E4M3', 'I16', 'I32', 'I64', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q8_1',
  'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_K', 'MXFP4', 'NVFP4', 'IQ4_XS', 'IQ3_S',
];
/** Differences that are larger where the base is smaller, and that come together: several tables. */
function tables(): Pair {
  const numbers = 6000;
  const noise = seeded('delta tables')(3 * numbers);
  const exponents = [120, 121, 121, 122];
  const base = Uint16Array.from({ length: numbers }, (_, i) => {
    const [a = 0, b = 0] = noise.subarray(3 * i);
    return ((a & 1) << 15) | ((exponents[b & 3] ?? 0) << 7) | (b >> 2);
  });
  const plain = base.map((word, i) => {
    const isWild = Math.floor(i / 700) % 2 === 0;
    const most = word & 0x80 ? 3 : isWild ? 63 : 15;
    return word + ((noise[3 * i + 2] ?? 0) & most);
  });
  return {
    name: 'tables',
    plain: new Uint8Array(plain.buffer),
    base: new Uint8Array(base.buffer),
    element: { dtype: 'BF16', unit: 2 },
  };
}

const same = pairOf('F16');
const half = pairOf('I32', 800, 1);

const frames = [
  ...dtypes.map((dtype) => pairOf(dtype)),
  tables(),
  { ...same, name: 'same', plain: same.base },
  // The first field is stored, the second the same.
  { ...half, name: 'stored', element: { dtype: 'none', unit: 2 }, plain: half.base.map((byte, i) => (i & 1 ? byte : 77 * i)) },
].map((pair) => frameOf(pair));
writeFileSync(join(import.meta.dirname, 'delta-frames.json'), `${JSON.stringify(frames, null, 1)}\n`);
