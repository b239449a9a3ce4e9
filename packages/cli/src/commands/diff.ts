import {
  bytesOfText,
  diffAssetFolders,
  diffAssets,
  diffSnapshots,
  displayBytes,
  MbkError,
  openFiles,
  storedFiles,
} from '@mbk/core';
import type { Difference, DifferenceInside, DiffReport, FolderSource } from '@mbk/core';
import { Args, Flags } from '@oclif/core';
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
import { renderFinding } from '../render-finding.ts';
import { renderDifference } from '../render-difference.ts';
import { renderTable } from '../render-table.ts';

export default class Diff extends MbkCommand {
  static override description =
    'Tells what differs between two snapshots, or between one and the project folder as it is now: A added, D removed, ' +
    'M other content, R moved, T only mode, owner or time. A file of the folder counts as unchanged when size and time ' +
    'are equal; with another time it is read. Paths stand behind --.';
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
      const value = flags.stat ? report : { ...report, inside };
      this.out.result(value, flags.stat ? renderStat : (_, style) => renderDiff(report, inside, style));
    } finally {
      await opened.repository.close();
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

function renderInside({ difference, kind, path, problem }: DifferenceInside, style: Styler): string[] {
  const head = style('bold', `${escapePath(path)}  ${kind}`);
  if (problem !== null) return [head, `  ${renderFinding(path, problem, style)}`];
  if (difference === null || difference.lines.length === 0) return [];
  const lines = difference.lines.slice(0, mostLines).map((line) => `  ${escapeForTerminal(line)}`);
  const more = difference.lines.length - lines.length + (difference.omitted ?? 0);
  return [head, ...lines, ...(more > 0 ? [style('dim', `  … and ${more} more: --json lists them`)] : [])];
}

/** Lines of one asset that people see. */
const mostLines = 100;

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

function renderDiff(report: DiffReport, inside: readonly DifferenceInside[], style: Styler): string {
  const lines = report.differences.map((one) => renderDifference(one, style));
  const details = inside.map((one) => renderInside(one, style)).filter((of) => of.length > 0);
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
