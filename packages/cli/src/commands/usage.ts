import { assetUsageOf, exitCodes, usageOf } from '@mbk/core';
import type {
  AssetUsageReport,
  CollectionAssets,
  LivenessUsage,
  SavedSizes,
  Usage as Sizes,
  UsageReport,
} from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
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
    assets: Flags.boolean({
      description:
        'Of each asset, what its files would take in all captures (RAW), what they take (STORED), and what the rest is ' +
        'saved by: content that was there before (DEDUP), typed and general compression (CODED), differences to other ' +
        'tensors (DELTA), recipes in place of bytes (DERIVED).',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Usage);
    await this.withRepository(flags.repo, async (repository) => {
      let looked = { done: 0, total: 0 };
      const stop = this.out.progress(() => ({
        view: { facts: [`${looked.done} of ${formatCount(looked.total, 'collection')} counted`] },
        fields: { ...looked },
      }));
      const domain = oneDomain(args.domain, flags.domain);
      const by = flags.by === 'day' ? 'day' : 'month';
      const onProgress = (done: number, total: number): void => void (looked = { done, total });
      if (flags.assets) {
        const report = await assetUsageOf(repository, { domain }, { onProgress }).finally(stop);
        this.out.result({ type: 'summary', ...report }, renderAssetUsage);
        if (report.problems.length > 0) this.endWith(exitCodes.damaged);
        return;
      }
      const report = await usageOf(repository, { domain, by }, { onProgress }).finally(stop);
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
  return [...lines, ...renderProblems(problems, style)].join('\n');
}

function renderProblems(problems: UsageReport['problems'], style: Styler): string[] {
  return problems.map(({ commit, collection, message }) => {
    const what = collection === null ? shortId(commit) : `${escapeForTerminal(collection)} of ${shortId(commit)}`;
    return style('red', `not counted: ${what}: ${escapeForTerminal(message)}`);
  });
}

/** Assets of a collection that people see. */
const listedAssets = 20;

function renderAssetUsage(report: AssetUsageReport, style: Styler, columns: number | undefined): string {
  if (report.snapshots === 0) return 'There are no snapshots yet.';
  const rows = report.domains.flatMap(({ domain, collections }) =>
    collections.flatMap((one) => collectionRows(domain, one, style)),
  );
  rows.push([style('bold', 'all'), '', ...savedCells(report)]);
  const head = ['ASSET', 'CAPTURES', 'RAW', 'STORED', 'DEDUP', 'CODED', 'DELTA', 'DERIVED'];
  const table = renderTable(head, rows, { right: [1, 2, 3, 4, 5, 6, 7], columns, cut: [0], drop: [1, 4] });
  return [table, ...renderProblems(report.problems, style)].join('\n');
}

function collectionRows(domain: string, one: CollectionAssets, style: Styler): string[][] {
  const { assets, assetsOmitted, captures, collection, others } = one;
  const more = assets.length + assetsOmitted - Math.min(assets.length, listedAssets);
  return [
    [style('bold', escapeForTerminal(`${domain} ${collection}`)), String(captures), ...savedCells(one)],
    ...assets
      .slice(0, listedAssets)
      .map((asset) => [`  ${escapePath(asset.path)}`, String(asset.captures), ...savedCells(asset)]),
    ...(more > 0 ? [[style('dim', `  and ${formatCount(more, 'more asset')}`)]] : []),
    ...(others.raw > 0 && assets.length > 0 ? [[style('dim', '  other files'), '', ...savedCells(others)]] : []),
  ];
}

function savedCells({ raw, saved, stored }: SavedSizes): string[] {
  const coded = saved.zeros + saved.raw + saved.zstd + saved.tensor + saved.other;
  return [
    formatBytes(raw),
    formatBytes(stored),
    ...[saved.dedup, coded, saved.delta, saved.derive].map((bytes) => (bytes <= 0 ? '-' : formatBytes(bytes))),
  ];
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
