import {
  isMbkError,
  listAssets,
  listFiles,
  MbkError,
  openFiles,
  showAsset,
  showSnapshot,
  showTensors,
} from '@mbk/core';
import type { AssetLine, ListedEntry, Repository, ShownAsset, ShownCollection, ShownSnapshot } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
import { writeJsonList } from '../json-list.ts';
import { formatMoment, shortId } from '../moment.ts';
import type { Styler } from '../output.ts';
import { formatBytes, formatCount, formatDuration } from '../quantities.ts';
import { renderFinding } from '../render-finding.ts';
import { renderTable } from '../render-table.ts';
import { renderTensors } from '../render-tensors.ts';
import { writeOut } from '../stdout.ts';

export default class Show extends MbkCommand {
  static override description =
    'Shows one snapshot: when, where and from what it was taken, its collections with their sizes, what was new, and ' +
    'what went wrong with single files, and what plugins say of its assets. The manifest is checked against the commit ' +
    'first. With a path after a colon, all that is known of that asset: facts, findings, tensors.';
  static override examples = [
    '<%= config.bin %> show healthcare',
    '<%= config.bin %> show healthcare/2025-01-31 --files',
    '<%= config.bin %> show healthcare:models/llama.gguf',
    '<%= config.bin %> show healthcare:models/llama.gguf --tensors',
  ];
  static override args = {
    revision: Args.string({
      description: 'The snapshot: a domain, tag, time or commit id; and after a colon a path in it.',
      required: true,
    }),
  };

  static override flags = {
    files: Flags.boolean({ description: 'Every file too, by collection, with its size and SHA-256.' }),
    tensors: Flags.boolean({
      description:
        'Of a path: each tensor, and how it is stored: by which codec, in how many bytes, over which other tensor.',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Show);
    await this.withRepository(flags.repo, async (repository) => {
      if (flags.tensors) return this.tensors(repository, args.revision);
      if (repository.resolve(args.revision).path !== undefined) {
        const asset = await showAsset(repository, args.revision);
        return this.out.result({ ...asset, asset: asset.asset ?? null, layout: asset.layout ?? null }, (_, style) =>
          renderAsset(args.revision, asset, style),
        );
      }
      const shown = await showSnapshot(repository, args.revision);
      const { timezone } = repository;
      const assets: AssetLine[] = [];
      for await (const asset of listAssets(repository, shown.commit))
        if (assets.length < mostAssets) assets.push(asset);
      const isList = flags.files && this.out.json;
      if (isList) await writeJsonList({ ...shown, assets }, 'files', filesOf(repository, args.revision));
      else {
        this.out.result({ ...shown, assets }, (value, style, columns) =>
          [renderShown(value, { timezone, columns }, style), ...renderAssets(assets, style)].join('\n'),
        );
        if (flags.files) await writeLines(filesOf(repository, args.revision));
      }
      if (shown.parentProblem !== null)
        this.out.notice(`the snapshot before it cannot be checked: ${shown.parentProblem}`);
    });
  }

  private async tensors(repository: Repository, revision: string): Promise<void> {
    if (repository.resolve(revision).path === undefined)
      throw new MbkError('usage-invalid', '--tensors is of a file: REVISION:PATH');
    const { tensors, ...file } = await showTensors(repository, revision);
    if (this.out.json) await writeJsonList(file, 'tensors', asAsync(tensors));
    else
      this.out.result(file, (_, style, columns) => renderTensors(revision, { ...file, tensors }, { style, columns }));
  }
}

async function* asAsync<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

/** Files and links of the collections that still have them; none where all are given up. */
async function* filesOf(repository: Repository, revision: string): AsyncGenerator<ListedEntry> {
  const { commit } = repository.resolve(revision);
  try {
    const files = await openFiles(repository, commit);
    for await (const entry of listFiles(repository, files, { recursive: true }))
      if (entry.type !== 'directory') yield entry;
  } catch (error) {
    if (!isMbkError(error, 'capture-expired')) throw error;
  }
}

async function writeLines(files: AsyncIterable<ListedEntry>): Promise<void> {
  let start = '\n';
  for await (const { path, size, sha256, target, collections } of files) {
    const bytes = (size === null ? '-' : formatBytes(size)).padStart(9);
    const name = `${escapePath(path)}${target === null ? '' : ` -> ${escapePath(target)}`}`;
    const line = `${(sha256 ?? '-').padEnd(64)}  ${bytes}  ${escapeForTerminal(collections.join(', '))}  ${name}\n`;
    if (!(await writeOut(process.stdout, start + line))) return;
    start = '';
  }
}

/** Assets that are told; their tables have them all. */
const mostAssets = 1000;
/** Of those, lines without a finding that people see. */
const listedAssets = 20;

function renderAssets(assets: readonly AssetLine[], style: Styler): string[] {
  const told = assets.filter(({ summary }) => summary !== undefined);
  const lines = told
    .slice(0, listedAssets)
    .map(({ path, summary = '' }) => `  ${escapePath(path)}  ${style('dim', escapeForTerminal(summary))}`);
  if (told.length > listedAssets)
    lines.push(style('dim', `  and ${formatCount(told.length - listedAssets, 'more asset')}`));
  const findings = assets.flatMap(({ findings: of = [], path }) =>
    of.map((finding) => `  ${renderFinding(path, finding, style).replaceAll('\n', '\n  ')}`),
  );
  return [
    ...(lines.length > 0 ? ['', 'Assets:', ...lines] : []),
    ...(findings.length > 0 ? ['', 'Findings:', ...findings] : []),
  ];
}

function renderAsset(name: string, { asset, layout, sha256, size }: ShownAsset, style: Styler): string {
  const lines = [style('yellow', escapeForTerminal(name))];
  if (asset === undefined) lines.push('No plugin knew it when the snapshot was taken.');
  else {
    lines.push(`Kind: ${asset.kind}${asset.plugin === undefined ? '' : `, examined by ${asset.plugin}`}`);
    if (asset.summary !== undefined) lines.push(`Summary: ${escapeForTerminal(asset.summary)}`);
  }
  if (size !== null) lines.push(`Size: ${formatBytes(size)}`);
  if (sha256 !== null) lines.push(`SHA-256: ${sha256}`);
  if (asset?.facts !== undefined) {
    lines.push('', 'Facts:');
    for (const [fact, value] of Object.entries(asset.facts)) {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      lines.push(`  ${escapeForTerminal(fact)}: ${escapeForTerminal(text)}`);
    }
  }
  const findings = asset?.findings?.map((finding) => `  ${renderFinding(asset.path, finding, style)}`) ?? [];
  if (findings.length > 0) lines.push('', 'Findings:', ...findings);
  if (layout !== undefined && layout.tensors.length > 0) {
    const rows = layout.tensors.map(({ dtype, length, name: tensor, shape }) => [
      escapeForTerminal(tensor),
      dtype,
      shape.join(' × '),
      formatBytes(length),
    ]);
    lines.push('', renderTable(['TENSOR', 'TYPE', 'SHAPE', 'SIZE'], rows, { right: [3] }));
  }
  return lines.join('\n');
}

interface Shape {
  readonly timezone: string;
  readonly columns: number | undefined;
}

function renderShown(shown: ShownSnapshot, { timezone, columns }: Shape, style: Styler): string {
  const facts = factsOf(shown, timezone);
  const width = Math.max(...facts.map(([name]) => name.length)) + 1;
  const lines = [
    `${style('yellow', `snapshot ${shown.commit}`)}`,
    ...facts.map(([name, value]) => `${`${name}:`.padEnd(width)} ${escapeForTerminal(value)}`),
    '',
    ...shown.message.split('\n').map((line) => `    ${escapeForTerminal(line)}`.trimEnd()),
    '',
    renderCollections(shown.collections, { timezone, columns }, style),
    '',
    totalsLine(shown.totals),
  ];
  if (shown.notes.length > 0) {
    lines.push(
      '',
      'Notes:',
      ...shown.notes.map(({ path, problem }) => `  ${escapePath(path)}: ${escapeForTerminal(problem)}`),
    );
  }
  if (shown.notesOmitted > 0) lines.push(`  and ${formatCount(shown.notesOmitted, 'more note')}`);
  return lines.join('\n');
}

function factsOf(shown: ShownSnapshot, timezone: string): (readonly [string, string])[] {
  const { source, plan, flags, tags, parent } = shown;
  const tookMs = Date.parse(shown.finishedAt) - Date.parse(shown.startedAt);
  return [
    ['Domain', shown.domain],
    ['Tags', tags.join(', ') || '-'],
    ['Parent', parent ?? '-'],
    ['Taken', `${formatMoment(shown.takenAt, timezone)} (${timezone}), in ${formatDuration(Math.max(tookMs, 0))}`],
    ['Host', plan === null ? shown.host : `${shown.host}, plan ${plan}`],
    ['By', `${shown.actor.name} (${shown.actor.id.slice(0, 8)}), ${shown.tool}`],
    ['Source', source.root],
    ...(source.git === null ? [] : [['Git', gitText(source.git)] as const]),
    ...(flags.length === 0 ? [] : [['Flags', flags.join(', ')] as const]),
  ];
}

function gitText({ commit, branch, dirty }: NonNullable<ShownSnapshot['source']['git']>): string {
  const place = branch === null ? 'no branch' : `branch ${branch}`;
  return `${commit ?? 'before the first commit'}, ${place}${dirty ? ', with changes that were not committed' : ''}`;
}

function renderCollections(
  collections: readonly ShownCollection[],
  { timezone, columns }: Shape,
  style: Styler,
): string {
  const rows = collections.map((one) => [
    escapeForTerminal(one.name),
    formatMoment(one.takenAt, timezone),
    one.commit === null ? 'this run' : shortId(one.commit),
    String(one.files),
    formatBytes(one.bytes),
    [...one.flags, ...(one.expired ? ['expired'] : [])]
      .map((flag) => style('red', `[${escapeForTerminal(flag)}]`))
      .join(' '),
  ]);
  return renderTable(['COLLECTION', 'TAKEN', 'BY', 'FILES', 'SIZE', ''], rows, {
    right: [3, 4],
    columns,
    cut: [0],
    drop: [2, 1],
  });
}

function totalsLine({ files, directories, symlinks, bytes, assets, added, stored }: ShownSnapshot['totals']): string {
  const counts = [
    formatCount(files, 'file'),
    formatCount(directories, 'folder'),
    ...(symlinks === 0 ? [] : [formatCount(symlinks, 'link')]),
    ...(assets === 0 ? [] : [formatCount(assets, 'asset')]),
  ];
  return `${counts.join(', ')}, ${formatBytes(bytes)}; new ${formatBytes(added)}, stored ${formatBytes(stored)}`;
}
