/**
 * A training run, small and real: a network learns what another one computes, by Adam with a warm-up and a cosine decay,
 * as language models are trained. Its checkpoints change as those do: much at first, ever less later.
 */
import { uniformNumbers } from '../../assets/tensor.ts';

export interface Checkpoint {
  readonly step: number;
  readonly loss: number;
  /** Weights by name, row by row. They change with the next checkpoint. */
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly floats: Float32Array;
  }[];
}

export interface TrainingOptions {
  readonly seed: number;
  readonly checkpoints: number;
  readonly stepsEach: number;
  /** Numbers in each layer, the input first. */
  readonly widths: readonly number[];
  readonly batch?: number;
  readonly rate?: number;
}

const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];

/** The weights as they begin, and after each `stepsEach` steps. */
export function* trainingRun(options: TrainingOptions): Generator<Checkpoint> {
  const { seed, checkpoints, stepsEach, widths, batch = 8, rate = 1e-3 } = options;
  const random = normalNumbers(seed);
  const student = layersOf(widths, random);
  const teacher = layersOf(widths, normalNumbers(seed + 1));
  const steps = (checkpoints - 1) * stepsEach;
  let loss = NaN;
  for (let step = 0; step <= steps; step += 1) {
    if (step % stepsEach === 0)
      yield { step, loss, weights: student.map(({ name, shape, floats }) => ({ name, shape, floats })) };
    if (step === steps) return;
    const warm = Math.min(1, (step + 1) / stepsEach);
    const decay = 0.5 * (1 + Math.cos((Math.PI * step) / steps));
    const inputs = Float32Array.from({ length: batch * (widths[0] ?? 0) }, random);
    loss = learn(student, teacher, inputs, batch);
    for (const layer of student) adam(layer, step + 1, rate * warm * (0.1 + 0.9 * decay));
  }
}

interface Layer {
  readonly name: string;
  readonly shape: readonly [outputs: number, inputs: number];
  readonly floats: Float32Array;
  readonly gradient: Float32Array;
  /** Moments of the gradient. */
  readonly first: Float32Array;
  readonly second: Float32Array;
}

function layersOf(widths: readonly number[], random: () => number): readonly Layer[] {
  return widths.slice(1).map((outputs, number) => {
    const inputs = widths[number] ?? 0;
    const length = outputs * inputs;
    const scale = 1 / Math.sqrt(inputs);
    return {
      name: `layers.${number}.weight`,
      shape: [outputs, inputs],
      floats: Float32Array.from({ length }, () => random() * scale),
      gradient: new Float32Array(length),
      first: new Float32Array(length),
      second: new Float32Array(length),
    };
  });
}

/** Sets the gradients of `student` by one batch; the mean of its squared errors. */
function learn(student: readonly Layer[], teacher: readonly Layer[], inputs: Float32Array, batch: number): number {
  const wanted = forward(teacher, inputs, batch).at(-1) ?? inputs;
  const values = forward(student, inputs, batch);
  const output = values.at(-1) ?? inputs;
  let error = Float32Array.from(output, (value, at) => (value - (wanted[at] ?? 0)) / batch);
  const loss = output.reduce((sum, value, at) => sum + (value - (wanted[at] ?? 0)) ** 2, 0) / output.length;
  for (let number = student.length - 1; number >= 0; number -= 1) {
    const layer = student[number];
    const input = values[number];
    if (layer === undefined || input === undefined) continue;
    error = backward(layer, input, error, { batch, isFirst: number === 0 });
  }
  return loss;
}

/** The input and what each layer makes of the one before: all but the last are rectified. */
function forward(layers: readonly Layer[], inputs: Float32Array, batch: number): readonly Float32Array[] {
  const values = [inputs];
  for (const [number, { floats, shape }] of layers.entries()) {
    const [outputs, width] = shape;
    const input = values[number] ?? inputs;
    const output = new Float32Array(batch * outputs);
    for (let o = 0; o < outputs; o += 1) {
      for (let b = 0; b < batch; b += 1) {
        let sum = 0;
        for (let i = 0; i < width; i += 1) sum += (floats[o * width + i] ?? 0) * (input[b * width + i] ?? 0);
        output[b * outputs + o] = number < layers.length - 1 ? Math.max(0, sum) : sum;
      }
    }
    values.push(output);
  }
  return values;
}

/** Sets the gradient of a layer; the error of its input. */
function backward(
  { floats, gradient, shape }: Layer,
  input: Float32Array,
  error: Float32Array,
  { batch, isFirst }: { readonly batch: number; readonly isFirst: boolean },
): Float32Array<ArrayBuffer> {
  const [outputs, width] = shape;
  gradient.fill(0);
  const below = new Float32Array(batch * width);
  for (let o = 0; o < outputs; o += 1) {
    for (let b = 0; b < batch; b += 1) {
      const own = error[b * outputs + o] ?? 0;
      if (own === 0) continue;
      for (let i = 0; i < width; i += 1) {
        const at = o * width + i;
        gradient[at] = (gradient[at] ?? 0) + own * (input[b * width + i] ?? 0);
        if (!isFirst) below[b * width + i] = (below[b * width + i] ?? 0) + own * (floats[at] ?? 0);
      }
    }
  }
  // What was rectified passes nothing back.
  for (let at = 0; at < below.length; at += 1) if ((input[at] ?? 0) <= 0) below[at] = 0;
  return below;
}

/** Adam, as Kingma and Ba have it (2014, algorithm 1). */
function adam({ floats, gradient, first, second }: Layer, step: number, rate: number): void {
  const [bias1, bias2] = [1 - beta1 ** step, 1 - beta2 ** step];
  for (let at = 0; at < floats.length; at += 1) {
    const slope = gradient[at] ?? 0;
    const m = beta1 * (first[at] ?? 0) + (1 - beta1) * slope;
    const v = beta2 * (second[at] ?? 0) + (1 - beta2) * slope * slope;
    first[at] = m;
    second[at] = v;
    floats[at] = (floats[at] ?? 0) - (rate * (m / bias1)) / (Math.sqrt(v / bias2) + epsilon);
  }
}

/** Box and Muller's. */
function normalNumbers(seed: number): () => number {
  const random = uniformNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
