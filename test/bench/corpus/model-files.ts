/**
 * Models and checkpoints in two states, `base` and `next`: one fine-tune later most tensors moved a little and every
 * seventh stayed frozen. All files are written in one pass over the weights, a few megabytes in memory at a time.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointSink } from './checkpoint-sink.ts';
import { ggufSink, safetensorsSink } from './model-sinks.ts';
import { randomSource } from './random-source.ts';
import { elementsOf, type TensorShape, type TensorSink } from './tensor-sink.ts';

export interface ModelSize {
  readonly layers: number;
  /** Of the embedding; a multiple of 32. */
  readonly width: number;
}

export interface ModelFilesOptions extends ModelSize {
  readonly seed: number;
  /** Those that are written; a state is the same with and without the other. */
  readonly states: readonly State[];
}

export type State = 'base' | 'next';

/** Weights that are made, moved and written at once. */
const pieceLength = 1 << 20;
/** How far a fine-tune moves weights, as a standard deviation. */
const tuning = 2e-4;
const streams = { scale: 1, weights: 2, tuning: 3, moments: 4 };

/** Writes `STATE/{base.safetensors,model-q8_0.gguf,model-q4_0.gguf}` below `folder`. */
export function writeModels(folder: string, options: ModelFilesOptions): void {
  const tensors = tensorsOf(options);
  writeStates(tensors, options, (state) => {
    const place = join(folder, state);
    mkdirSync(place, { recursive: true });
    return [
      safetensorsSink(join(place, 'base.safetensors'), tensors),
      ggufSink(join(place, 'model-q8_0.gguf'), tensors, { dtype: 'Q8_0', description: state }),
      ggufSink(join(place, 'model-q4_0.gguf'), tensors, { dtype: 'Q4_0', description: state }),
    ];
  });
}

/** Writes `base/step_000100.pt` and `next/step_000101.pt` below `folder`, of a quarter of the tensors that the models have. */
export function writeCheckpoints(folder: string, options: ModelFilesOptions): void {
  const all = tensorsOf(options);
  const tensors = all.slice(0, Math.max(3, Math.floor(all.length / 4)));
  writeStates(tensors, options, (state) => {
    const step = state === 'base' ? 100 : 101;
    mkdirSync(join(folder, state), { recursive: true });
    const seed = [options.seed, streams.moments, step];
    return [checkpointSink(join(folder, state, `step_000${step}.pt`), tensors, { seed, step })];
  });
}

/** Writes one safetensors file of about that many bytes of BF16 weights. */
export function writeWeights(path: string, { bytes, seed }: { readonly bytes: number; readonly seed: number }): void {
  const width = 2048;
  const layerBytes = 2 * (8 * width * width + width);
  const tensors = tensorsOf({ layers: Math.max(1, Math.round(bytes / layerBytes)), width });
  const sink = safetensorsSink(path, tensors);
  for (const [number, tensor] of tensors.entries())
    for (const { base, first } of tensorPieces(elementsOf(tensor), { seed, number, isBaseOnly: true }))
      sink.write(number, first, base);
  sink.finish();
}

/** The tensors of a small decoder, in the order of its files. */
export function tensorsOf({ layers, width }: ModelSize): readonly TensorShape[] {
  return Array.from({ length: layers }, (_, layer) =>
    [
      ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].map((name) => ({ name, shape: [width, width] })),
      { name: 'ffn_up', shape: [width * 2, width] },
      { name: 'ffn_down', shape: [width, width * 2] },
      { name: 'attn_norm', shape: [width] },
    ].map(({ name, shape }) => ({ name: `blk.${layer}.${name}.weight`, shape })),
  ).flat();
}

/** Hands the weights of each state to its files. */
function writeStates(
  tensors: readonly TensorShape[],
  { seed, states }: Pick<ModelFilesOptions, 'seed' | 'states'>,
  openSinks: (state: State) => readonly TensorSink[],
): void {
  const files = states.map((state) => ({ state, sinks: openSinks(state) }));
  const isBaseOnly = !states.includes('next');
  for (const [number, tensor] of tensors.entries())
    for (const piece of tensorPieces(elementsOf(tensor), { seed, number, isBaseOnly }))
      for (const { sinks, state } of files) for (const sink of sinks) sink.write(number, piece.first, piece[state]);
  for (const { sinks } of files) for (const sink of sinks) sink.finish();
}

interface WeightPiece {
  readonly first: number;
  readonly base: Float32Array;
  readonly next: Float32Array;
}

function* tensorPieces(
  elements: number,
  {
    isBaseOnly = false,
    number,
    seed,
  }: {
    readonly number: number;
    readonly seed: number;
    /** Of no use for the next state: what it gets is that of the base. */
    readonly isBaseOnly?: boolean;
  },
): Generator<WeightPiece> {
  const weights = randomSource(seed, streams.weights, number);
  const moves = randomSource(seed, streams.tuning, number);
  const deviation = 0.02 * (0.5 + randomSource(seed, streams.scale, number).uniform());
  const isFrozen = isBaseOnly || number % 7 === 0;
  for (let first = 0; first < elements; first += pieceLength) {
    const length = Math.min(pieceLength, elements - first);
    const base = new Float32Array(length);
    weights.fillNormal(base, deviation);
    const next = new Float32Array(isFrozen ? 0 : length);
    if (!isFrozen) {
      moves.fillNormal(next, tuning);
      for (let at = 0; at < length; at += 1) next[at] = (next[at] ?? 0) + (base[at] ?? 0);
    }
    yield { first, base, next: isFrozen ? base : next };
  }
}
