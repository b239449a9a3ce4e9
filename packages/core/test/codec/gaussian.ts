/** `length` bytes of weights as training leaves them, of a standard deviation of 0.02; or of noise. Always the same for a seed. */
export function gaussian(kind: 'BF16' | 'F16' | 'F32' | 'noise', length: number, seed = 1): Uint8Array {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 4_294_967_297;
  };
  if (kind === 'noise') return Uint8Array.from({ length }, () => next() * 256);
  const bytes = kind === 'F32' ? 4 : 2;
  const numbers = Float32Array.from({ length: Math.ceil(length / bytes) }, () => {
    return 0.02 * Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  });
  if (kind === 'F32') return new Uint8Array(numbers.buffer, 0, length);
  if (kind === 'F16') return new Uint8Array(Float16Array.from(numbers).buffer, 0, length);
  const words = Uint16Array.from(new Uint32Array(numbers.buffer), (word) => word >>> 16);
  return new Uint8Array(words.buffer, 0, length);
}
