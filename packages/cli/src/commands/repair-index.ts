import { executeIndexRepair, needsIndexRepair, planIndexRepair } from '@mbk/core';
import type { IndexRepaired, IndexRepairPlan } from '@mbk/core';
import { Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
import { shortId } from '../moment.ts';
import type { Styler } from '../output.ts';
import { formatBytes, formatCount } from '../quantities.ts';

export default class RepairIndex extends MbkCommand {
  static override description =
    'Makes the index say again what the packs hold. Says first what it would do: damaged segments are made again from the ' +
    'packs, packs that no segment names are taken up, and packs that are gone from the storage are declared lost, so ' +
    'that the next snapshot of the same files stores them again. It removes nothing from the storage.';
  static override examples = ['<%= config.bin %> repair index --dry-run', '<%= config.bin %> repair index'];
  static override flags = {
    'dry-run': Flags.boolean({ description: 'Only say what would be done.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RepairIndex);
    await this.withRepository(flags.repo, async (repository) => {
      const plan = await planIndexRepair(repository);
      if (flags['dry-run'] || !needsIndexRepair(plan)) return this.out.result({ type: 'plan', ...plan }, renderPlan);
      this.out.event({ type: 'finding', plan }, (_, style) => renderPlan(plan, style));
      const done = await executeIndexRepair(repository, plan);
      this.out.result({ type: 'summary', ...done }, renderDone);
    });
  }
}

const shown = 10;

function renderPlan(plan: IndexRepairPlan, style: Styler): string {
  const lines: string[] = [];
  for (const { text, hasCopy } of plan.segments) {
    lines.push(
      `${style('yellow', 'make again:')} ${escapeForTerminal(text)} (${hasCopy ? 'from the local copy' : 'from the packs'})`,
    );
  }
  if (plan.adopt.length > 0) {
    const bytes = plan.adopt.reduce((sum, pack) => sum + pack.bytes, 0);
    lines.push(
      `${style('green', 'take up:')} ${formatCount(plan.adopt.length, 'pack')} with ${formatBytes(bytes)} that no sound segment names`,
    );
  }
  for (const { id, kind, bytes, dependents, dependentsOmitted } of plan.lost) {
    lines.push(
      `${style('red', 'declare lost:')} ${kind} pack ${id}, ${formatBytes(bytes)}, which is not in the storage`,
    );
    for (const { commit, domain, path } of dependents.slice(0, shown)) {
      lines.push(`    needed by ${shortId(commit)} of ${escapeForTerminal(domain)}: ${escapePath(path) || '/'}`);
    }
    const more = Math.max(dependents.length - shown, 0) + dependentsOmitted;
    if (more > 0) lines.push(`    and ${more} more`);
  }
  for (const { key, text } of plan.left) lines.push(`${style('dim', 'leave:')} ${key}: ${escapeForTerminal(text)}`);
  if (!needsIndexRepair(plan)) lines.push('The index needs no repair.');
  return lines.join('\n');
}

function renderDone({ entry, added, dropped, adopted, lost }: IndexRepaired, style: Styler): string {
  if (entry === null) return 'Nothing was left to do.';
  const lines = [
    `log entry ${entry}: ${formatCount(added.length, 'segment')} added, ${dropped} dropped, ${formatCount(adopted, 'pack')} read, ${lost} declared lost`,
  ];
  if (lost > 0) lines.push(style('yellow', 'Take a snapshot of the same files now: it stores again what was lost.'));
  return lines.join('\n');
}
