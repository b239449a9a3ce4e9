/**
 * Recipes: what bytes of one type become from the floats of another (docs/format.md, The derive codec). Floats of 16 bits
 * are widened to F32 first, so every recipe begins with F32. A number that stands for a recipe means the same for ever.
 */
import type { RecipeKernels } from '@mbk/kernels';

/** A type of floats that others are made of. */
export interface Source {
  /** In parameters. */
  readonly number: number;
  readonly dtype: string;
  /** Bytes of an element. */
  readonly bytes: number;
  /** To F32; undefined for F32 itself. */
  readonly widen?: (kernels: RecipeKernels, from: number, count: number, to: number) => void;
}

export interface Recipe {
  /** In parameters. */
  readonly number: number;
  /** In probes: the type, and after `-` the variant. */
  readonly name: string;
  /** What it makes. */
  readonly dtype: string;
  /** So many elements in so many bytes are a unit of it. */
  readonly elements: number;
  readonly bytes: number;
  /** Makes units of numbers F32; undefined for F32 itself. */
  readonly make?: (kernels: RecipeKernels, from: number, units: number, to: number) => void;
}

/** Elements of a block, of which the whole is kept where a recipe does not give it; every unit has as many or one. */
export const blockElements = 32;

const sources: readonly Source[] = [
  { number: 0, dtype: 'F32', bytes: 4 },
  { number: 1, dtype: 'F16', bytes: 2, widen: (kernels, ...range) => kernels.widenF16(...range) },
  { number: 2, dtype: 'BF16', bytes: 2, widen: (kernels, ...range) => kernels.widenBF16(...range) },
];

const float16 = { elements: 1, bytes: 2 } as const;

type Fusable = 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1';

function quantised(number: number, dtype: Fusable, bytes: number, isFused: boolean): Recipe {
  return {
    number,
    name: isFused ? `${dtype}-fused` : dtype,
    dtype,
    elements: blockElements,
    bytes,
    make: (kernels, from, units, to) => kernels[`quantise${dtype}`](from, units, to, isFused),
  };
}

/** Of several for one type, the likelier first. */
const recipes: readonly Recipe[] = [
  { number: 0, name: 'F32', dtype: 'F32', elements: 1, bytes: 4 },
  { number: 1, name: 'F16', dtype: 'F16', ...float16, make: (kernels, ...range) => kernels.roundF16(...range) },
  { number: 2, name: 'BF16', dtype: 'BF16', ...float16, make: (kernels, ...range) => kernels.roundBF16(...range) },
  { number: 3, name: 'BF16-cut', dtype: 'BF16', ...float16, make: (kernels, ...range) => kernels.cutBF16(...range) },
  {
    number: 4,
    name: 'Q8_0',
    dtype: 'Q8_0',
    elements: blockElements,
    bytes: 34,
    make: (kernels, ...range) => kernels.quantiseQ8_0(...range),
  },
  quantised(5, 'Q4_0', 18, false),
  quantised(6, 'Q4_0', 18, true),
  quantised(7, 'Q4_1', 20, false),
  quantised(8, 'Q4_1', 20, true),
  quantised(9, 'Q5_0', 22, false),
  quantised(10, 'Q5_0', 22, true),
  quantised(11, 'Q5_1', 24, false),
  quantised(12, 'Q5_1', 24, true),
];

export function sourceOf(dtype: string): Source | undefined {
  return sources.find((source) => source.dtype === dtype);
}

export function numberedSource(number: number): Source | undefined {
  return sources.find((source) => source.number === number);
}

/** The recipes that make something else of a source. */
export function recipesOf(source: Source): readonly Recipe[] {
  return recipes.filter(({ dtype }) => dtype !== source.dtype);
}

/** The recipes that make a type of any source. */
export function recipesFor(dtype: string): readonly Recipe[] {
  return recipes.filter((recipe) => recipe.dtype === dtype);
}

export function numberedRecipe(number: number): Recipe | undefined {
  return recipes.find((recipe) => recipe.number === number);
}

/** Bytes of a whole block of 32 elements. */
export function blockBytesOf({ elements, bytes }: Recipe): number {
  return (blockElements / elements) * bytes;
}
