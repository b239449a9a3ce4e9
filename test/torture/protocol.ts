/** Random schedules of the protocol's model: writers, prunes, merges, repairs and readers at once. */
import { runModel } from '../protocol/model.ts';
import { shareOf, type RowOptions } from './row.ts';

const schedules = 100_000;

export async function protocol(options: RowOptions): Promise<void> {
  const { tally, seed, progress } = options;
  const count = shareOf(schedules, options);
  progress(`${count} schedules`);
  const report = runModel({ seed, schedules: count });
  tally.point(report.schedules);
  tally.note(`${report.steps} calls`);
  const { shortest } = report;
  for (let index = 0; index < report.losses; index += 1) {
    tally.fault(
      'lost',
      `the model: ${shortest?.loss ?? ''}; shortest is schedule ${shortest?.seed ?? 0}, ${shortest?.steps ?? 0} calls`,
    );
  }
}
