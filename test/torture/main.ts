/**
 * `pnpm torture`: everything that must not lose a finished snapshot, tried, bounded in time, from one seed.
 *
 * It prints one line a row: points tried, and what must be zero. Ends with 1 unless all of it is. On two cores a
 * twentieth (`--share 0.05`) takes three minutes and the whole, by that, most of an hour; `--quick` tries a tenth of the
 * points, `--only ROW` one row. What is left to chance follows from `--seed N`, but for keys, salts and the moments at
 * which processes are killed.
 */
import { parseArgs } from 'node:util';
import { runTorture } from './torture.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    share: { type: 'string' },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!Number.isSafeInteger(seed)) throw new TypeError(`expected a whole number as seed, got ${values.seed}`);
const share = values.share === undefined ? (values.quick ? 0.1 : 1) : Number(values.share);
if (!(share > 0 && share <= 1)) throw new RangeError(`expected a share above 0 and up to 1, got ${values.share}`);
process.exitCode =
  (await runTorture({ seed, share, only: values.only, write: (text) => process.stdout.write(text) })) === 0 ? 0 : 1;
