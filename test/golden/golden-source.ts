/**
 * The source of the golden repository: a small lab with every kind of thing that the format can hold, the same bytes
 * whenever it is made.
 */

import { chmodSync, linkSync, lutimesSync, mkdirSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ggufFile } from '../assets/gguf-file.ts';
import { safetensorsFile } from '../assets/safetensors-file.ts';
import { uniformNumbers, weights, type AssetTensor } from '../assets/tensor.ts';
import { torchZipFile } from '../assets/torch-zip-file.ts';

/** 2025-01-01 08:00:00 UTC, when the golden lab's files were last changed, in milliseconds since 1970. */
export const sourceTime: number = Date.UTC(2025, 0, 1, 8);

/** The lab as the first run finds it. */
export function makeGoldenSource(root: string): void {
  const tensors = model(1);
  write(root, 'healthcare/models/base.gguf', ggufFile({ metadata: { 'general.architecture': { type: 'string', value: 'llama' } }, tensors }));
  write(root, 'healthcare/models/base.safetensors', safetensorsFile({ metadata: { format: 'pt' }, tensors }));
  write(root, 'healthcare/models/base.pt', torchZipFile({ tensors }));
  write(root, 'healthcare/notes/readme.md', '# Golden lab\n\nEvery byte of it is made up.\n');
  write(root, 'healthcare/notes/Ärztin ☤.txt', 'A name that is UTF-8 and not ASCII.\n');
  write(root, Buffer.from('healthcare/notes/latin1-\xe9\xff.txt', 'latin1'), 'A name that is no UTF-8.\n');
  write(root, 'healthcare/notes/line\nbreak.txt', 'A name of two lines.\n');
  write(root, 'healthcare/notes/empty', '');
  mkdirSync(join(root, 'healthcare/notes/no files here/nor here'), { recursive: true });
  write(root, 'finance/logs/steps.jsonl', steps(40_000, 7));
  write(root, 'finance/logs/run.sh', '#!/bin/sh\nexec train "$@"\n');
  chmodSync(join(root, 'finance/logs/run.sh'), 0o755);
  linkSync(join(root, 'finance/logs/run.sh'), join(root, 'finance/logs/again.sh'));
  symlinkSync('../../healthcare/models/base.gguf', join(root, 'finance/logs/model'));
  symlinkSync('/nowhere/at all', join(root, 'finance/logs/dangling'));
  write(root, 'finance/logs/sparse.bin', 'begin');
  truncateSync(join(root, 'finance/logs/sparse.bin'), 1_000_000);
  write(root, 'finance/logs/zeros.bin', Buffer.concat([Buffer.alloc(600_000), Buffer.from(steps(1000, 8)), Buffer.alloc(200_000)]));
  write(root, 'top.yaml', 'lab: golden\n');
  setTimes(root);
}

/** What the second run finds changed: a tensor, lines that were added, a file that is gone, one that is new. */
export function changeGoldenSource(root: string): void {
  const tensors = model(2);
  write(root, 'healthcare/models/base.safetensors', safetensorsFile({ metadata: { format: 'pt' }, tensors }));
  write(root, 'finance/logs/steps.jsonl', steps(40_000, 7) + steps(200, 9));
  rmSync(join(root, 'healthcare/notes/readme.md'));
  write(root, 'healthcare/notes/changes.md', 'The second tensor was trained on.\n');
  setTimes(root);
}

/** Three tensors, two of them large enough for chunks of their own; the second differs from seed to seed. */
function model(seed: number): AssetTensor[] {
  return [
    weights('blk.0.attn.weight', { shape: [256, 160], dtype: 'BF16', seed: 10 }),
    weights('blk.0.ffn.weight', { shape: [128, 136], dtype: 'F32', seed: 20 + seed }),
    weights('blk.0.norm.weight', { shape: [64], dtype: 'F32', seed: 30 }),
  ];
}

/** Lines of a training log: far over the size of one chunk, and small once compressed. */
function steps(count: number, seed: number): string {
  const random = uniformNumbers(seed);
  const line = (step: number): string => `{"step":${step},"epoch":${step >> 12},"loss":0.${Math.floor(random() * 64)},"lr":0.0002}\n`;
  return Array.from({ length: count }, (_, step) => line(step)).join('');
}

function write(root: string, path: string | Uint8Array, content: Uint8Array | string): void {
  const bytes = Buffer.from(path).toString('latin1');
  mkdirSync(wholePath(root, dirname(bytes)), { recursive: true, mode: 0o755 });
  writeFileSync(wholePath(root, bytes), content, { mode: 0o644 });
}

/** One time for everything, each folder after what is in it. */
function setTimes(root: string): void {
  for (const path of [...pathsBelow(root).toReversed(), '']) {
    lutimesSync(wholePath(root, path), sourceTime / 1000 + 0.5, sourceTime / 1000 + 0.5);
  }
}

/** Paths of everything below `root`, one character for each byte, every folder before what is in it. */
export function pathsBelow(root: string, folder = ''): string[] {
  const entries = readdirSync(wholePath(root, folder), { encoding: 'buffer', withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}${entry.name.toString('latin1')}`;
    return entry.isDirectory() ? [path, ...pathsBelow(root, `${path}/`)] : [path];
  });
}

/** What file system calls take for such a path. */
export function wholePath(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}
