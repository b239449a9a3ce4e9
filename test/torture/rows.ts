/** The rows of the table. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../protocol/random.ts';
import { crashPoints } from './crash-points.ts';
import { crowd } from './crowd.ts';
import { damageMatrix } from './damage.ts';
import { failingWrites } from './failing-writes.ts';
import { powerCuts } from './power-cuts.ts';
import { protocol } from './protocol.ts';
import { randomKills } from './random-kills.ts';
import { rolledBack } from './rolled-back.ts';
import type { RowOptions } from './row.ts';
import { newTally, storyOf, type Tally } from './tally.ts';

/** Those that take longest first: rows run beside each other. */
export const rows = {
  'crash-points': crashPoints,
  'failing-writes': failingWrites,
  'random-kills': randomKills,
  'power-cuts': powerCuts,
  damage: damageMatrix,
  crowd: crowd,
  protocol: protocol,
  'rolled-back': rolledBack,
} as const satisfies Record<string, (options: RowOptions) => Promise<void>>;

export type RowName = keyof typeof rows;
export const rowNames = Object.keys(rows) as readonly RowName[];

/** Runs one row in a folder of its own. What it cannot cope with itself is a fault too. */
export async function runRow(
  name: RowName,
  {
    seed,
    share,
    progress = () => undefined,
  }: Pick<RowOptions, 'seed' | 'share'> & Partial<Pick<RowOptions, 'progress'>>,
): Promise<Tally> {
  const tally = newTally();
  const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), `mbk-torture-${name}-`)));
  try {
    await rows[name]({ seed, share, progress, tally, folder, random: seededRandom(seed) });
    if (tally.points === 0) tally.fault('amiss', 'no point was tried');
  } catch (error) {
    tally.fault('amiss', `the row itself failed: ${storyOf(error)}\n${error instanceof Error ? error.stack : ''}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return tally;
}
