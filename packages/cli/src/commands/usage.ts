import { exitCodes, usageOf } from '@mbk/core';
import type { LivenessUsage, Usage as Sizes, UsageReport } from '@mbk/core';
import { Args, Flags } from '@oclif/core';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { shortId } from '../moment.ts';
import { oneDomain } from '../one-domain.ts';
import type { Styler } from '../output.ts';
import { formatBytes, formatCount } from '../quantities.ts';
import { renderTable } from '../render-table.ts';
import { wrapWords } from '../terminal-width.ts';

export default class Usage extends MbkCommand {
  static override description =
    'Tells how much the snapshots hold and what it takes. CAPTURES are the runs that took a collection, NEWEST is what the ' +
    'last of them holds. RAW is every capture whole, as if each run had made a full copy; DISTINCT is what of it is ' +
    'distinct, with its folder lists, so that it can be above RAW where files are small and few; STORED is its part of ' +
    'the packs. What two collections share counts in both, and once in their sum. Below stand what each month brought and what the storage holds. Every distinct folder list is ' +
    'read once for it. Ends with exit code 20 when something could not be read.';
  static override examples = ['<%= config.bin %> usage', '<%= config.bin %> usage healthcare --by day'];
  static override args = { domain: Args.string({ description: 'Only this domain.' }) };
  static override flags = {
    domain: Flags.string({ char: 'd', description: 'The same.', helpValue: 'DOMAIN' }),
    by: Flags.string({ description: 'Part of time of the history.', options: ['day', 'month'], default: 'month' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Usage);
    await this.withRepository(flags.repo, async (repository) => {
      let looked = { done: 0, total: 0 };
      const stop = this.out.progress(() => ({
        view: { facts: [`${looked.done} of ${formatCount(looked.total, 'collection')} counted`] },
        fields: { ...looked },
      }));
      const request = {
        domain: oneDomain(args.domain, flags.domain),
        by: flags.by === 'day' ? ('day' as const) : ('month' as const),
      };
      const onProgress = (done: number, total: number): void => void (looked = { done, total });
      const report = await usageOf(repository, request, { onProgress }).finally(stop);
      this.out.result({ type: 'summary', ...report }, renderUsage);
      if (report.problems.length > 0) this.endWith(exitCodes.damaged);
    });
  }
}

function renderUsage(report: UsageReport, style: Styler, columns: number | undefined): string {
  if (report.snapshots === 0) return 'There are no snapshots yet.';
  const { domains, liveness, periods, storage, problems } = report;
  const rows = domains.flatMap((one) => [
    ...one.collections.map(({ collection, captures, newest, ...sizes }) => [
      escapeForTerminal(one.domain),
      escapeForTerminal(collection),
      String(captures),
      formatBytes(newest),
      ...sizeCells(sizes),
    ]),
    // A sum of one row says nothing.
    ...(one.collections.length > 1 && domains.length > 1
      ? [[escapeForTerminal(one.domain), style('dim', 'together'), '', '', ...sizeCells(one)]]
      : []),
  ]);
  rows.push([style('bold', 'all'), '', '', '', ...sizeCells(report)]);
  const head = ['DOMAIN', 'COLLECTION', 'CAPTURES', 'NEWEST', 'RAW', 'DISTINCT', 'STORED'];
  const history = periods.map(({ period, snapshots, raw, added, stored }) => [
    period,
    String(snapshots),
    formatBytes(raw),
    formatBytes(added),
    formatBytes(stored),
  ]);
  const { packs, meta, index, catalogue, log, state, keys, other, total } = storage;
  const lines = [
    renderTable(head, rows, { right: [2, 3, 4, 5, 6], columns, cut: [1, 0], drop: [2, 3] }),
    '',
    renderTable(['TAKEN', 'SNAPSHOTS', 'RAW', 'NEW', 'WRITTEN'], history, { right: [1, 2, 3, 4], columns }),
    '',
    wrapWords(
      `Storage: ${formatBytes(total)}: ${formatBytes(packs)} of content, ${formatBytes(meta)} of folder lists, ` +
        `${formatBytes(index)} of index, ${formatBytes(catalogue + log + state)} of history, ${formatBytes(keys + other)} of keys and else`,
      columns ?? Infinity,
    ),
    ...renderLiveness(liveness, columns ?? Infinity),
  ];
  for (const { commit, collection, message } of problems) {
    const what = collection === null ? shortId(commit) : `${escapeForTerminal(collection)} of ${shortId(commit)}`;
    lines.push(style('red', `not counted: ${what}: ${escapeForTerminal(message)}`));
  }
  return lines.join('\n');
}

/** What of the storage no capture needs, where there is any of it. */
function renderLiveness(liveness: LivenessUsage | null, columns: number): string[] {
  if (liveness === null) return [];
  const { broken, idleBytes, isComplete, mayGo, pinned } = liveness;
  if (!isComplete)
    return [wrapWords('Nothing is said to be free to go: not all that the snapshots need could be read.', columns)];
  const sentences = [
    ...(pinned.blobs === 0
      ? []
      : [
          `Kept only because others are stored over them: ${formatCount(pinned.blobs, 'blob')}, ` +
            `${formatBytes(pinned.stored)} (${formatBytes(pinned.bytes)} plain)`,
        ]),
    ...(mayGo.packs + idleBytes === 0
      ? []
      : [
          `No snapshot needs: ${formatBytes(mayGo.bytes)} in ${formatCount(mayGo.packs, 'pack')} that may go, ` +
            `${formatBytes(idleBytes)} in packs of which a part is needed`,
        ]),
    ...(broken === 0 ? [] : [`Cannot be had: ${formatCount(broken, 'blob')} that snapshots need; see mbk verify`]),
  ];
  return sentences.map((sentence) => wrapWords(sentence, columns));
}

function sizeCells({ raw, deduplicated, stored }: Sizes): string[] {
  return [formatBytes(raw), formatBytes(deduplicated), formatBytes(stored)];
}
