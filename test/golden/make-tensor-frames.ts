/**
 * Writes tensor-frames.json, and with `2` tensor-frames-2.json (version 2): `node --conditions=@mbk/source test/golden/make-tensor-frames.ts`. Frames of codec 2 that
 * every later version must read; what it writes may change, so these are never made again. New ones may be added.
 */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plannedCodec, tensorCodec } from '../../packages/core/src/codec/tensor.ts';
import { palettePlan, plansFor, type TensorPlan } from '../../packages/core/src/codec/tensor/plan.ts';
import { toHex } from '../../packages/core/src/format/bytes.ts';
import { blockOf, type Dtype } from '../../packages/plugin-sdk/src/index.ts';
import { seeded } from './vectors.ts';

/** Bytes of which some are far more frequent than others, and a rest that is no whole unit. */
function skewed(name: string, unit: number): Uint8Array {
  const noise = seeded(`tensor ${name}`)(3 * 512);
  return Uint8Array.from({ length: Math.floor(512 / unit) * unit + Math.min(unit - 1, 1) }, (_, i) => {
    const [a = 0, b = 0, c = 0] = noise.subarray(3 * i);
    return a & b & c;
  });
}

function frameOf(name: string, plain: Uint8Array, element: { readonly dtype: string; readonly unit: number }): object {
  const encoded = tensorCodec(element)?.encode(plain);
  if (encoded === undefined) throw new Error(`expected a codec for ${name}`);
  const sha256 = createHash('sha256').update(plain).digest('hex');
  const bytes = plain.length > 1000 ? {} : { plain: toHex(plain) };
  return { name, length: plain.length, sha256, ...bytes, parameters: toHex(encoded.parameters), stored: toHex(encoded.stored) };
}

const dtypes: readonly Dtype[] = ['BF16', 'F16', 'F32', 'F64', 'Q4_0', 'Q5_0', 'Q5_1', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_0', 'MXFP4'];
const again = Uint8Array.from({ length: 2 * 262_116 + 3 }, (_, i) => (i % 36 < 4 && Math.floor(i / 36) % 7 === 0 ? 1 : 0));

const frames = [
  ...dtypes.map((dtype) => frameOf(dtype, skewed(dtype, blockOf(dtype).bytes), { dtype, unit: blockOf(dtype).bytes })),
  frameOf('constant', new Uint8Array(1000).fill(7), { dtype: 'F32', unit: 4 }),
  frameOf('stored', seeded('tensor stored')(301), { dtype: 'F16', unit: 2 }),
  // Bytes 0 to 3 of the units of 36 are coded, and in the second segment with the lengths of the first.
  frameOf('again', again, { dtype: 'NVFP4', unit: 36 }),
];
/** Whose halves of bytes go up and down by one, so that contexts pay. */
function alike(name: string, unit: number): Uint8Array {
  const noise = seeded(`tensor alike ${name}`)(6000);
  let level = 8;
  const next = (bit: number): number => (level = Math.min(15, Math.max(0, level + 2 * (bit & 1) - 1)));
  return Uint8Array.from({ length: Math.floor(6000 / unit) * unit }, (_, i) => {
    const bits = noise[i] ?? 0;
    return next(bits) | (next(bits >> 1) << 4);
  });
}

function frameBy(plan: TensorPlan, about: string, plain: Uint8Array): object {
  const { stored, parameters } = plannedCodec(plan).encode(plain);
  return {
    name: `${about}transform ${plan.transform.number}, order ${plan.order}, distance ${plan.distance}, ${plain.length} bytes`,
    length: plain.length,
    sha256: createHash('sha256').update(plain).digest('hex'),
    parameters: toHex(parameters),
    stored: toHex(stored.slice()),
  };
}

/** By every plan: contexts, single numbers, and orders 1 to 3 with distances of a row and of one. */
const dtypesOfVersion2: readonly Dtype[] = [...dtypes, 'Q4_1', 'Q2_K', 'IQ4_XS', 'NVFP4', 'I8', 'I16', 'I32'];
const framesOfVersion2 = (): object[] =>
  dtypesOfVersion2.flatMap((dtype) => {
    const unit = blockOf(dtype).bytes;
    const plans = plansFor({ dtype, unit, row: 20 * unit }, true);
    return plans.flatMap((plan) => {
      const [singles] = plans.filter(({ transform }) => transform.number > 7);
      const plains = plan === (singles ?? plans[0]) ? [skewed(dtype, unit), alike(dtype, unit)] : [skewed(dtype, unit)];
      return plains.map((plain) => frameBy(plan, `${dtype}, `, plain));
    });
  });

/** Units of some of `count` values, and a rest. */
function ofValues(name: string, unit: number, count: number): Uint8Array {
  const values = seeded(`values ${name}`)(count * unit);
  const noise = seeded(`choice ${name} ${count}`)(600);
  return Uint8Array.from({ length: 300 * unit + 1 }, (_, i) => {
    const [a = 0, b = 0] = noise.subarray(2 * Math.floor(i / unit));
    return values[((a & b) % count) * unit + (i % unit)] ?? 0;
  });
}

/** Of few values, stored as symbols and with contexts. */
const framesOfPalettes = (): object[] =>
  (['F16', 'F32', 'I64'] as const).flatMap((dtype) => {
    const unit = blockOf(dtype).bytes;
    return [1, 7, 200].flatMap((count) => {
      const plain = ofValues(dtype, unit, count);
      return [false, true].flatMap((isBest) => {
        const plan = palettePlan(plain, { dtype, unit }, isBest);
        return plan === undefined ? [] : [frameBy(plan, `${count} values of ${dtype}, `, plain)];
      });
    });
  });

const [name, made] = process.argv[2] === '2' ? ['tensor-frames-2.json', [...framesOfVersion2(), ...framesOfPalettes()]] : ['tensor-frames.json', frames];
writeFileSync(join(import.meta.dirname, name), `${JSON.stringify(made, null, 1)}\n`);
