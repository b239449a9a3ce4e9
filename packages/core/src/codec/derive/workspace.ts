/** The memory in which the derive codec works: one a thread, made when it is first needed, and used again and again. */
import { kernelMemory, type RecipeKernels, wasmRecipes } from '@mbk/kernels';
import { once } from '../tensor/workspace.ts';
import type { Recipe, Source } from './recipe.ts';
import type { SourceBytes } from './source-bytes.ts';

/** Elements of a segment: whole blocks, and as F32 they stay in a core's second cache with all that is made of them. */
export const segmentElements = 16_384;

/** Bytes of a segment of the largest type, and room to lie as the start of other bytes does. */
const regionBytes = 4 * segmentElements + 64;

const at = { source: 0, floats: regionBytes, target: 2 * regionBytes } as const;

/** Bytes of all regions. */
export const workspaceBytes: number = 3 * regionBytes;

export interface Workspace {
  readonly kernels: RecipeKernels;
}

/** A workspace in the memory of `kernels`, which has `workspaceBytes`. */
export function workspaceIn(kernels: RecipeKernels): Workspace {
  return { kernels };
}

/** The workspace of this thread: memory to work in, nothing that a call leaves to the next. */
export const threadWorkspace: () => Workspace = once(() => workspaceIn(wasmRecipes(kernelMemory(workspaceBytes))));

/**
 * What a recipe makes of the next `units` units of a source, at most a segment, in memory that holds until the next call.
 * The source has them.
 */
export function makeSegment(
  { kernels }: Workspace,
  bytes: SourceBytes,
  { source, recipe, units }: { readonly source: Source; readonly recipe: Recipe; readonly units: number },
): Uint8Array {
  const count = units * recipe.elements;
  const given = bytes.take(kernels.bytes, at.source, count * source.bytes);
  if (source.dtype === recipe.dtype) return kernels.bytes.subarray(given, given + units * recipe.bytes);
  let floats = given;
  if (source.widen !== undefined) {
    floats = at.floats;
    source.widen(kernels, given, count, floats);
  }
  if (recipe.make === undefined) return kernels.bytes.subarray(floats, floats + units * recipe.bytes);
  recipe.make(kernels, floats, units, at.target);
  return kernels.bytes.subarray(at.target, at.target + units * recipe.bytes);
}
