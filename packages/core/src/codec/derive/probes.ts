/**
 * Probes: short hashes by which the source of a tensor is found (docs/format.md, The derive codec). Of floats there is one
 * for what each recipe makes of their first elements; of a tensor that may have been made so, the one of its own bytes.
 * They only propose: what a recipe gives is compared, all of it.
 */
import { crc32 } from 'node:zlib';
import { type Recipe, recipesFor, recipesOf, type Source, sourceOf } from './recipe.ts';
import { sourceBytes } from './source-bytes.ts';
import { makeSegment, threadWorkspace } from './workspace.ts';

/** Elements that a probe is of, or as many as there are. */
export const probeElements = 2048;

/**
 * Of the first bytes of a tensor of floats, at least those of `probeElements` elements where it has so many: names of
 * recipes, each with 8 hex digits; its own type among them, for rows in another order. A variant that makes the same as
 * the one before it is left out. Undefined for another type, and where there is no element.
 */
export function probesOf(head: Uint8Array, dtype: string): Readonly<Record<string, string>> | undefined {
  const source = sourceOf(dtype);
  if (source === undefined) return undefined;
  const count = Math.min(probeElements, Math.floor(head.length / source.bytes));
  if (count === 0) return undefined;
  const probes: Record<string, string> = { [source.dtype]: hashOf(head.subarray(0, count * source.bytes)) };
  for (const recipe of recipesOf(source)) {
    // A quantised tensor has whole blocks.
    if (count % recipe.elements !== 0) continue;
    const hash = hashOf(made(head, source, recipe, count));
    if (probes[recipe.dtype] !== hash) probes[recipe.name] = hash;
  }
  return probes;
}

/** The same range of a tensor that a recipe may have made: 8 hex digits; undefined for a type that none makes. */
export function probeOf(head: Uint8Array, dtype: string): string | undefined {
  const [recipe] = recipesFor(dtype);
  if (recipe === undefined) return undefined;
  const units = Math.min(probeElements / recipe.elements, Math.floor(head.length / recipe.bytes));
  return units === 0 ? undefined : hashOf(head.subarray(0, units * recipe.bytes));
}

/** The type that a probe of this name is for: what stands before `-`. */
export function probedDtype(name: string): string {
  return name.split('-', 1)[0] ?? name;
}

function made(head: Uint8Array, source: Source, recipe: Recipe, count: number): Uint8Array {
  const units = count / recipe.elements;
  return makeSegment(threadWorkspace(), sourceBytes([head], 0), { source, recipe, units });
}

function hashOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}
