/**
 * One tensor has one list of blobs, whatever file it lies in, wherever it lies there and whatever is written around it;
 * and the pieces of a file are all of its bytes.
 */

import { plugin as checkpoint } from '@mbk/plugin-checkpoint';
import { plugin as gguf } from '@mbk/plugin-gguf';
import { checkLayout, layoutLimits, memoryReader } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { layoutCutter } from '../../packages/core/src/chunker/layout-cutter.ts';
import { field, legacyFile, message, npyFile, onnxFile } from '../../plugins/checkpoint/test/samples.ts';
import { ggufFile } from '../assets/gguf-file.ts';
import { pickleBytes } from '../assets/pickle-bytes.ts';
import { safetensorsFile } from '../assets/safetensors-file.ts';
import { type AssetTensor, seededBytes } from '../assets/tensor.ts';
import { pickledTensor, torchZipFile } from '../assets/torch-zip-file.ts';
import { zipFile } from '../assets/zip-file.ts';

type Dtype = AssetTensor['dtype'];
const widths: Readonly<Record<Dtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};
const numpyTypes: Partial<Record<Dtype, string>> = {
  F64: '<f8',
  F32: '<f4',
  F16: '<f2',
  I64: '<i8',
  I32: '<i4',
  I16: '<i2',
  I8: '|i1',
  U8: '|u1',
  BOOL: '|b1',
};

interface Files {
  readonly tensors: readonly AssetTensor[];
  /** Something that only moves what follows. */
  readonly note: string;
}

/** Each container that can hold these tensors, with a header that also says `note`. */
function containers({ note, tensors }: Files): Readonly<Record<string, Uint8Array>> {
  const archive = tensors.map(({ data }, index) => ({ name: `net/data/${index}`, data }));
  const pickled = tensors.map((tensor, index) => [tensor.name, pickledTensor(tensor, `${index}`)] as const);
  const hasNumpy = tensors.every(({ dtype }) => numpyTypes[dtype] !== undefined);
  const hasGguf = tensors.every(({ dtype }) => !['U8', 'BOOL', 'I16'].includes(dtype));
  const files: Record<string, Uint8Array> = {
    'm.safetensors': safetensorsFile({ tensors, metadata: { note } }),
    'zip.pt': torchZipFile({ tensors, folder: `f${note}` }),
    'legacy.pt': legacyFile([{ ...small(note), name: `z${note}` }, ...tensors]),
    'script.jit': zipFile([
      { name: 'net/code/__torch__.py', data: new TextEncoder().encode(note) },
      ...archive,
      { name: 'net/data.pkl', data: pickleBytes({ dict: pickled.map(([name, tensor]) => [name, tensor]) }) },
      { name: 'net/constants.pkl', data: pickleBytes({ tuple: [] }) },
    ]),
    'm.onnx': onnxFile(tensors, [field(10, note)]),
  };
  if (hasGguf) files['m.gguf'] = ggufFile({ tensors, metadata: { 'general.name': { type: 'string', value: note } } });
  if (hasNumpy) {
    files['m.npz'] = zipFile([
      { name: `a${note}.npy`, data: npyFile(new Uint8Array(4), { shape: '(1,)' }) },
      ...tensors.map(({ data, dtype, name, shape }) => ({
        name: `${name}.npy`,
        data: npyFile(data, { descr: `'${numpyTypes[dtype]}'`, shape: `(${shape.join(', ')},)` }),
      })),
    ]);
  }
  return files;
}

const small = (note: string): AssetTensor => ({
  name: 'small',
  dtype: 'F32',
  shape: [note.length + 1],
  data: seededBytes((note.length + 1) * 4, 1),
});

interface Cut {
  /** Of each tensor with pieces of its own: what they are and their SHA-256, by name. */
  readonly tensors: Readonly<Record<string, readonly string[]>>;
  /** Bytes that are in no tensor with pieces of its own. */
  readonly rest: number;
}

/** The file cut along its layout; throws unless its pieces are the file. */
async function cutOf(path: string, bytes: Uint8Array): Promise<Cut> {
  const plugin = path.endsWith('.gguf') ? gguf : checkpoint;
  const context = { signal: new AbortController().signal, limits: layoutLimits };
  const checked = checkLayout(await plugin.layout?.(memoryReader(path, bytes), context), bytes.length);
  if (!checked.ok) throw new Error(`${path}: ${checked.reason}`);
  const cutter = layoutCutter(checked.layout);
  const pieces = [...cutter.push(bytes), ...cutter.end()];
  const whole = Buffer.concat(pieces.map(({ length, offset }) => bytes.subarray(offset, offset + length)));
  expect(whole.equals(bytes)).toBe(true);
  const tensors: Record<string, string[]> = {};
  let rest = 0;
  for (const { element, kind, length, offset } of pieces) {
    const tensor = checked.layout.tensors.find(
      (one) => one.length > 0 && offset >= one.offset && offset < one.offset + one.length,
    );
    if (kind === 'skeleton' || tensor === undefined) rest += length;
    else {
      const id = hash('sha256', bytes.subarray(offset, offset + length));
      (tensors[tensor.name] ??= []).push(`${element?.dtype} ${element?.unit} ${length} ${id}`);
    }
  }
  return { tensors, rest };
}

function tensorOf(name: string, dtype: Dtype, rows: number, columns: number, seed: number): AssetTensor {
  const data = seededBytes(rows * columns * widths[dtype], seed);
  return { name, dtype, shape: [rows, columns], data };
}

const large = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(widths) as Dtype[])),
    rows: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat(),
  })
  .map(({ dtype, rows, seed }) => {
    const columns = Math.ceil((65_536 + (seed % 40_000)) / rows / widths[dtype]);
    return tensorOf('large.weight', dtype, rows, columns, seed);
  });
const note = fc.string({ unit: fc.constantFrom('a', 'b', '0'), minLength: 1, maxLength: 40 });

describe('the same tensor in every container', () => {
  test('has the same blobs, of the same elements, wherever it lies', async () => {
    await fc.assert(
      fc.asyncProperty(large, note, note, fc.boolean(), async (tensor, one, other, isLast) => {
        const expected = {
          [tensor.name]: (await cutOf('m.safetensors', safetensorsFile({ tensors: [tensor] }))).tensors[tensor.name],
        };
        expect(expected[tensor.name]?.length).toBeGreaterThan(0);
        for (const text of [one, other]) {
          const others = [small(text)];
          const tensors = isLast ? [...others, tensor] : [tensor, ...others];
          // Of the small ones not every container has the type that the large one has.
          const files = containers({ tensors, note: text });
          for (const [path, bytes] of Object.entries(files)) {
            const { rest, tensors: found } = await cutOf(path, bytes);
            expect([path, found]).toEqual([path, expected]);
            expect(rest).toBe(bytes.length - tensor.data.length);
          }
        }
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  test('has the same blobs where it is longer than one', async () => {
    const tensor = tensorOf('large.weight', 'F32', 3, 500_001, 7);
    const cuts = await Promise.all(
      Object.entries(containers({ tensors: [tensor], note: 'n' })).map(([path, bytes]) => cutOf(path, bytes)),
    );
    expect(cuts).toHaveLength(7);
    for (const { tensors } of cuts) expect(tensors).toEqual(cuts[0]?.tensors);
    expect(cuts[0]?.tensors['large.weight']).toHaveLength(2);
  }, 120_000);

  test('is found in an ONNX model that lists its numbers in place of their bytes', async () => {
    const tensor = tensorOf('w', 'F32', 100, 200, 3);
    const initializer = message(field(1, 100), field(1, 200), field(2, 1), field(4, tensor.data), field(8, 'w'));
    const listed = await cutOf('m.onnx', onnxFile([], [field(5, initializer)]));
    expect(listed.tensors).toEqual((await cutOf('m.onnx', onnxFile([tensor]))).tensors);
    expect(listed.tensors['w']).toHaveLength(1);
  });

  test('in column order has the blobs of its transpose', async () => {
    const tensor = tensorOf('w', 'F32', 100, 200, 3);
    const ordered = (order: string, shape: string): Uint8Array =>
      zipFile([{ name: 'w.npy', data: npyFile(tensor.data, { descr: "'<f4'", order, shape }) }]);
    const columns = await cutOf('m.npz', ordered('True', '(200, 100)'));
    expect(columns).toEqual(await cutOf('m.npz', ordered('False', '(100, 200)')));
  });

  test('with its first byte first has the same cuts, and is said to be of no known type', async () => {
    const tensor = tensorOf('w', 'F32', 100, 200, 3);
    const numpy = zipFile([{ name: 'w.npy', data: npyFile(tensor.data, { descr: "'>f4'", shape: '(100, 200)' }) }]);
    const torch = torchZipFile({ tensors: [tensor], byteOrder: 'big' });
    const expected = { w: [` 4 80000 ${hash('sha256', tensor.data)}`] };
    expect((await cutOf('m.npz', numpy)).tensors).toEqual(expected);
    expect((await cutOf('m.pt', torch)).tensors).toEqual(expected);
  });

  test('that is packed in an archive lies nowhere: the file is cut by its content', async () => {
    const data = npyFile(new Uint8Array(80_000), { descr: "'<f4'", shape: '(100, 200)' });
    const bytes = zipFile([{ name: 'w.npy', data, isDeflated: true }]);
    expect((await cutOf('m.npz', bytes)).tensors).toEqual({});
  });
});
