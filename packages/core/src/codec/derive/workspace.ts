/** The memory in which the derive codec works: one a thread, made when it is first needed, and used again and again. */
import { kernelMemory, type RecipeKernels, wasmRecipes } from '@mbk/kernels';
import type { Recipe, Source } from './recipe.ts';

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

let made: Workspace | undefined;

/** The workspace of this thread: memory to work in, nothing that a call leaves to the next. */
export function threadWorkspace(): Workspace {
  made ??= workspaceIn(wasmRecipes(kernelMemory(workspaceBytes)));
  return made;
}

/** Bytes that are given out in parts, one after the other, wherever the cuts between those that hold them are. */
export interface SourceBytes {
  readonly bases: readonly Uint8Array[];
  /** The base that the next byte is in, and where in it. */
  base: number;
  offset: number;
}

/** All bytes of `bases` from `offset` on. */
export function sourceBytes(bases: readonly Uint8Array[], offset: number): SourceBytes {
  return { bases, base: 0, offset };
}

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
  const given = takeTo(kernels.bytes, bytes, count * source.bytes);
  let floats = given;
  if (source.widen !== undefined) {
    floats = at.floats;
    source.widen(kernels, given, count, floats);
  }
  if (recipe.make === undefined) return kernels.bytes.subarray(floats, floats + units * recipe.bytes);
  recipe.make(kernels, floats, units, at.target);
  return kernels.bytes.subarray(at.target, at.target + units * recipe.bytes);
}

/** Takes the next `length` bytes to the workspace; where they lie there. */
function takeTo(memory: Uint8Array, from: SourceBytes, length: number): number {
  let start = -1;
  let to = at.source;
  let left = length;
  while (left > 0) {
    const base = from.bases[from.base];
    if (base === undefined) throw new RangeError(`expected ${left} more bytes of a source`);
    const part = base.subarray(from.offset, from.offset + left);
    if (part.length === 0) {
      from.offset -= base.length;
      from.base += 1;
      continue;
    }
    if (start === -1) {
      // Lying to a word as the part does: only then V8 copies into shared memory word by word.
      to += part.byteOffset & 7;
      start = to;
    }
    memory.set(part, to);
    to += part.length;
    from.offset += part.length;
    left -= part.length;
  }
  return start;
}
