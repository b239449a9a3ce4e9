/** Model files of BF16 weights (safetensors) and of their quantisations (GGUF), written while the weights arrive. */

import { ggufHead } from '../../assets/gguf-file.ts';
import { safetensorsFileOf, safetensorsHeader } from '../../assets/safetensors-file.ts';
import { bytesOf, placedFile } from './placed-file.ts';
import { blockLength, fromBfloats, q4BlockBytes, q8BlockBytes, toBfloats, toQ4, toQ8 } from './quantise.ts';
import { elementsOf, placesOf, type TensorShape, type TensorSink } from './tensor-sink.ts';

/** None that programs know, which would miss a vocabulary and all that they need to run one. */
const architecture = 'bench';

const alignment = 32;

/** A safetensors file of BF16 tensors. */
export function safetensorsSink(path: string, tensors: readonly TensorShape[]): TensorSink {
  const sized = tensors.map((tensor) => ({ ...tensor, dtype: 'BF16', data: { length: elementsOf(tensor) * 2 } }));
  const head = safetensorsFileOf(safetensorsHeader({ metadata: { format: 'pt' }, tensors: sized }), []);
  const file = placedFile(path);
  file.write(0, head);
  const places = placesOf(
    sized.map(({ data }) => data.length),
    head.length,
  );
  return {
    write(tensor, first, weights) {
      const bfloats = new Uint16Array(weights.length);
      toBfloats(weights, bfloats);
      file.write((places[tensor] ?? 0) + first * 2, bytesOf(bfloats));
    },
    finish: () => file.close(),
  };
}

export interface GgufSinkOptions {
  readonly dtype: 'Q8_0' | 'Q4_0';
  readonly description: string;
}

/**
 * A GGUF file of the weights, quantised from their BF16 form as converters of a BF16 release do; tensors of one dimension
 * are kept in F32.
 */
export function ggufSink(
  path: string,
  tensors: readonly TensorShape[],
  { description, dtype }: GgufSinkOptions,
): TensorSink {
  const blockBytes = dtype === 'Q8_0' ? q8BlockBytes : q4BlockBytes;
  const isWhole = tensors.map(({ shape }) => shape.length === 1);
  const bytesFor = (tensor: number, elements: number): number =>
    isWhole[tensor] === true ? elements * 4 : (elements / blockLength) * blockBytes;
  const sized = tensors.map((tensor, at) => ({
    ...tensor,
    dtype: isWhole[at] === true ? 'F32' : dtype,
    data: { length: bytesFor(at, elementsOf(tensor)) },
  }));
  const head = ggufHead({
    alignment,
    metadata: {
      'general.architecture': { type: 'string', value: architecture },
      'general.name': { type: 'string', value: 'bench' },
      'general.description': { type: 'string', value: description },
      'general.quantization_version': { type: 'u32', value: 2 },
      'general.file_type': { type: 'u32', value: dtype === 'Q8_0' ? 7 : 2 },
      'general.alignment': { type: 'u32', value: alignment },
      [`${architecture}.context_length`]: { type: 'u32', value: 4096 },
      [`${architecture}.embedding_length`]: { type: 'u32', value: tensors[0]?.shape[0] ?? 0 },
      [`${architecture}.block_count`]: { type: 'u32', value: tensors.filter(({ shape }) => shape.length === 1).length },
    },
    tensors: sized,
  });
  const lengths = sized.map(({ data }) => data.length);
  const places = placesOf(lengths, head.length, alignment);
  const file = placedFile(path);
  file.write(0, head);
  const end = (places.at(-1) ?? head.length) + (lengths.at(-1) ?? 0);
  return {
    write(tensor, first, weights) {
      const bfloats = new Uint16Array(weights.length);
      const released = new Float32Array(weights.length);
      toBfloats(weights, bfloats);
      fromBfloats(bfloats, released);
      const bytes = isWhole[tensor] === true ? bytesOf(released) : new Uint8Array(bytesFor(tensor, weights.length));
      if (isWhole[tensor] !== true) (dtype === 'Q8_0' ? toQ8 : toQ4)(released, bytes);
      file.write((places[tensor] ?? 0) + bytesFor(tensor, first), bytes);
    },
    finish() {
      // The data is padded to a multiple, too.
      file.write(end, new Uint8Array((alignment - (end % alignment)) % alignment));
      file.close();
    },
  };
}
