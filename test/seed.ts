/**
 * One seed for all property tests of a run, so that a change is judged by what it changed and not by luck. Other seeds
 * are explored with `MBK_TEST_SEED=random` (or a number); a failure prints its own seed and path in any case.
 */
import fc from 'fast-check';

const wanted = process.env['MBK_TEST_SEED'] ?? '20261128';

if (wanted !== 'random') {
  const seed = Number(wanted);
  if (!Number.isInteger(seed))
    throw new TypeError(`expected MBK_TEST_SEED to be a whole number or random, got ${wanted}`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
}
