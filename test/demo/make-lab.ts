/**
 * A small lab of two domains: structurally real GGUF, safetensors and PyTorch files, JSONL and YAML, the same bytes for
 * the same seed. About 21 MiB.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ggufFile } from '../assets/gguf-file.ts';
import { safetensorsFile } from '../assets/safetensors-file.ts';
import { uniformNumbers, weights, type AssetTensor } from '../assets/tensor.ts';
import { text, tinyKeys, u32 } from '../assets/tiny-gguf.ts';
import { torchZipFile } from '../assets/torch-zip-file.ts';

export const labDomains = ['healthcare', 'finance'] as const;

/** Makes the lab below `folder`. */
export function makeLab(folder: string, seed = 1): void {
  for (const [number, domain] of labDomains.entries()) {
    const tensors = modelOf(seed * 100 + number);
    write(folder, `models/${domain}-base.gguf`, ggufOf(domain, tensors, seed * 100 + number));
    write(folder, `models/${domain}-base.safetensors`, safetensorsFile({ metadata: { format: 'pt' }, tensors }));
    write(
      folder,
      `checkpoints/${domain}_checkpoint_100.pth`,
      torchZipFile({ tensors: checkpointOf(seed * 100 + number, 100) }),
    );
    write(folder, `data/training/${domain}/train.jsonl`, trainingLines(domain, 4000, seed * 100 + number));
    write(folder, `configs/${domain}.yaml`, `domain: ${domain}\nlr: 2.0e-5\nepochs: 3\nlora:\n  r: 16\n`);
  }
  write(folder, 'configs/trinity/system.yaml', 'gateway: trinity\nworkers: 4\n');
}

/** What a day of work changes: one training step, a few records, one setting. */
export function changeLab(folder: string, seed = 1): void {
  const [domain] = labDomains;
  write(folder, `checkpoints/${domain}_checkpoint_101.pth`, torchZipFile({ tensors: checkpointOf(seed * 100, 101) }));
  write(
    folder,
    `data/training/${domain}/train.jsonl`,
    `${trainingLines(domain, 4000, seed * 100)}${trainingLines(domain, 20, 9)}`,
  );
  write(folder, `configs/${domain}.yaml`, `domain: ${domain}\nlr: 1.0e-5\nepochs: 3\nlora:\n  r: 32\n`);
}

function modelOf(seed: number): AssetTensor[] {
  return Array.from({ length: 4 }, (_, block) => [
    weights(`blk.${block}.ffn_up.weight`, { shape: [512, 512], dtype: 'BF16', seed: seed * 10 + block }),
    weights(`blk.${block}.attn_norm.weight`, { shape: [512], dtype: 'F32', seed: seed * 10 + block + 5 }),
  ]).flat();
}

/** Weights, of which one tensor changes with each step. */
function checkpointOf(seed: number, step: number): AssetTensor[] {
  return Array.from({ length: 4 }, (_, layer) =>
    weights(`layers.${layer}.weight`, {
      shape: [256, 512],
      dtype: 'F32',
      seed: layer === 0 ? seed * 1000 + step : seed * 10 + layer,
    }),
  );
}

/** With what llama.cpp wants beside the blocks. */
function ggufOf(domain: string, blocks: readonly AssetTensor[], seed: number): Uint8Array {
  const metadata = {
    ...tinyKeys,
    'general.name': text(`${domain} base`),
    'general.file_type': u32(mostlyBf16),
    'llama.embedding_length': u32(512),
    'llama.block_count': u32(4),
    'llama.feed_forward_length': u32(512),
    'llama.rope.dimension_count': u32(256),
  };
  const embedding = weights('token_embd.weight', { shape: [4, 512], dtype: 'BF16', seed });
  const norm = weights('output_norm.weight', { shape: [512], dtype: 'F32', seed });
  return ggufFile({ metadata, tensors: [embedding, ...blocks, norm] });
}

/** `llama.h`, LLAMA_FTYPE_MOSTLY_BF16. */
const mostlyBf16 = 32;

const words =
  'patient ledger dose account trial balance symptom invoice cohort audit protein market nurse policy scan fund'.split(
    ' ',
  );

function trainingLines(domain: string, count: number, seed: number): string {
  const random = uniformNumbers(seed);
  const sentence = (length: number): string =>
    Array.from({ length }, () => words[Math.floor(random() * words.length)]).join(' ');
  return Array.from(
    { length: count },
    (_, id) => `${JSON.stringify({ id, domain, prompt: sentence(12), response: sentence(24) })}\n`,
  ).join('');
}

function write(folder: string, path: string, content: Uint8Array | string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
