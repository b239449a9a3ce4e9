import { executeLogRepair, logRepairOptions, planLogRepair } from '@mbk/core';
import type { LogRepaired, LogRepairPlan } from '@mbk/core';
import { Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import type { Styler } from '../output.ts';
import { formatCount } from '../quantities.ts';

export default class RepairLog extends MbkCommand {
  static override description =
    'Mends the log: entries that are damaged in the storage are put back from the copies of this host, or declared void ' +
    'when nobody has them. Says first what it would do and what would be given up. Run it on the host that took the last ' +
    'snapshots: it has the most copies.';
  static override examples = ['<%= config.bin %> repair log --dry-run', '<%= config.bin %> repair log'];
  static override flags = {
    'dry-run': Flags.boolean({ description: 'Only say what would be done.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RepairLog);
    await this.withRepository(flags.repo, async (repository) => {
      const options = logRepairOptions(repository);
      const plan = await planLogRepair(options);
      if (flags['dry-run'] || plan.steps.every(({ kind }) => kind === 'leave')) {
        return this.out.result({ type: 'plan', ...plan }, renderPlan);
      }
      this.out.event({ type: 'finding', plan }, (_, style) => renderPlan(plan, style));
      const done = await executeLogRepair(plan, options);
      this.out.result({ type: 'summary', ...done, idleSegments: plan.idleSegments }, (value, style) =>
        renderDone(value, value.idleSegments, style),
      );
    });
  }
}

const colours = {
  restore: 'green',
  anchor: 'green',
  state: 'green',
  leave: 'dim',
  void: 'red',
  remove: 'yellow',
} as const;

function renderPlan({ steps, idleSegments }: LogRepairPlan, style: Styler): string {
  const lines = steps.map(({ kind, text }) => `${style(colours[kind], `${kind}:`)} ${escapeForTerminal(text)}`);
  if (lines.length === 0) lines.push('The log needs no repair.');
  if (steps.some(({ kind }) => kind === 'void') && idleSegments > 0) lines.push(idleText(idleSegments));
  return lines.join('\n');
}

function renderDone({ n, damage }: LogRepaired, idleSegments: number, style: Styler): string {
  const lines = [`The log goes on from entry ${n}.`];
  for (const { text } of damage) lines.push(`${style('dim', 'stays:')} ${escapeForTerminal(text)}`);
  if (idleSegments > 0) lines.push(idleText(idleSegments));
  return lines.join('\n');
}

function idleText(count: number): string {
  return `${formatCount(count, 'index segment')} in the storage ${count === 1 ? 'is' : 'are'} not live: run \`mbk repair index\` to take up what only they named.`;
}
