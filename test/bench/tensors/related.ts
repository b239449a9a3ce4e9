/** Which other file has the tensors of a file as they were trained before, or in other words. */

import type { WeightFile } from './weight-files.ts';

/**
 * The first other file, among those before it by path, with as many tensors of the same types and lengths; none for the
 * first of its kind. Tensors that are equal do not count: the same weights in another container are no relation.
 */
export function relatedOf(file: WeightFile, files: readonly WeightFile[]): WeightFile | undefined {
  return files.find((other) => other.path > file.path === isReversed(file) && other !== file && isLike(file, other));
}

/** rife-hd comes first of its pair as it was trained, and second by name. */
function isReversed({ path }: WeightFile): boolean {
  return path.includes('-anime');
}

function isLike(file: WeightFile, other: WeightFile): boolean {
  return (
    file.tensors.length === other.tensors.length &&
    extensionOf(file) === extensionOf(other) &&
    file.tensors.every(({ dtype, length }, i) => {
      const own = other.tensors[i];
      return own?.dtype === dtype && own.length === length;
    })
  );
}

function extensionOf({ path }: WeightFile): string {
  return path.slice(path.lastIndexOf('.'));
}
