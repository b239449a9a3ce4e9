/** What model files are made of: tensors in a fixed order, whose weights arrive piece by piece. */

export interface TensorShape {
  readonly name: string;
  /** Slowest dimension first. */
  readonly shape: readonly number[];
}

/** A file in the making. */
export interface TensorSink {
  /**
   * Takes weights of the tensor of that number, in the sink's own order of tensors, from element `first` on. Pieces of one tensor come in order;
   * lengths are multiples of 32. The weights are the caller's again once it returns.
   */
  write(tensor: number, first: number, weights: Float32Array): void;
  /** Every tensor was written whole. */
  finish(): void;
}

export function elementsOf({ shape }: TensorShape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Where things of these lengths begin when each begins at a multiple of `alignment`, from `start` on. */
export function placesOf(lengths: readonly number[], start: number, alignment = 1): readonly number[] {
  let end = start;
  return lengths.map((length) => {
    const place = Math.ceil(end / alignment) * alignment;
    end = place + length;
    return place;
  });
}
