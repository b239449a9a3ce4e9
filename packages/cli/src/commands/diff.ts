import {
  bytesOfText,
  diffAssetFolders,
  diffAssets,
  diffSnapshots,
  diffTensors,
  displayBytes,
  MbkError,
  openFiles,
  storedFiles,
} from '@mbk/core';
import type { Difference, DifferenceInside, DiffReport, FolderSource, Repository, TensorDifference } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { realpathSync } from 'node:fs';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
import type { OpenedForCommand } from '../open.ts';
import { openForCommand } from '../open.ts';
import type { Styler } from '../output.ts';
import { makeExclude } from '../project/excludes.ts';
import { compileRules } from '../project/rules.ts';
import { isStream } from '../project/stream-source.ts';
import { formatBytes } from '../quantities.ts';
import { renderDifference } from '../render-difference.ts';
import { joinInside, renderInside, type InsideOfAsset, type RenderInsideOptions } from '../render-inside.ts';
import { renderTable } from '../render-table.ts';

export default class Diff extends MbkCommand {
  static override description =
    'Tells what differs between two snapshots, or between one and the project folder as it is now: A added, D removed, ' +
    'M other content, R moved, T only mode, owner or time. A file of the folder counts as unchanged when size and time ' +
    'are equal; with another time it is read. Of files that plugins know it tells what changed inside, and between two ' +
    'snapshots by how much tensors changed: the part of their elements (of quantised ones, of their blocks) that have ' +
    'other bits, and the largest and the mean difference of all of them. Paths stand behind --.';
  static override usage = 'diff BEFORE [AFTER] [--stat] [-- PATH...]';
  static override examples = [
    '<%= config.bin %> diff healthcare~1 healthcare',
    '<%= config.bin %> diff healthcare --stat',
    '<%= config.bin %> diff healthcare -- configs models/a.gguf',
  ];
  static override strict = false;
  static override args = {
    before: Args.string({ description: 'A snapshot, and after a colon a folder or file in it.', required: true }),
    after: Args.string({ description: 'Another one; the project folder unless given.', required: false }),
  };
  static override flags = {
    stat: Flags.boolean({ description: 'Sums by collection in place of single paths.' }),
    'no-inside': Flags.boolean({ description: 'Only paths, not what changed inside of assets.' }),
  };

  async run(): Promise<void> {
    // Behind `--` stand paths; before it at most two revisions.
    const end = this.argv.indexOf('--');
    const paths = end === -1 ? [] : this.argv.slice(end + 1);
    const { flags, argv } = await this.parse(Diff, end === -1 ? this.argv : this.argv.slice(0, end));
    const [before, after, ...others] = argv.map(String);
    if (before === undefined || others.length > 0)
      throw new MbkError('usage-invalid', 'diff takes one or two revisions; paths stand behind --');
    const opened = await openForCommand(this.context(flags.repo));
    try {
      const other = after ?? projectFolder(opened, before);
      const report = await diffSnapshots(opened.repository, { before, after: other, paths });
      for (const { path, message } of report.problems) this.out.notice(`${escapePath(path)}: ${message}`);
      const inside = flags.stat || flags['no-inside'] ? [] : await this.inside(opened, report, before, other);
      const isDeep = !flags.stat && !flags['no-inside'];
      const tensors =
        isDeep && typeof other === 'string' ? await this.tensors(opened.repository, report, [before, other]) : [];
      const value = flags.stat ? report : { ...report, inside, tensors };
      const assets = joinInside(inside, tensors);
      this.out.result(
        value,
        flags.stat ? renderStat : (_, style, columns) => renderDiff(report, assets, { style, columns }),
      );
    } finally {
      await opened.repository.close();
    }
  }

  /** By how much the tensors of files changed. */
  private async tensors(
    repository: Repository,
    report: DiffReport,
    [before, after]: readonly [string, string],
  ): Promise<readonly TensorDifference[]> {
    if (!report.differences.some(({ kind, type }) => type === 'file' && kind === 'modified')) return [];
    let compared = 0;
    // What a program reads is one object.
    const stop = this.out.json
      ? (): void => undefined
      : this.out.progress(() => ({
          view: { facts: [`${formatBytes(compared)} of tensors compared`] },
          fields: { compared },
        }));
    const onProgress = (bytes: number): void => void (compared += bytes);
    try {
      const sides = { before: await openFiles(repository, before), after: await openFiles(repository, after) };
      const tensors: TensorDifference[] = [];
      for await (const one of diffTensors(repository, report, { ...sides, onProgress })) tensors.push(one);
      return tensors;
    } finally {
      stop();
    }
  }

  /** What plugins say of the folders and files that changed. */
  private async inside(
    { config, repository }: OpenedForCommand,
    report: DiffReport,
    before: string,
    after: string | FolderSource,
  ): Promise<readonly DifferenceInside[]> {
    const files = report.differences.filter(({ kind, type }) => type === 'file' && kind !== 'metadata');
    if (files.length === 0) return [];
    const stored = storedFiles(repository);
    const root = typeof after === 'string' ? undefined : after.root;
    const { handlers } = stored;
    const isUrgent = files.some(({ kind }) => kind === 'modified');
    const host = await this.openPlugins({ config, root, handlers, isUrgent });
    try {
      const left = await openFiles(repository, before);
      const right = typeof after === 'string' ? await openFiles(repository, after) : { root: after.root };
      const inside: DifferenceInside[] = [];
      const sides = { host, stored, before: left, after: right };
      for await (const one of diffAssetFolders(repository, report, sides)) inside.push(one);
      for await (const one of diffAssets(repository, report, sides)) inside.push(one);
      return inside;
    } finally {
      await host.close();
    }
  }
}

/** The project as a snapshot would take it, as far as it belongs to the domain of the revision. */
function projectFolder({ config, repository, folder }: OpenedForCommand, revision: string): FolderSource {
  if (config === undefined) {
    throw new MbkError('usage-invalid', `there is no mbk.yaml here that says what to compare ${revision} with`, {
      remedy: 'Name a second revision, or run it in the folder of a project.',
    });
  }
  const root = realpathSync(config.root);
  const { domain } = repository.resolve(revision);
  const assign = compileRules(config);
  const exclude = makeExclude({ root, patterns: config.exclude, never: [folder], includeVcs: false });
  return {
    root: bytesOfText(root),
    exclude: (path, isDirectory) => exclude(displayBytes(path), isDirectory),
    isPart: (path) => assign(displayBytes(path)).domain === domain,
    holds: (collection) => !isStream(config, collection),
  };
}

function renderDiff(report: DiffReport, assets: readonly InsideOfAsset[], options: RenderInsideOptions): string {
  const lines = report.differences.map((one) => renderDifference(one, options.style));
  const details = assets.map((one) => renderInside(one, options)).filter((of) => of.length > 0);
  return [
    ...lines,
    ...details.flatMap((of) => ['', ...of]),
    ...(lines.length === 0 ? [] : ['']),
    totalsLine(report),
  ].join('\n');
}

function renderStat(report: DiffReport, _: Styler, columns: number | undefined): string {
  const byCollection = Map.groupBy(report.differences, ({ collection }) => collection ?? '(folder)');
  const count = (rows: readonly Difference[], kind: Difference['kind']): string =>
    String(rows.filter((one) => one.kind === kind).length);
  const sum = (
    rows: readonly Difference[],
    kinds: readonly Difference['kind'][],
    field: 'sizeBefore' | 'sizeAfter',
  ): string =>
    formatBytes(rows.filter(({ kind }) => kinds.includes(kind)).reduce((total, one) => total + (one[field] ?? 0), 0));
  const rows = [...byCollection].map(([collection, of]) => [
    escapeForTerminal(collection),
    ...(['added', 'removed', 'modified', 'moved', 'metadata'] as const).map((kind) => count(of, kind)),
    sum(of, ['added', 'modified'], 'sizeAfter'),
    sum(of, ['removed', 'modified'], 'sizeBefore'),
  ]);
  const head = ['COLLECTION', 'ADDED', 'REMOVED', 'MODIFIED', 'MOVED', 'TOUCHED', 'BYTES NOW', 'BYTES BEFORE'];
  const table =
    rows.length === 0
      ? []
      : [renderTable(head, rows, { right: [1, 2, 3, 4, 5, 6, 7], columns, cut: [0], drop: [7, 6, 5] }), ''];
  return [...table, totalsLine(report)].join('\n');
}

function totalsLine({ added, removed, modified, moved, metadata, bytesAdded, bytesRemoved }: DiffReport): string {
  const counts = Object.entries({ added, removed, modified, moved, 'only touched': metadata });
  const parts = counts.filter(([, count]) => count > 0).map(([word, count]) => `${count} ${word}`);
  if (parts.length === 0) return 'No difference.';
  const bytes =
    bytesAdded + bytesRemoved === 0 ? '' : `; ${formatBytes(bytesAdded)} in place of ${formatBytes(bytesRemoved)}`;
  return `${parts.join(', ')}${bytes}`;
}
