/** Many small files, one large JSONL and configurations, in two states: an edit later a hundredth of the files changed. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { State } from './model-files.ts';
import { placedFile } from './placed-file.ts';
import { randomSource } from './random-source.ts';
import { type LineMaker, lineMaker } from './words.ts';

export interface SmallFilesOptions {
  readonly seed: number;
  readonly files: number;
  readonly lines: number;
  readonly configs: number;
  readonly states: readonly State[];
}

const minBytes = 200;
const maxBytes = 9000;
/** The line that the edit inserts stands before this one. */
const insertedAt = 1000;
const droppedLines = 5;
const streams = { files: 21, changed: 22 };

/** Writes `STATE/{data/train.jsonl,data/files/…,configs/…}` below `folder`. */
export function writeSmallFiles(folder: string, options: SmallFilesOptions): void {
  const lines = lineMaker(options.seed);
  for (const state of options.states) {
    const place = join(folder, state);
    mkdirSync(join(place, 'data'), { recursive: true });
    writeLines(join(place, 'data/train.jsonl'), options.lines, { lines, state });
    writeSamples(join(place, 'data/files'), { seed: options.seed, files: options.files, lines, state });
    writeConfigs(join(place, 'configs'), options.configs, state);
  }
}

/** The samples only: half of each is noise and the other half text. */
export function writeSamples(
  folder: string,
  {
    files,
    lines,
    perFolder = 500,
    seed,
    state = 'base',
  }: {
    readonly seed: number;
    readonly files: number;
    readonly lines: LineMaker;
    /** Files in one folder; 500 unless given. */
    readonly perFolder?: number;
    readonly state?: State;
  },
): void {
  const buffer = Buffer.alloc(maxBytes + lines.maxBytes);
  let place = folder;
  for (let number = 0; number < files; number += 1) {
    if (number % perFolder === 0) {
      place = join(folder, String(number / perFolder).padStart(4, '0'));
      mkdirSync(place, { recursive: true });
    }
    const isChanged = state === 'next' && number % 97 === 0;
    const random = randomSource(seed, isChanged ? streams.changed : streams.files, number);
    const half = Math.floor((minBytes + random.below(maxBytes - minBytes)) / 2);
    random.fillBytes(buffer.subarray(0, half));
    // As no file begins that programs know: of fifty thousand one would else look like a pickle.
    buffer[0] = 0;
    const end = Math.min(lines.write(number, buffer, half) - 1, half * 2);
    writeFileSync(join(place, `sample_${String(number).padStart(6, '0')}.bin`), buffer.subarray(0, end));
  }
}

function writeLines(
  path: string,
  count: number,
  { lines, state }: { readonly lines: LineMaker; readonly state: State },
): void {
  const file = placedFile(path);
  const buffer = Buffer.alloc((1 << 20) + lines.maxBytes);
  let used = 0;
  let position = 0;
  const flush = (): void => {
    file.write(position, buffer.subarray(0, used));
    position += used;
    used = 0;
  };
  for (let number = 0; number < count; number += 1) {
    if (state === 'next' && number === insertedAt)
      used += buffer.write('{"id": -1, "prompt": "inserted"}\n', used, 'latin1');
    if (state === 'next' && number >= count - droppedLines) break;
    used = lines.write(number, buffer, used);
    if (used >= 1 << 20) flush();
  }
  flush();
  file.close();
}

function writeConfigs(folder: string, count: number, state: State): void {
  const domains = ['healthcare', 'finance', 'education', 'legal'];
  for (const domain of domains) mkdirSync(join(folder, domain), { recursive: true });
  for (let number = 0; number < count; number += 1) {
    const domain = domains[number % domains.length] ?? '';
    const rate = 2e-5 * (1 + (number % 3)) * (state === 'next' && number % 50 === 0 ? 2 : 1);
    const text = `domain: ${domain}\nlr: ${rate}\nepochs: ${number % 9}\nmodel:\n  base: llama\n  lora_r: ${2 ** (number % 6)}\n`;
    writeFileSync(join(folder, domain, `train_${String(number).padStart(4, '0')}.yaml`), text);
  }
}
