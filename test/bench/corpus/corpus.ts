/**
 * The corpora of the benchmark, made from a seed and kept: a part that was made whole with the same seed and scale is
 * used again.
 */

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type State, writeCheckpoints, writeModels } from './model-files.ts';
import { writeSmallFiles } from './small-files.ts';

export type CorpusPart = 'models' | 'checkpoint' | 'files';
/** A part in one state. */
export type CorpusPiece = `${CorpusPart}/${State}`;

export interface CorpusOptions {
  readonly seed: number;
  /** 1 is about a gigabyte of models, 0.8 of checkpoint and 0.35 of files in each state. */
  readonly scale: number;
  readonly report: (text: string) => void;
}

export interface Corpus {
  /** The folder of one part in one state. */
  folderOf(part: CorpusPart, state: State): string;
}

/** Raised when the bytes that a seed makes change: corpora of before are made again. */
const revision = 4;
const width = 2048;

/** Makes the pieces below `folder` where they are not there yet. */
export function openCorpus(folder: string, pieces: readonly CorpusPiece[], options: CorpusOptions): Corpus {
  const home = join(folder, `corpus-r${revision}-seed-${options.seed}-scale-${options.scale}`);
  const markOf = (piece: CorpusPiece): string => join(home, `${piece}.whole`);
  for (const part of ['models', 'checkpoint', 'files'] as const) {
    const states = (['base', 'next'] as const).filter(
      (state) => pieces.includes(`${part}/${state}`) && !existsSync(markOf(`${part}/${state}`)),
    );
    if (states.length === 0) continue;
    options.report(`making ${part} (${states.join(', ')}) in ${home}`);
    for (const state of states) rmSync(join(home, part, state), { recursive: true, force: true });
    mkdirSync(join(home, part), { recursive: true });
    writePart(join(home, part), part, { ...options, states });
    for (const state of states) writeFileSync(markOf(`${part}/${state}`), '');
  }
  return { folderOf: (part, state) => join(home, part, state) };
}

/** What the pieces take on disk, about, in bytes. */
export function corpusBytes(pieces: readonly CorpusPiece[], scale: number): number {
  const sizes = { models: 0.98e9, checkpoint: 0.81e9, files: 0.46e9 };
  return pieces.reduce((sum, piece) => {
    const part = piece.split('/')[0] as CorpusPart;
    // A model has at least one layer.
    return sum + sizes[part] * Math.max(scale, part === 'files' ? 0 : 0.19);
  }, 0);
}

function writePart(
  folder: string,
  part: CorpusPart,
  { scale, seed, states }: CorpusOptions & { readonly states: readonly State[] },
): void {
  const layers = Math.max(1, Math.floor(8 * scale));
  switch (part) {
    case 'models':
      return writeModels(folder, { seed, states, layers, width });
    case 'checkpoint':
      // Weights of their own: stored beside the models, none of them is known already.
      return writeCheckpoints(folder, { seed: seed + 1, states, layers, width });
    case 'files':
      return writeSmallFiles(folder, {
        seed,
        states,
        files: Math.floor(50_000 * scale),
        lines: Math.floor(400_000 * scale),
        configs: Math.floor(2000 * scale),
      });
  }
}
