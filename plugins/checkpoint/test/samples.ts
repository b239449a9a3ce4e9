/** Small files of the formats that test/assets has no writer for. */

import { byteWriter } from '../../../test/assets/byte-writer.ts';
import { pickleBytes } from '../../../test/assets/pickle-bytes.ts';
import { type AssetTensor, weights } from '../../../test/assets/tensor.ts';
import { orderedDict, pickledTensor } from '../../../test/assets/torch-zip-file.ts';

const magic = Uint8Array.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);

/** A state dict as torch.save wrote it before 1.6. */
export function legacyFile(tensors: readonly AssetTensor[]): Uint8Array {
  const keys = tensors.map((_, index) => `${94_000 + index}`);
  const file = byteWriter()
    .bytes(magic, pickleBytes(1001))
    .bytes(
      pickleBytes({
        dict: [
          ['protocol_version', 1001],
          ['little_endian', true],
        ],
      }),
    )
    .bytes(
      pickleBytes({
        call: orderedDict,
        args: [],
        set: tensors.map((tensor, index) => [tensor.name, pickledTensor(tensor, keys[index] ?? '')]),
      }),
    )
    .bytes(pickleBytes({ list: keys }));
  for (const { data, shape } of tensors) {
    file
      .uint(
        shape.reduce((product, dimension) => product * dimension, 1),
        8,
      )
      .bytes(data);
  }
  return file.finish();
}

export interface NpyOptions {
  readonly descr?: string;
  /** `(2, 3)`. */
  readonly shape: string;
  readonly order?: string;
  readonly version?: 1 | 2;
}

/** An array as numpy.save writes it: 64-byte aligned. */
export function npyFile(
  data: Uint8Array,
  { descr = "'<f4'", order = 'False', shape, version = 1 }: NpyOptions,
): Uint8Array {
  const dict = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const start = version === 1 ? 10 : 12;
  const length = Math.ceil((start + dict.length + 1) / 64) * 64 - start;
  return byteWriter()
    .bytes([0x93], 'NUMPY', [version, 0])
    .uint(length, version === 1 ? 2 : 4)
    .bytes(`${dict.padEnd(length - 1)}\n`, data)
    .finish();
}

/** A pair for two modules; `rank` is that of the halves. */
export function loraTensors(rank: number): readonly AssetTensor[] {
  return ['q_proj', 'v_proj'].flatMap((module, at) => [
    weights(`base_model.model.layers.0.${module}.lora_A.weight`, { shape: [rank, 16], dtype: 'F16', seed: at }),
    weights(`base_model.model.layers.0.${module}.lora_B.weight`, { shape: [12, rank], dtype: 'F16', seed: at + 9 }),
  ]);
}

export function peftConfig(members: Readonly<Record<string, unknown>>): Uint8Array {
  const config = { peft_type: 'LORA', r: 4, lora_alpha: 8, target_modules: ['q_proj', 'v_proj'], ...members };
  return new TextEncoder().encode(JSON.stringify(config));
}

/** A field of a message: a number, or bytes with their length. */
export function field(number: number, value: number | string | Uint8Array): Uint8Array {
  if (typeof value === 'number') return Uint8Array.from([...varint(number * 8), ...varint(value)]);
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return byteWriter()
    .bytes(varint(number * 8 + 2), varint(bytes.length), bytes)
    .finish();
}

export function message(...fields: readonly Uint8Array[]): Uint8Array {
  return byteWriter()
    .bytes(...fields)
    .finish();
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

/** TensorProto.DataType. */
const onnxTypes = { F32: 1, U8: 2, I8: 3, I16: 5, I32: 6, I64: 7, BOOL: 9, F16: 10, F64: 11, BF16: 16 };

/** A model of one node and these initialisers. */
export function onnxFile(tensors: readonly AssetTensor[], more: readonly Uint8Array[] = []): Uint8Array {
  const initializers = tensors.map(({ data, dtype, name, shape }) =>
    field(
      5,
      message(...shape.map((size) => field(1, size)), field(2, onnxTypes[dtype]), field(8, name), field(9, data)),
    ),
  );
  const graph = message(field(1, message(field(4, 'Add'))), field(2, 'graph'), ...initializers, ...more);
  return message(field(1, 8), field(2, 'test'), field(7, graph), field(8, message(field(2, 17))));
}
