import {
  bytesOfText,
  displayBytes,
  exitCodes,
  MbkError,
  openFiles,
  storedFiles,
  validateFolder,
  validateSnapshot,
} from '@mbk/core';
import type { ValidatedAsset, ValidationReport } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
import { findProject } from '../open.ts';
import type { Styler } from '../output.ts';
import { makeExclude } from '../project/excludes.ts';
import { compileRules } from '../project/rules.ts';
import { formatCount } from '../quantities.ts';
import { renderFinding } from '../render-finding.ts';

interface Validating {
  readonly config: Awaited<ReturnType<typeof findProject>>;
  readonly onAsset: (asset: ValidatedAsset) => void;
  readonly strict: boolean;
}

type Told = Omit<ValidationReport, 'problems'> & { readonly problems: number };

export default class Validate extends MbkCommand {
  static override description =
    'Asks the plugins about files, before a backup or in a snapshot: models, checkpoints, datasets, configurations. Ends ' +
    'with exit code 0 without error findings and with 3 with them; with --strict warnings count too. A file that no ' +
    'plugin knows is told and is no error. What exists as a path is one; all else is a revision.';
  static override usage = 'validate [PATH... | REVISION...] [FLAGS]';
  static override examples = [
    '<%= config.bin %> validate',
    '<%= config.bin %> validate models/llama.gguf data/train',
    '<%= config.bin %> validate healthcare:models --json',
  ];
  static override strict = false;
  static override args = {
    what: Args.string({ description: 'Files or folders, or snapshots; the project unless given.', required: false }),
  };
  static override flags = {
    strict: Flags.boolean({
      description: 'End with exit code 3 for warnings too, and leave out no plugin of a project that is not trusted.',
    }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Validate);
    const config = await findProject(this.environment, process.cwd());
    const whats = argv.length === 0 ? [config?.root ?? process.cwd()] : argv.map(String);
    let failed = 0;
    for (const what of whats) {
      const onAsset = (asset: ValidatedAsset): void => this.tell(asset, flags.quiet);
      const { repo, strict } = flags;
      const report = existsSync(what)
        ? await this.validatePath(what, { config, onAsset, strict })
        : await this.validateRevision(what, { config, onAsset, strict, repo });
      for (const { message, path } of report.problems) {
        this.out.event(
          { type: 'finding', severity: 'error', path, message },
          (_, style) => `${style('red', 'not read:')} ${escapePath(path)}: ${escapeForTerminal(message)}`,
        );
      }
      const { problems, ...totals } = report;
      const told: Told = { ...totals, problems: problems.length };
      this.out.result({ type: 'summary', what, ...told }, (_, style) => renderTotals(report, style));
      failed += report.errors + problems.length + (flags.strict ? report.warnings : 0);
    }
    if (failed > 0) this.endWith(exitCodes.incomplete);
  }

  private async validatePath(what: string, { config, onAsset, strict }: Validating): Promise<ValidationReport> {
    const path = realpathSync(resolve(what));
    const isFolder = statSync(path).isDirectory();
    const project = config && realpathSync(config.root);
    const isInside = project !== undefined && (path === project || path.startsWith(`${project}/`));
    const root = isInside ? project : isFolder ? path : dirname(path);
    const wanted = path === root ? '' : path.slice(root === '/' ? 1 : root.length + 1);
    const patterns = isInside ? (config?.exclude ?? []) : [];
    const excluded = makeExclude({ root, patterns, never: [], includeVcs: false });
    const assign = isInside && config !== undefined ? compileRules(config) : undefined;
    const host = await this.openPlugins({ config, root: bytesOfText(root), isUrgent: true, isStrict: strict });
    try {
      return await validateFolder(bytesOfText(root), {
        host,
        onAsset,
        signal: this.signal,
        exclude: (at, isDirectory) => {
          const text = displayBytes(at);
          return !leadsTo(wanted, text, isDirectory) || (text !== wanted && excluded(text, isDirectory));
        },
        collectionOf: assign && ((at) => assign(displayBytes(at)).collection),
      });
    } finally {
      await host.close();
    }
  }

  private async validateRevision(
    revision: string,
    { config, onAsset, repo, strict }: Validating & { readonly repo: string | undefined },
  ): Promise<ValidationReport> {
    return this.withRepository(repo, async (repository) => {
      const files = await openFiles(repository, revision).catch((error: unknown) => {
        if (error instanceof MbkError && error.code === 'revision-unknown') {
          throw new MbkError(error.code, `${revision} is no path here, and no snapshot`, { details: error.details });
        }
        throw error;
      });
      const { parts: all } = await openFiles(repository, files.commit);
      const stored = storedFiles(repository);
      const { handlers } = stored;
      const host = await this.openPlugins({ config, root: undefined, handlers, isUrgent: true, isStrict: strict });
      try {
        return await validateSnapshot(repository, files, { host, onAsset, stored, all, signal: this.signal });
      } finally {
        await host.close();
      }
    });
  }

  private tell(asset: ValidatedAsset, isQuiet: boolean): void {
    const { findings, path, summary } = asset;
    this.out.event({ type: 'finding', ...asset }, (_, style) => {
      const lines = findings.map((finding) => renderFinding(path, finding, style));
      if (isQuiet) return lines.join('\n');
      const isBad = findings.some(({ severity }) => severity === 'error');
      const mark = isBad ? style('red', 'bad') : asset.isExamined ? style('green', 'ok') : 'unchecked';
      const text = summary === null ? asset.kind : `${asset.kind}: ${summary}`;
      return [`${mark} ${escapePath(path)}  ${style('dim', escapeForTerminal(text))}`, ...lines].join('\n');
    });
  }
}

function leadsTo(wanted: string, path: string, isDirectory: boolean): boolean {
  return (
    wanted === '' || path === wanted || path.startsWith(`${wanted}/`) || (isDirectory && wanted.startsWith(`${path}/`))
  );
}

function renderTotals({ errors, files, known, unknown, warnings }: ValidationReport, style: Styler): string {
  const lines = unknown.map((path) => style('dim', `unknown ${escapePath(path)}`));
  const more = files - known - unknown.length;
  if (more > 0) lines.push(style('dim', `and ${formatCount(more, 'more unknown file')}`));
  lines.push(
    `${formatCount(files, 'file')}, ${known} known to plugins: ${formatCount(errors, 'error')}, ${formatCount(warnings, 'warning')}`,
  );
  return lines.join('\n');
}
