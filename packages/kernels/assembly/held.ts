/**
 * Zeros, which V8 cannot know. It makes a constant anew wherever it stands, in three instructions or more; the exclusive
 * or with these is one that stays in a register for all of a loop. `count` is below 2^31.
 */
export function zeroOf(count: usize): v128 {
  return i32x4.splat(<i32>count >> 31);
}
