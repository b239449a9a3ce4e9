import { assetPlugins, MbkError, statusOf } from '@mbk/core';
import type { DomainStatus, StatusReport } from '@mbk/core';
import { Flags } from '@oclif/core';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { openForCommand } from '../open.ts';
import type { Styler } from '../output.ts';
import { chooseSource } from '../project/source.ts';
import { formatBytes, formatCount } from '../quantities.ts';
import { renderDifference } from '../render-difference.ts';

/** How many changed files of a domain are listed unless all are asked for. */
const listed = 20;

export default class Status extends MbkCommand {
  static override description =
    'Shows, for each domain of the project, its newest snapshot and what has changed since: A added, D removed, M ' +
    'modified, R moved, T other mode, owner or time. A file counts as unchanged when its size and time are.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --domain healthcare --all'];
  static override flags = {
    domain: Flags.string({ char: 'd', description: 'Only this domain.' }),
    all: Flags.boolean({ char: 'a', description: `List every change, not only the first ${listed} of a domain.` }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    const { environment, out, signal } = this;
    const context = { repo: flags.repo, environment, env: process.env, cwd: process.cwd(), out, signal };
    const { repository, config, folder } = await openForCommand(context);
    try {
      if (config === undefined) {
        throw new MbkError('usage-invalid', 'there is no mbk.yaml here that says what belongs to which domain', {
          remedy: 'Run it in the folder of a project, or see `mbk log`.',
        });
      }
      const source = chooseSource({
        config,
        cwd: process.cwd(),
        paths: [],
        domain: flags.domain,
        exclude: [],
        includeVcs: false,
        repositoryFolder: folder,
      });
      const request = {
        ...source,
        plugins: assetPlugins([]),
        message: '',
        plan: null,
        host: environment.host,
        git: null,
      };
      const report = await statusOf(repository, request);
      const domains = report.domains.filter(({ domain }) => flags.domain === undefined || domain === flags.domain);
      this.out.result({ repository: folder, ...report, domains }, (value, style) =>
        renderStatus({ ...value, root: source.rootText, all: flags.all }, style),
      );
    } finally {
      await repository.close();
    }
  }
}

interface Rendered extends StatusReport {
  readonly repository: string;
  readonly root: string;
  readonly all: boolean;
}

function renderStatus({ repository, root, domains, all }: Rendered, style: Styler): string {
  const head = `Repository ${escapeForTerminal(repository)}, source ${escapeForTerminal(root)}`;
  return [head, ...domains.flatMap((one) => ['', ...renderDomain(one, all, style)])].join('\n');
}

function renderDomain({ domain, files, bytes, newest, changes }: DomainStatus, all: boolean, style: Styler): string[] {
  const size = `${formatCount(files, 'file')}, ${formatBytes(bytes)}`;
  if (newest === null || changes === null)
    return [`${style('bold', domain)}  ${style('yellow', 'no snapshot yet')}  ${size}`];
  const { differences } = changes;
  const title = `${style('bold', domain)}  ${newest.commit.slice(0, 10)} ${escapeForTerminal(newest.tag ?? '')}  ${size}`;
  if (differences.length === 0) return [`${title}  ${style('green', 'unchanged')}`];
  const shown = all ? differences : differences.slice(0, listed);
  const rows = shown.map((one) => `  ${renderDifference(one, style)}`);
  const rest = differences.length - shown.length;
  return [title, ...rows, ...(rest === 0 ? [] : [style('dim', `  … and ${rest} more: --all lists them`)])];
}
