/** Ways in which the codec can store the elements of a frame, of which a sample decides (encode-frame.ts). */
import { blockOf } from '@mbk/plugin-sdk';
import type { Element } from '../../chunker/piece.ts';
import { paletteOf } from './palette.ts';
import { foretellerOf, paletteTransform, paletteNumber, singlesOf, type Transform, transformOf } from './transform.ts';
import { historyBytes } from './workspace.ts';

export interface TensorPlan {
  readonly transform: Transform;
  /** Whether streams may be coded with contexts. */
  readonly contexts: boolean;
  /** Of transforms that foretell: from how many numbers, and how far they lie apart; 0 for others. */
  readonly order: number;
  readonly distance: number;
}

/** Numbers apart at most, as a frame can say it. */
export const mostDistance = 65_535;
/** Orders at most. */
export const mostOrder = 3;

/** The ways for these elements, the plain one first; none when there is none. */
export function plansFor(element: Element, isBest: boolean): readonly TensorPlan[] {
  const transform = transformOf(element);
  if (transform === undefined) return [];
  const plain = { contexts: isBest, order: 0, distance: 0 };
  const singles = isBest ? singlesOf(element) : undefined;
  return [
    { transform, ...plain },
    ...(singles === undefined ? [] : [{ transform: singles, ...plain }]),
    ...foretellers(element, isBest),
  ];
}

/** The way of storing which of few values each unit is; undefined when they are too many. */
export function palettePlan(plain: Uint8Array, { dtype, unit }: Element, isBest: boolean): TensorPlan | undefined {
  const isNumber = blockOf(dtype)?.bytes === unit && paletteNumber(unit) !== undefined;
  const palette = isNumber ? paletteOf(plain, unit) : undefined;
  return palette && { transform: paletteTransform(palette), contexts: isBest, order: 0, distance: 0 };
}

function foretellers(element: Element, isBest: boolean): TensorPlan[] {
  const transform = foretellerOf(element);
  if (transform === undefined) return [];
  const isWhole = blockOf(element.dtype)?.bytes === element.unit;
  const row = isWhole && element.row !== undefined ? element.row / element.unit : 0;
  const distances = new Set([...(isUsable(row, element.unit) ? [row] : []), ...(isBest ? [1] : [])]);
  const orders = isBest ? [1, 2, 3] : [2];
  return [...distances].flatMap((distance) =>
    orders.map((order) => ({ transform, contexts: isBest, order, distance })),
  );
}

/** Whether numbers may lie so far apart: what they are foretold from is kept. */
export function isUsable(distance: number, unit: number): boolean {
  return (
    Number.isInteger(distance) &&
    distance > 0 &&
    distance <= mostDistance &&
    mostOrder * distance * unit <= historyBytes
  );
}
