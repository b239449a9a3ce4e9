import {
  assetPlugins,
  bytesOfText,
  compressions,
  displayBytes,
  encodeByteText,
  exitCodes,
  MbkError,
  planSnapshot,
  prepareSnapshot,
  readRepositoryId,
  snapshot,
  walkAhead,
} from '@mbk/core';
import type {
  CommittedSnapshot,
  PluginHost,
  SnapshotPlan,
  SnapshotProgress,
  SnapshotReport,
  SnapshotTools,
  WalkAhead,
} from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import type { Interfaces } from '@oclif/core';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { isHostName } from '../environment.ts';
import { jobsFlag } from '../jobs-flag.ts';
import { makeBackend, openForCommand } from '../open.ts';
import type { Styler } from '../output.ts';
import { snapshotProgress } from '../progress/snapshot-progress.ts';
import { renderFinding } from '../render-finding.ts';
import { readGitProvenance } from '../project/git-provenance.ts';
import { chooseSource } from '../project/source.ts';
import { streamSource } from '../project/stream-source.ts';
import { formatBytes, formatCount, formatDuration } from '../quantities.ts';
import { renderTable } from '../render-table.ts';

/** One that was left out, and the `mbk.yaml` that may name it. */
interface UnusablePlugin {
  readonly error: MbkError;
  readonly file: string | undefined;
}

type SnapshotFlags = Interfaces.InferredFlags<(typeof Snapshot)['flags'] & (typeof MbkCommand)['baseFlags']>;

export default class Snapshot extends MbkCommand {
  static override description =
    'Takes a snapshot of the project that mbk.yaml describes: one commit for each domain touched, tagged with its date. ' +
    'Only files that changed are read, only content that is new is stored. Paths pick the collections that have files ' +
    'below them. Without mbk.yaml the paths themselves are taken, into one domain.';
  static override examples = [
    '<%= config.bin %> snapshot -m "before the deploy"',
    '<%= config.bin %> snapshot --plan daily --skip-if-unchanged',
    '<%= config.bin %> snapshot ./models --domain healthcare',
    'pg_dump lab | <%= config.bin %> snapshot --stdin-name lab.sql --domain system',
  ];
  static override strict = false;
  static override args = {
    path: Args.string({ description: 'Files or folders; the project unless given.', required: false }),
  };
  static override flags = {
    domain: Flags.string({
      char: 'd',
      description: 'Only this domain; without mbk.yaml, the domain of everything taken.',
    }),
    collection: Flags.string({ char: 'c', description: 'Only this collection, such as models/checkpoint or data/*.' }),
    plan: Flags.string({ description: 'Only the collections of this plan of mbk.yaml.' }),
    message: Flags.string({ char: 'm', description: 'Why the snapshot is taken.', default: '' }),
    tag: Flags.string({ char: 't', description: 'A further tag for each snapshot, under its domain.' }),
    exclude: Flags.string({
      description: 'Leave out what this pattern (.gitignore syntax) matches.',
      multiple: true,
      default: [],
    }),
    'include-vcs': Flags.boolean({ description: 'Take .git folders too.' }),
    'exclude-caches': Flags.boolean({ description: 'Leave out folders that say they are a cache (CACHEDIR.TAG).' }),
    'one-file-system': Flags.boolean({ description: 'Stay on the file system of the source.' }),
    dereference: Flags.boolean({
      description: 'Take what symbolic links lead to, in place of the links.',
    }),
    'stdin-name': Flags.string({
      description:
        'Take standard input as one file of this path, and nothing else; into the domain system unless --domain is given.',
      helpValue: 'PATH',
      exclusive: ['plan', 'dry-run', 'exclude', 'include-vcs', 'exclude-caches', 'one-file-system', 'dereference'],
    }),
    compression: Flags.option({
      options: compressions,
      description: 'How hard content that is new is compressed. Else as mbk.yaml says, else fast.',
    })(),
    force: Flags.boolean({ description: 'Read every file, whatever the stat cache says.' }),
    host: Flags.string({ description: 'Name of this host in the snapshot. Else MBK_HOST, else its own.' }),
    jobs: jobsFlag,
    'skip-if-unchanged': Flags.boolean({ description: 'Make no commit for a domain in which nothing changed.' }),
    strict: Flags.boolean({
      description:
        'Make no snapshot of assets in which a plugin finds an error, and none without the plugins of a project that is ' +
        'not trusted.',
    }),
    hooks: Flags.boolean({ description: 'Run no hooks.', default: true, allowNo: true }),
    'dry-run': Flags.boolean({ description: 'Say what would be taken, and store nothing.' }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Snapshot);
    const { domain, collection, plan, message, tag, repo } = flags;
    const request = { paths: argv.map(String), domain, collection, plan, message, tag };
    const without = flags['dry-run'] || !flags.hooks;
    await this.withHooks('snapshot', { repo, request, without }, async () => this.take(flags, argv));
  }

  /** Takes the snapshot that was asked for and tells of it; gives what hooks are told. */
  private async take(flags: SnapshotFlags, argv: readonly unknown[]): Promise<object | undefined> {
    if (flags.host !== undefined && !isHostName(flags.host)) {
      throw new MbkError('usage-invalid', '--host is empty, too long or holds control characters');
    }
    const context = {
      repo: flags.repo,
      environment: this.environment,
      env: process.env,
      cwd: process.cwd(),
      out: this.out,
      signal: this.signal,
    };
    const streamPath = flags['stdin-name'];
    if (streamPath !== undefined && argv.length > 0) {
      throw new MbkError('usage-invalid', '--stdin-name takes standard input: paths do not fit beside it');
    }
    let walked: WalkAhead | undefined;
    let preparing: Promise<SnapshotTools> | undefined;
    let opening: Promise<PluginHost> | undefined;
    const unusable: UnusablePlugin[] = [];
    const opened = await openForCommand(context, async ({ config, folder }) => {
      const compression = flags.compression ?? config?.compression;
      if (streamPath !== undefined) {
        const { domain, collection } = flags;
        const source = streamSource({ config, path: streamPath, domain, collection, bytes: process.stdin });
        return { ...source, compression, oneFileSystem: false, git: null, tools: undefined, plugins: assetPlugins([]) };
      }
      const source = chooseSource({
        config,
        cwd: process.cwd(),
        paths: argv.map(String),
        domain: flags.domain,
        collection: flags.collection,
        plan: flags.plan,
        exclude: flags.exclude,
        includeVcs: flags['include-vcs'],
        excludeCaches: flags['exclude-caches'],
        repositoryFolder: folder,
      });
      const { root, rootText, exclude } = source;
      const oneFileSystem = flags['one-file-system'];
      const { dereference } = flags;
      const never = [bytesOfText(folder)];
      const walkOptions = { ...(exclude && { exclude }), oneFileSystem, dereference, never, signal: this.signal };
      if (!flags['dry-run']) {
        const { stateFolder } = this.environment;
        const { repository } = await readRepositoryId(makeBackend(folder));
        preparing = prepareSnapshot({ stateFolder, repository, root, jobs: flags.jobs, timezone: 'UTC' });
        walked = walkAhead(root, walkOptions);
      }
      const [git, plugins, tools] = await Promise.all([
        readGitProvenance(rootText, { env: process.env, signal: this.signal }),
        (opening = this.openPlugins({
          config,
          root,
          isStrict: flags.strict,
          // What is to be backed up does not depend on who looks at it, unless the user says so.
          onUnusable: flags.strict ? undefined : (error) => unusable.push({ error, file: config?.file }),
        })),
        preparing,
      ]);
      return { ...source, compression, oneFileSystem, dereference, never, git, tools, plugins };
    }).catch(async (error: unknown) => {
      walked?.close();
      await (await preparing?.catch(() => undefined))?.threads?.close();
      await (await opening?.catch(() => undefined))?.close();
      throw error;
    });
    const { repository, prepared } = opened;
    try {
      if (prepared === undefined) throw new TypeError('expected a source');
      const request = {
        ...prepared,
        walked,
        message: flags.message,
        plan: flags.plan ?? null,
        tag: flags.tag,
        host: flags.host ?? this.environment.host,
        force: flags.force,
        jobs: flags.jobs,
        skipIfUnchanged: flags['skip-if-unchanged'],
        strict: flags.strict,
      };
      if (flags['dry-run']) {
        this.tellPlan(await planSnapshot(repository, request));
        this.tellUnusable(unusable);
        return undefined;
      }
      const startedAt = Date.now();
      let progress: SnapshotProgress | undefined;
      const { read, advise } = snapshotProgress(() => progress, Date.now);
      this.adviseOnInterruption(advise);
      const stop = this.out.progress(read);
      const report = await snapshot(repository, request, { onProgress: (now) => (progress = now) }).finally(stop);
      this.tell(report, Date.now() - startedAt);
      this.tellUnusable(unusable);
      return plain(report);
    } finally {
      if (prepared !== undefined && 'close' in prepared.plugins) await prepared.plugins.close();
      await repository.close();
    }
  }

  private tellPlan(plan: SnapshotPlan): void {
    const problems = plan.problems.map((one) => ({ ...one, path: encodeByteText(one.path) }));
    this.out.result({ type: 'plan', collections: plan.collections, problems }, () => renderPlan(plan));
  }

  /** One finding each, as of a plugin that fails. */
  private tellUnusable(plugins: readonly UnusablePlugin[]): void {
    for (const { error, file } of plugins) {
      const { message, remedy } = error;
      const finding = { code: 'host/plugin-unusable', severity: 'error', message, remedy } as const;
      const path = file ?? 'mbk.yaml';
      this.out.event({ type: 'finding', ...finding, path }, (_, style) => renderFinding(path, finding, style));
      this.endWith(exitCodes.incomplete);
    }
  }

  private tell(report: SnapshotReport, elapsedMs: number): void {
    for (const { path, message } of report.incomplete) {
      this.out.event(
        { type: 'finding', severity: 'error', path: encodeByteText(path), message },
        (_, style) =>
          `${style('red', 'incomplete:')} ${escapeForTerminal(displayBytes(path))}: ${escapeForTerminal(message)}`,
      );
    }
    for (const { finding, ...asset } of report.findings) {
      const inside = finding.path; // of a folder: the file that is to blame
      this.out.event({ type: 'finding', ...finding, ...asset, ...(inside !== undefined && { inside }) }, (_, style) =>
        renderFinding(asset.path, finding, style),
      );
    }
    this.out.result({ type: 'summary', ...plain(report) }, (_, style) => renderReport(report, elapsedMs, style));
    const hasErrors = report.findings.some(({ finding }) => finding.severity === 'error');
    if (report.incomplete.length > 0 || hasErrors) this.endWith(exitCodes.incomplete);
  }
}

/** As `--json` prints it. */
function plain(report: SnapshotReport): object {
  const problems = (list: SnapshotReport['incomplete']): object[] =>
    list.map((one) => ({ ...one, path: encodeByteText(one.path) }));
  const { findings: _, ...others } = report; // each was told by itself
  return { ...others, incomplete: problems(report.incomplete), skipped: problems(report.skipped) };
}

function renderPlan({ collections, problems }: SnapshotPlan): string {
  const rows = collections.map(({ domain, collection, files, bytes, readFiles, readBytes }) => [
    domain,
    collection,
    formatCount(files, 'file'),
    formatBytes(bytes),
    `${formatCount(readFiles, 'file')}, ${formatBytes(readBytes)}`,
  ]);
  const lines = problems.map(({ message }) => escapeForTerminal(message));
  return [
    renderTable(['DOMAIN', 'COLLECTION', 'FILES', 'SIZE', 'TO READ'], rows),
    ...lines,
    'Nothing was stored.',
  ].join('\n');
}

function renderReport(report: SnapshotReport, elapsedMs: number, style: Styler): string {
  const lines = report.snapshots.map((one) => renderSnapshot(one, style));
  for (const domain of report.unchanged) lines.push(`${domain}  ${style('dim', 'unchanged, no snapshot made')}`);
  const { files, bytes, readBytes, newBytes, storedBytes, skipped, statCacheProblem } = report;
  lines.push(
    `${formatCount(files, 'file')}, ${formatBytes(bytes)}: ${formatBytes(readBytes)} read, ${formatBytes(newBytes)} new, ` +
      `${formatBytes(storedBytes)} written in ${formatDuration(elapsedMs)}`,
  );
  if (skipped.length > 0)
    lines.push(`${formatCount(skipped.length, 'socket, pipe or device', 'sockets, pipes and devices')} left out`);
  if (statCacheProblem !== undefined)
    lines.push(style('yellow', `the next snapshot reads every file again: ${statCacheProblem}`));
  return lines.join('\n');
}

function renderSnapshot({ commit, tag, files, bytes, collections }: CommittedSnapshot, style: Styler): string {
  const head = `${style('yellow', commit.slice(0, 10))}  ${style('bold', tag)}  ${formatCount(files, 'file')}, ${formatBytes(bytes)}`;
  const rows = collections.map(
    ({ name, isTaken, files: count, bytes: size }) =>
      `    ${name}  ${formatCount(count, 'file')}, ${formatBytes(size)}${isTaken ? '' : style('dim', ' (as before)')}`,
  );
  return [head, ...rows].join('\n');
}
