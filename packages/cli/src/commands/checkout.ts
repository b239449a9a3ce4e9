import {
  bytesOfText,
  executeCheckout,
  exitCodes,
  exportFolders,
  MbkError,
  openFiles,
  planCheckout,
  storedFiles,
} from '@mbk/core';
import type {
  CheckoutPlan,
  CheckoutProgress,
  CheckoutReport,
  CheckoutRequest,
  ExportedFolder,
  PlannedPath,
  Repository,
} from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import type { Interfaces } from '@oclif/core';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { jobsFlag, threadOptions } from '../jobs-flag.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
import { shortId } from '../moment.ts';
import { findProject } from '../open.ts';
import type { Styler } from '../output.ts';
import { adviseOnCheckout, checkoutProgress } from '../progress/checkout-progress.ts';
import type { ProjectConfig } from '../project/config.ts';
import { makeExclude, relativeTo } from '../project/excludes.ts';
import { formatBytes, formatCount, formatDuration } from '../quantities.ts';
import { renderFinding } from '../render-finding.ts';
import { writeExported } from '../write-exported.ts';
import type { WrittenFile } from '../write-exported.ts';

type CheckoutFlags = Interfaces.InferredFlags<(typeof Checkout)['flags'] & (typeof MbkCommand)['baseFlags']>;

export default class Checkout extends MbkCommand {
  static override description =
    'Writes the files of a snapshot into a folder. Files appear whole or not at all, checked against their SHA-256; a ' +
    'damaged file is not written and is told, and the rest is restored. A folder named behind the colon becomes the ' +
    'target itself; PATHs keep their place below it. Owners are restored when root; extended attributes and ACLs are not ' +
    'part of snapshots. Ends with exit code 20 when something was damaged, 3 when something could not be written or ' +
    'retention gave up a part.';
  static override usage = 'checkout REVISION[:PATH] [PATH...] [FLAGS]';
  static override examples = [
    '<%= config.bin %> checkout healthcare/2025-01-31',
    '<%= config.bin %> checkout healthcare~1:models --to ./before --verify',
    '<%= config.bin %> checkout healthcare configs/app.yaml --to . --overwrite newer',
  ];
  static override strict = false;
  static override args = {
    revision: Args.string({
      description: 'The snapshot, such as healthcare/2025-01-31, and after a colon a path in it.',
      required: true,
    }),
    path: Args.string({ description: 'Only these files and folders.', required: false }),
  };
  static override flags = {
    to: Flags.string({
      description: 'Folder to write into; a new one, ./<domain>-<id>, unless given.',
      helpValue: 'DIR',
    }),
    overwrite: Flags.string({
      description: 'What may be replaced in a target that is not empty: nothing, older files, all files.',
      options: ['never', 'newer', 'always'],
    }),
    delete: Flags.boolean({ description: 'Remove what is not in the snapshot from the folders that are checked out.' }),
    'dry-run': Flags.boolean({ description: 'Say what would be done, and write nothing.' }),
    verify: Flags.boolean({ description: 'Read every file again once it is written.' }),
    fsync: Flags.boolean({
      description: 'Bring every file to the disk itself before it takes its name: proof against power cuts, and slow.',
    }),
    manifests: Flags.boolean({
      description: 'Write manifests with checksums beside datasets that have none: SHA256SUMS, Croissant, BagIt.',
      exclusive: ['dry-run'],
    }),
    jobs: jobsFlag,
    hooks: Flags.boolean({ description: 'Run no hooks.', default: true, allowNo: true }),
  };

  async run(): Promise<void> {
    const { args, flags, argv } = await this.parse(Checkout);
    const { to, overwrite, repo } = flags;
    const paths = argv.slice(1).map(String);
    const request = { revision: args.revision, paths, to, overwrite, delete: flags.delete };
    const without = flags['dry-run'] || !flags.hooks;
    await this.withHooks('checkout', { repo, request, without }, async () => this.take(args.revision, paths, flags));
  }

  /** Checks out what was asked for and tells of it; gives what hooks are told. */
  private async take(
    revision: string,
    paths: readonly string[],
    flags: CheckoutFlags,
  ): Promise<CheckoutReport | undefined> {
    if (flags.delete && flags.overwrite === undefined) {
      throw new MbkError('usage-invalid', '--delete needs --overwrite: it changes a folder that has files already');
    }
    const threadsFor = { repo: flags.repo, jobs: flags['dry-run'] ? 1 : flags.jobs };
    return this.withThreads(threadsFor, 'checkout', async (repository, threads) => {
      const target = resolve(flags.to ?? newFolder(repository, revision));
      const request: CheckoutRequest = {
        revision,
        paths,
        target: bytesOfText(target),
        overwrite: flags.overwrite as CheckoutRequest['overwrite'],
        delete: flags.delete,
        verify: flags.verify,
        owners: process.getuid?.() === 0,
        fsync: flags.fsync,
        threads,
        ...threadOptions(flags.jobs),
      };
      const plan = await planCheckout(
        repository,
        request,
        flags['dry-run'] ? { onPath: (path) => this.tellPath(path) } : {},
      );
      if (flags['dry-run']) {
        this.out.result({ type: 'plan', ...plan }, renderPlan);
        return undefined;
      }
      await this.noteProject(target);
      const report = await this.execute(repository, request, plan);
      if (flags.manifests) await this.writeManifests(repository, request);
      return report;
    });
  }

  /** Beside the datasets that were checked out. */
  private async writeManifests(repository: Repository, { paths, revision, target }: CheckoutRequest): Promise<void> {
    const config = await findProject(this.environment, process.cwd());
    const stored = storedFiles(repository);
    const host = await this.openPlugins({ config, root: undefined, handlers: stored.handlers });
    try {
      const opened = await openFiles(repository, revision);
      for await (const folder of exportFolders(repository, opened, { host, paths, stored })) {
        const { problem, path } = folder;
        const files = writeExported(target, folder);
        this.out.event({ type: 'manifests', path, files, problem }, (_, style) =>
          renderManifests(folder, files, style),
        );
        if (problem !== null || files.some(({ state }) => state === 'failed')) this.endWith(exitCodes.incomplete);
      }
    } finally {
      await host.close();
    }
  }

  /** What is checked out into the project looks like part of it. */
  private async noteProject(folder: string): Promise<void> {
    // A project that cannot be read must not stop a restore.
    const project = await findProject(this.environment, process.cwd()).catch(() => undefined);
    if (project === undefined || existsSync(folder) || !isTaken(project, folder)) return;
    this.out.notice(
      `${folder} lies in the project of ${project.file}: the next snapshot takes it too, unless .mbkignore names it or it is moved away`,
    );
  }

  private tellPath(planned: PlannedPath): void {
    if (planned.type === 'directory' && planned.action === 'stay') return;
    const { path, type, action, size } = planned;
    this.out.event(
      { type: 'finding', entry: type, path, action, size },
      () => `${action.padEnd(8)} ${escapePath(path)}${type === 'directory' ? '/' : ''}`,
    );
  }

  private async execute(repository: Repository, request: CheckoutRequest, plan: CheckoutPlan): Promise<CheckoutReport> {
    const startedAt = Date.now();
    let progress: CheckoutProgress | undefined;
    this.adviseOnInterruption(() => adviseOnCheckout(plan, request, progress));
    const stop = this.out.progress(checkoutProgress(plan, () => progress, Date.now));
    const report = await executeCheckout(repository, request, { onProgress: (now) => (progress = now) }).finally(stop);
    for (const { path, code, message, isDamage } of report.failures) {
      this.out.event(
        { type: 'finding', severity: 'error', code, path, message, isDamage },
        (_, style) => `${style('red', isDamage ? 'damaged:' : 'not written:')} ${escapeForTerminal(message)}`,
      );
    }
    this.out.result({ type: 'summary', ...report }, (value, style) =>
      renderReport(value, Date.now() - startedAt, style),
    );
    if (report.damaged > 0) this.endWith(exitCodes.damaged);
    else if (report.refused > 0 || report.expired.length > 0) this.endWith(exitCodes.incomplete);
    return report;
  }
}

/** Whether a snapshot of the project would take what lies in `folder`; restoring into the project itself is meant so. */
function isTaken({ exclude: patterns, root }: ProjectConfig, folder: string): boolean {
  const path = relativeTo(root, folder);
  return path !== undefined && !makeExclude({ root, patterns, never: [], includeVcs: false })(path, true);
}

/** `healthcare-1a2b3c4d5e`, in the working folder. */
function newFolder(repository: Repository, revision: string): string {
  const { domain, commit } = repository.resolve(revision);
  return `${domain}-${shortId(commit)}`;
}

function renderPlan(plan: CheckoutPlan & { readonly type: 'plan' }, style: Styler): string {
  const { files, directories, symlinks, bytes, added, replaced, staying, extra, expired, broken, needed, free } = plan;
  const lines = [
    `${style('yellow', shortId(plan.commit))} of ${escapeForTerminal(plan.domain)} into ${escapePath(plan.target)}: ` +
      `${formatCount(files, 'file')}, ${formatCount(directories, 'folder')}, ${formatCount(symlinks, 'link')}, ${formatBytes(bytes)}`,
    `${added} new, ${replaced} replaced, ${staying} left as they are${extra === 0 ? '' : `, ${extra} removed`}`,
    `${formatBytes(needed)} needed${free === null ? '' : `, ${formatBytes(free)} free`}`,
  ];
  if (expired.length > 0) lines.push(style('yellow', expiredText(expired)));
  if (broken > 0) lines.push(style('red', `${formatCount(broken, 'folder')} cannot be read whole`));
  return [...lines, 'Nothing was written.'].join('\n');
}

function renderReport(report: CheckoutReport, elapsedMs: number, style: Styler): string {
  const { files, directories, symlinks, links, bytes, unchanged, kept, verified, removed, damaged, refused } = report;
  const counts = [
    `${formatCount(files, 'file')}, ${formatBytes(bytes)}`,
    ...(directories === 0 ? [] : [formatCount(directories, 'folder')]),
    ...(symlinks === 0 ? [] : [formatCount(symlinks, 'link')]),
    ...(links === 0 ? [] : [formatCount(links, 'hard link')]),
  ];
  const lines = [
    `${style('yellow', shortId(report.commit))} of ${escapeForTerminal(report.domain)} is in ${style('bold', escapePath(report.target))}`,
    `${counts.join(', ')} written in ${formatDuration(elapsedMs)}`,
  ];
  if (unchanged > 0) lines.push(`${formatCount(unchanged, 'file')} unchanged`);
  if (kept > 0) lines.push(`${kept} left as they were in the target:`, ...keptLines(report));
  if (removed > 0) lines.push(`${removed} removed that the snapshot does not have`);
  if (verified > 0) lines.push(`${formatCount(verified, 'file')} read back and found right`);
  if (report.deleteSkipped)
    lines.push(style('yellow', 'nothing was removed, because not everything could be restored'));
  if (report.expired.length > 0) lines.push(style('yellow', expiredText(report.expired)));
  for (const { path, fact, errno } of report.factProblems.slice(0, 10))
    lines.push(style('yellow', `${escapePath(path)}: its ${fact} was refused (${errno})`));
  if (report.factProblems.length > 10)
    lines.push(style('yellow', `and ${report.factProblems.length - 10} more refused facts`));
  if (damaged > 0) lines.push(style('red', `${damaged} damaged or missing in the repository and not written`));
  if (refused > 0) lines.push(style('red', `${refused} could not be written`));
  return lines.join('\n');
}

function renderManifests({ path, problem }: ExportedFolder, files: readonly WrittenFile[], style: Styler): string {
  const by = { written: 'written', kept: style('yellow', 'was there already'), failed: style('red', 'not written') };
  const lines = files.map(({ path: name, state }) => `  ${escapeForTerminal(name)}: ${by[state]}`);
  const head = `manifests of ${escapePath(path)}`;
  if (problem !== null) return `${head}\n${renderFinding(path, problem, style)}`;
  return lines.length === 0 ? `${head}: it has its own` : [head, ...lines].join('\n');
}

/** Files that are named of what stayed; `--json` has more. */
const keptShown = 10;

function keptLines({ kept, keptPaths }: CheckoutReport): string[] {
  const shown = keptPaths.slice(0, keptShown).map((path) => `    ${escapePath(path)}`);
  return kept > shown.length ? [...shown, `    and ${kept - shown.length} more`] : shown;
}

function expiredText(expired: readonly string[]): string {
  return `not restored: ${expired.map(escapeForTerminal).join(', ')}, whose files retention gave up`;
}
