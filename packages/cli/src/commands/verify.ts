import { exitCodes, findingTable, MbkError, verifyRepository } from '@mbk/core';
import type { VerifyEvent, VerifyFinding, VerifyReport } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { jobsFlag, threadOptions } from '../jobs-flag.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
import { shortId } from '../moment.ts';
import type { Styler } from '../output.ts';
import { parseAge, parsePercent } from '../parse-quantity.ts';
import { adviseOnVerify, verifyProgress } from '../progress/verify-progress.ts';
import type { VerifyProgress } from '../progress/verify-progress.ts';
import { formatBytes, formatCount, formatDuration } from '../quantities.ts';
import { wrapWords } from '../terminal-width.ts';

export default class Verify extends MbkCommand {
  static override description =
    'Checks the repository: keys, the whole log with its signatures, the index, the presence and the signed end of every ' +
    'pack, every commit, tree and list, and that everything they name is there. With --data every byte is read and every ' +
    'SHA-256 computed: only that notices a changed byte in the middle of a pack. Damage is told with the files of ' +
    'snapshots that it reaches. What is read and found right is remembered on this host: --sample reads what was not ' +
    'read for longest, --max-age what was not read for so long. Ends with exit code 20 when something is wrong.';
  static override usage = 'verify [REVISION...] [FLAGS]';
  static override examples = [
    '<%= config.bin %> verify',
    '<%= config.bin %> verify --data',
    '<%= config.bin %> verify --sample 5% --max-age 30d',
    '<%= config.bin %> verify healthcare finance/2025-01-31 --data --json',
  ];
  static override strict = false;
  static override args = {
    revision: Args.string({
      description: 'Only these snapshots; keys, log and index are always checked.',
      required: false,
    }),
  };
  static override flags = {
    data: Flags.boolean({ description: 'Read every byte: all packs, or those that the revisions need.' }),
    sample: Flags.string({
      description: 'Read every byte of so many of the packs by size: those that were not read for longest.',
      helpValue: 'PERCENT',
    }),
    'max-age': Flags.string({
      description: 'Read every byte of the packs that this host did not read for so long, such as 30d.',
      helpValue: 'AGE',
    }),
    independent: Flags.boolean({
      description: 'Compute hashes with a second, independent implementation; slow.',
    }),
    jobs: jobsFlag,
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Verify);
    const { independent, jobs } = flags;
    const sample = flags.sample === undefined ? undefined : parsePercent('--sample', flags.sample);
    const maxAgeMs = flags['max-age'] === undefined ? undefined : parseAge('--max-age', flags['max-age']);
    const data = flags.data || sample !== undefined || maxAgeMs !== undefined;
    if (flags.data && data && (sample ?? maxAgeMs) !== undefined) {
      throw new MbkError('usage-invalid', '--data reads every byte: --sample and --max-age do not fit beside it');
    }
    if (independent && !data) {
      throw new MbkError('usage-invalid', '--independent needs --data, --sample or --max-age: it is about bytes');
    }
    // Only the bytes of packs are worth threads.
    const threadsFor = { repo: flags.repo, jobs: data ? jobs : 1 };
    await this.withThreads(threadsFor, 'verify', async (repository, threads) => {
      const startedAt = Date.now();
      let progress: VerifyProgress | undefined;
      const onEvent = (event: VerifyEvent): void => {
        if (event.type === 'progress') progress = event;
        else this.tell(event.finding);
      };
      this.adviseOnInterruption(() => adviseOnVerify(progress));
      const stop = this.out.progress(verifyProgress(() => progress, Date.now));
      const request = {
        revisions: argv.map(String),
        data,
        sample,
        maxAgeMs,
        independent,
        threads,
        ...threadOptions(jobs),
      };
      const report = await verifyRepository(repository, request, { onEvent }).finally(stop);
      const { findings: _, ...summary } = report; // each was told by itself
      this.out.result({ type: 'summary', ...summary }, (__, style, columns) =>
        wrapWords(renderReport(report, Date.now() - startedAt, style), columns ?? Infinity),
      );
      if (report.errors > 0) this.endWith(exitCodes.damaged);
    });
  }

  private tell(finding: VerifyFinding): void {
    this.out.event({ type: 'finding', ...finding }, (_, style, columns) =>
      wrapWords(renderFinding(finding, style), columns ?? Infinity),
    );
  }
}

const colours = { error: 'red', warning: 'yellow', note: 'dim' } as const;
/** Files that are shown of each finding; `--json` has more. */
const shownDependents = 10;

function renderFinding(finding: VerifyFinding, style: Styler): string {
  const { severity, message, key, dependents = [], dependentsOmitted = 0 } = finding;
  const lines = [`${style(colours[severity], `${severity}:`)} ${escapeForTerminal(message)}`];
  if (key !== undefined && !message.includes(key)) lines.push(`    ${key}`);
  for (const { commit, domain, path } of dependents.slice(0, shownDependents)) {
    lines.push(`    needed by ${shortId(commit)} of ${escapeForTerminal(domain)}: ${escapePath(path) || '/'}`);
  }
  const more = Math.max(dependents.length - shownDependents, 0) + dependentsOmitted;
  if (more > 0) lines.push(`    and ${more} more`);
  return lines.join('\n');
}

function renderReport(report: VerifyReport, elapsedMs: number, style: Styler): string {
  const { counts, strays, head, errors, warnings, level, read } = report;
  const { logEntries, segments, packs, snapshots, trees, files } = counts;
  const isAll = read.packs === read.ofPacks;
  const lines = [
    `log entry ${head.n} (${head.hash.slice(0, 16)}): ${formatCount(logEntries, 'entry', 'entries')}, ${formatCount(segments, 'index segment')}, ` +
      `${formatCount(snapshots, 'snapshot')}, ${formatCount(trees, 'distinct folder')}, ${formatCount(files, 'distinct file')}`,
    `${formatCount(packs, 'pack')}, ${howRead(report)}, in ${formatDuration(elapsedMs)}`,
  ];
  const strayCount = strays.packs + strays.segments + strays.bundles + strays.states + strays.other;
  if (strayCount > 0) {
    const hint = strays.packs > 0 ? '; `mbk repair index` takes packs up' : '';
    lines.push(
      `${formatCount(strayCount, 'entry', 'entries')} (${formatBytes(strays.bytes)}) that nothing names, which is harmless${hint}`,
    );
  }
  if (warnings > 0) lines.push(style('yellow', formatCount(warnings, 'warning')));
  if (errors > 0) lines.push(style('red', `${formatCount(errors, 'error')} found`), ...nextSteps(report));
  else
    lines.push(
      style(
        'green',
        level === 'data'
          ? isAll
            ? 'No damage: every byte is as it was written.'
            : 'No damage found in what was read.'
          : 'No damage found; `--data` reads every byte.',
      ),
    );
  return lines.join('\n');
}

/** What to do about the errors, each step once, in the order of the errors. */
function nextSteps({ findings }: VerifyReport): string[] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const steps = new Map(errors.map(({ code }) => [findingTable[code].remedy, code]));
  return [...steps].map(([remedy, code]) => `Next, for ${code}: ${remedy}`);
}

function howRead({ level, read, counts }: VerifyReport): string {
  if (level === 'structure') return 'by their signed ends';
  if (read.packs === read.ofPacks) return `every byte of ${formatBytes(counts.packBytes)} read`;
  if (read.packs === 0) return 'none of them due to be read';
  return `every byte of ${read.packs} of them read, ${formatBytes(counts.packBytes)} of ${formatBytes(read.ofBytes)}`;
}
