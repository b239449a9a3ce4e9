import { assetPlugins, lastVerification, statusOf } from '@mbk/core';
import type { DomainStatus, LastVerification, StatusReport } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { momentFormat, shortId } from '../moment.ts';
import { oneDomain } from '../one-domain.ts';
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
    'modified, R moved, T other mode, owner or time. A file counts as unchanged when its size and time are. Where no ' +
    'mbk.yaml is, it shows the newest snapshots alone. It also tells when this host verified the repository last.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status healthcare --all'];
  static override args = { domain: Args.string({ description: 'Only this domain.' }) };
  static override flags = {
    domain: Flags.string({ char: 'd', description: 'The same.', helpValue: 'DOMAIN' }),
    all: Flags.boolean({ char: 'a', description: `List every change, not only the first ${listed} of a domain.` }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Status);
    const domain = oneDomain(args.domain, flags.domain);
    const { environment, out, signal } = this;
    const context = { repo: flags.repo, environment, env: process.env, cwd: process.cwd(), out, signal };
    const { repository, config, folder } = await openForCommand(context);
    try {
      const source =
        config === undefined
          ? undefined
          : chooseSource({
              config,
              cwd: process.cwd(),
              paths: [],
              domain,
              exclude: [],
              includeVcs: false,
              repositoryFolder: folder,
            });
      const request = source && {
        ...source,
        plugins: assetPlugins([]),
        message: '',
        plan: null,
        host: environment.host,
        git: null,
      };
      const report = await statusOf(repository, request);
      const domains = report.domains.filter((one) => domain === undefined || one.domain === domain);
      const value = {
        repository: folder,
        source: source?.rootText ?? null,
        ...report,
        domains,
        verification: await lastVerification(repository),
      };
      const { timezone } = repository;
      this.out.result(value, (_, style) => renderStatus(value, { all: flags.all, timezone }, style));
    } finally {
      await repository.close();
    }
  }
}

interface Rendered extends StatusReport {
  readonly repository: string;
  readonly source: string | null;
  readonly verification: LastVerification;
}

function renderStatus(
  { repository, source, domains, head, verification }: Rendered,
  { all, timezone }: { readonly all: boolean; readonly timezone: string },
  style: Styler,
): string {
  const moment = momentFormat(timezone);
  const where = source === null ? 'no source: there is no mbk.yaml here' : `source ${escapeForTerminal(source)}`;
  const lines = [
    `Repository ${escapeForTerminal(repository)}, ${where}`,
    style('dim', `log entry ${head.n}; ${verificationText(verification, moment)}`),
  ];
  if (domains.length === 0) lines.push('', 'There are no snapshots yet.');
  return [...lines, ...domains.flatMap((one) => ['', ...renderDomain(one, { all, moment }, style)])].join('\n');
}

function verificationText(
  { last, packs, verifiedPacks, allSince }: LastVerification,
  moment: (time: string) => string,
): string {
  if (last === null) return 'never verified on this host';
  const result = last.errors === 0 ? '' : `, ${formatCount(last.errors, 'error')}`;
  const bytes =
    allSince !== null
      ? `every byte read since ${moment(allSince)}`
      : `every byte of ${verifiedPacks} of ${formatCount(packs, 'pack')} read`;
  return `verified ${moment(last.at)}${result}; ${bytes}`;
}

function renderDomain(
  { domain, files, bytes, newest, changes }: DomainStatus,
  { all, moment }: { readonly all: boolean; readonly moment: (time: string) => string },
  style: Styler,
): string[] {
  const held = files === null || bytes === null ? '' : `  ${formatCount(files, 'file')}, ${formatBytes(bytes)}`;
  const title = `${style('bold', domain)}${held}`;
  if (newest === null) return [`${title}  ${style('yellow', 'no snapshot yet')}`];
  const snapshot = style('yellow', escapeForTerminal(newest.tag ?? shortId(newest.commit)));
  if (changes === null) return [`${title}  ${snapshot}  ${moment(newest.takenAt)}`];
  const { differences } = changes;
  if (differences.length === 0) return [`${title}  ${style('green', 'unchanged')} since ${snapshot}`];
  const shown = all ? differences : differences.slice(0, listed);
  const rows = shown.map((one) => `  ${renderDifference(one, style)}`);
  const rest = differences.length - shown.length;
  return [
    `${title}  changed since ${snapshot}`,
    ...rows,
    ...(rest === 0 ? [] : [style('dim', `  … and ${rest} more: --all lists them`)]),
  ];
}
