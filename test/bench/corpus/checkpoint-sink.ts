/** A training checkpoint as torch.save writes it: FP32 weights and both Adam moments, in a zip of stored members. */

import { crc32 } from 'node:zlib';
import { pickleBytes, type PickleItem } from '../../assets/pickle-bytes.ts';
import { orderedDict, pickledTensor, torchZipMembers } from '../../assets/torch-zip-file.ts';
import { zipDirectory, zipMemberEnd, zipMemberHead } from '../../assets/zip-file.ts';
import { bytesOf, placedFile } from './placed-file.ts';
import { randomSource } from './random-source.ts';
import { elementsOf, type TensorShape, type TensorSink } from './tensor-sink.ts';

const groups = ['model', 'exp_avg', 'exp_avg_sq'] as const;

/**
 * Of the weights it takes all; the first moment is a tenth of them times noise from `seed`, the second the square of a
 * hundredth, as after some steps of training.
 */
export function checkpointSink(
  path: string,
  tensors: readonly TensorShape[],
  { seed, step }: { readonly seed: readonly number[]; readonly step: number },
): TensorSink {
  const lengths = tensors.map((tensor) => elementsOf(tensor) * 4);
  const storages = groups.flatMap((_, group) =>
    lengths.map((length, at): [string, { length: number }] => [`${group * tensors.length + at}`, { length }]),
  );
  const members = placedMembers(torchZipMembers(pickleOf(tensors, step), storages));
  if (members.end > 0xfffffff0) throw new RangeError(`expected a checkpoint below 4 GiB, got ${members.end} bytes`);
  const storageOf = new Map(members.placed.map((member) => [member.name, member]));
  const file = placedFile(path);
  const moments = randomSource(...seed);
  const put = (group: number, tensor: number, first: number, floats: Float32Array): void => {
    const member = storageOf.get(`archive/data/${group * tensors.length + tensor}`);
    if (member === undefined) throw new RangeError(`expected a tensor of the checkpoint, got number ${tensor}`);
    const bytes = bytesOf(floats);
    member.checksum = crc32(bytes, member.checksum);
    file.write(member.dataStart + first * 4, bytes);
  };
  return {
    write(tensor, first, weights) {
      put(0, tensor, first, weights);
      const moment = new Float32Array(weights.length);
      moments.fillNormal(moment, 0.1);
      for (let at = 0; at < moment.length; at += 1) moment[at] = (moment[at] ?? 0) * (weights[at] ?? 0);
      put(1, tensor, first, moment);
      for (let at = 0; at < moment.length; at += 1) {
        const hundredth = Math.fround((weights[at] ?? 0) * Math.fround(0.01));
        moment[at] = hundredth * hundredth;
      }
      put(2, tensor, first, moment);
    },
    finish() {
      for (const member of members.placed) {
        file.write(member.start, zipMemberHead(member));
        if (member.content !== undefined) file.write(member.dataStart, member.content);
        file.write(member.dataStart + member.length, zipMemberEnd(member));
      }
      file.write(members.end, zipDirectory(members.placed, members.end));
      file.close();
    },
  };
}

interface PlacedMember {
  readonly name: string;
  readonly method: 0;
  readonly start: number;
  readonly dataStart: number;
  readonly length: number;
  readonly packedLength: number;
  /** Of the bytes so far. */
  checksum: number;
  /** undefined: it arrives later. */
  readonly content: Uint8Array | undefined;
}

function placedMembers(members: ReturnType<typeof torchZipMembers<{ readonly length: number }>>): {
  readonly placed: readonly PlacedMember[];
  readonly end: number;
} {
  let start = 0;
  const placed = members.map(({ data, name }): PlacedMember => {
    const dataStart = start + zipMemberHead({ method: 0, name, start }).length;
    const content = data instanceof Uint8Array ? data : undefined;
    const checksum = content === undefined ? 0 : crc32(content);
    const length = data.length;
    const member = { name, method: 0 as const, start, dataStart, length, packedLength: length, checksum, content };
    start = dataStart + length + 16;
    return member;
  });
  return { placed, end: start };
}

function pickleOf(tensors: readonly TensorShape[], step: number): Uint8Array {
  const stateOf = (group: number): PickleItem => ({
    call: orderedDict,
    args: [],
    set: tensors.map((tensor, at): [string, PickleItem] => {
      const storage = { ...tensor, dtype: 'F32' as const, data: { length: elementsOf(tensor) * 4 } };
      return [tensor.name, pickledTensor(storage, `${group * tensors.length + at}`)];
    }),
  });
  return pickleBytes({
    dict: [...groups.map((name, group): [string, PickleItem] => [name, stateOf(group)]), ['step', step]],
  });
}
