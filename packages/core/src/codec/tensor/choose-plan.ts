/** Which way of storing elements makes least of them, by a sample from the middle. */
import type { Element } from '../../chunker/piece.ts';
import { plannedCodec } from '../tensor.ts';
import { palettePlan, plansFor, type TensorPlan } from './plan.ts';
import { isForeteller } from './transform.ts';

/** Bytes that lie together: what is foretold is so from what lies before. */
const sampleBytes = { fast: 65_536, best: 131_072 } as const;
/** What foretelling must make of what streams alone do: it is read at a third of the speed. */
const foretellingPays = 0.92;

/** The plan for these elements; undefined when there is none. */
export function choosePlan(plain: Uint8Array, element: Element, isBest: boolean): TensorPlan | undefined {
  const sample = middleOf(plain, element.unit, isBest ? sampleBytes.best : sampleBytes.fast);
  const planned = planBySample(sample, element, isBest);
  const palette = palettePlan(plain, element, isBest);
  if (planned === undefined || palette === undefined) return planned;
  return leastOf([planned, palette], (plan) => lengthOf(sample, plan))?.plan;
}

function planBySample(sample: Uint8Array, element: Element, isBest: boolean): TensorPlan | undefined {
  const [first, ...others] = plansFor(element, isBest);
  if (first === undefined || others.length === 0) return first;
  const quick = (plan: TensorPlan): number => lengthOf(sample, { ...plan, contexts: false });
  const foretellers = others.filter(({ transform }) => isForeteller(transform));
  const foretold = leastOf(foretellers, quick);
  if (foretold !== undefined && foretold.length < quick(first) * foretellingPays) return foretold.plan;
  const streams = [first, ...others.filter(({ transform }) => !isForeteller(transform))];
  return streams.length === 1 ? first : leastOf(streams, (plan) => lengthOf(sample, plan))?.plan;
}

function leastOf(
  plans: readonly TensorPlan[],
  measure: (plan: TensorPlan) => number,
): { readonly plan: TensorPlan; readonly length: number } | undefined {
  let least: { readonly plan: TensorPlan; readonly length: number } | undefined;
  for (const plan of plans) {
    const length = measure(plan);
    if (least === undefined || length < least.length) least = { plan, length };
  }
  return least;
}

function lengthOf(sample: Uint8Array, plan: TensorPlan): number {
  return plannedCodec(plan).encode(sample).stored.byteLength;
}

/** Whole units around the middle. */
function middleOf(plain: Uint8Array, unit: number, most: number): Uint8Array {
  if (plain.byteLength <= most) return plain;
  const length = Math.max(unit, most - (most % unit));
  const start = Math.floor((plain.byteLength - length) / 2);
  const from = start - (start % unit);
  return plain.subarray(from, from + length);
}
