/**
 * Writes derive-frames.json: `node --conditions=@mbk/source test/golden/make-derive-frames.ts`. Frames of codec 4 that
 * every later version must read; what it writes may change, so these are never made again. New ones may be added.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeDerived } from '../../packages/core/src/codec/derive.ts';
import { decodeFrame } from '../../packages/core/src/codec/registry.ts';
import { toHex } from '../../packages/core/src/format/bytes.ts';
import { blockOf, type Dtype } from '../../packages/plugin-sdk/src/index.ts';
import { seeded } from './vectors.ts';

type Floats = 'F32' | 'F16' | 'BF16';

/** The recipes by number: what each makes. */
const made: readonly Dtype[] = [
  ...(['F32', 'F16', 'BF16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_0'] as const),
  ...(['Q4_1', 'Q4_1', 'Q5_0', 'Q5_0', 'Q5_1', 'Q5_1'] as const),
];
const sources: readonly Floats[] = ['F32', 'F16', 'BF16'];
const elements = 96;

/** Numbers of one sign or the other, most of a size, some small, some with all bits of the exponent. */
function floatsOf(dtype: Floats, name: string, count = elements): Uint8Array {
  const noise = seeded(`derive ${name}`)(4 * count);
  const view = new DataView(noise.slice().buffer);
  const { bytes } = blockOf(dtype);
  for (let i = 0; i < count; i += 1) {
    const last = bytes * i + bytes - 2;
    const bits = view.getUint16(last, true);
    const exponent = i === 40 ? 0x7f80 : i % 13 === 5 ? 0 : dtype === 'F16' ? 0x2c00 : 0x3c00;
    view.setUint16(last, (bits & (dtype === 'F16' ? 0x83ff : 0x80ff)) | exponent, true);
  }
  return new Uint8Array(view.buffer, 0, bytes * count);
}

function frameOf(from: Floats, recipe: number): object {
  const dtype = made[recipe] ?? 'U8';
  const block = blockOf(dtype);
  const name = `${dtype} of ${from}, recipe ${recipe}`;
  const floats = floatsOf(from, name);
  const plainLength = (elements / block.elements) * block.bytes;
  const parameters = Uint8Array.of(1, sources.indexOf(from), recipe, 0, 0, 0, 0);
  const plain = decodeFrame(4, new Uint8Array(0), { plainLength, parameters, bases: [floats], what: name });
  return { name, bases: [toHex(floats)], length: plainLength, plain: toHex(plain), parameters: toHex(parameters), stored: '' };
}

/** Cut between bases, begun in the middle of the first, with two blocks that differ and a rest. */
function keptFrame(): object {
  const name = 'with blocks that differ and a rest';
  const floats = seeded('derive kept')(4 * 32 * 110);
  const parameters = Uint8Array.of(1, 0, 4, 0, 0, 0, 0);
  const made8 = decodeFrame(4, new Uint8Array(0), { plainLength: 34 * 110, parameters, bases: [floats], what: name });
  const plain = Uint8Array.from([...made8, 1, 2, 3]);
  for (const at of [34 * 7 + 2, 34 * 109]) plain[at] = (plain[at] ?? 0) ^ 0x55;
  const bases = [Uint8Array.from([9, 9, 9, ...floats.subarray(0, 4001)]), floats.subarray(4001)];
  const encoded = encodeDerived(plain, { dtype: 'Q8_0', unit: 34 }, { dtype: 'F32', bases, offset: 3 });
  if (encoded === undefined) throw new Error('expected a derived form');
  return {
    name,
    bases: bases.map((base) => toHex(base)),
    length: plain.length,
    plain: toHex(plain),
    parameters: toHex(encoded.parameters),
    stored: toHex(encoded.stored),
  };
}

/** Rows of 32 elements in groups of six, of the middle of the second group to the middle of the third. */
function orderedFrame(from: Floats, recipe: number, kind: 0 | 1): object {
  const dtype = made[recipe] ?? 'U8';
  const block = blockOf(dtype);
  const name = `${dtype} of ${from}, recipe ${recipe}, rows ${kind === 0 ? 'interleaved' : 'parted'}`;
  const floats = floatsOf(from, name, 32 * 6 * 3);
  const bases = [floats.subarray(blockOf(from).bytes * 32 * 6 - 5, 1000), floats.subarray(1000)];
  const plainLength = (6 * 32 * block.bytes) / block.elements;
  const parameters = Uint8Array.from([2, sources.indexOf(from), recipe, 5, 0, 0, 0, kind, 32, 0, 0, 0, 6, 0, 0, 0, 96, 0, 0, 0]);
  const plain = decodeFrame(4, new Uint8Array(0), { plainLength, parameters, bases, what: name });
  return {
    name,
    bases: bases.map((base) => toHex(base)),
    length: plainLength,
    plain: toHex(plain),
    parameters: toHex(parameters),
    stored: '',
  };
}

const ordered = [
  orderedFrame('BF16', 2, 0),
  orderedFrame('F16', 1, 1),
  orderedFrame('F32', 4, 0),
  orderedFrame('BF16', 5, 1),
];
const pairs = sources.flatMap((from) => made.flatMap((dtype, recipe) => (dtype === from ? [] : [{ from, recipe }])));
const frames = [...pairs.map(({ from, recipe }) => frameOf(from, recipe)), keptFrame(), ...ordered];
writeFileSync(join(import.meta.dirname, 'derive-frames.json'), `${JSON.stringify(frames, null, 1)}\n`);
