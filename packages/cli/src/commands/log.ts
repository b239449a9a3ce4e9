import { listHistory } from '@mbk/core';
import type { HistoryRow } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { momentFormat, shortId } from '../moment.ts';
import type { Styler } from '../output.ts';
import { formatBytes } from '../quantities.ts';
import { renderTable } from '../render-table.ts';

export default class Log extends MbkCommand {
  static override description =
    'Lists snapshots, newest first. With a revision it begins there and goes back in that domain. Times are in the time ' +
    'zone of the repository. In brackets stands what is worth knowing: `changed-while-read`, `unreadable`, `findings`, ' +
    'or `expired` when retention gave up files that the snapshot took.';
  static override examples = [
    '<%= config.bin %> log',
    '<%= config.bin %> log -n 5 --domain healthcare',
    '<%= config.bin %> log healthcare@2025-01-31',
  ];
  static override args = {
    revision: Args.string({ description: 'Where to begin, such as healthcare/2025-01-31.', required: false }),
  };
  static override flags = {
    number: Flags.integer({ char: 'n', description: 'At most so many snapshots.', min: 1, helpValue: 'N' }),
    domain: Flags.string({ char: 'd', description: 'Only this domain.', helpValue: 'DOMAIN' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Log);
    await this.withRepository(flags.repo, (repository) => {
      const { timezone } = repository;
      const request = { revision: args.revision, domain: flags.domain, limit: flags.number };
      const rows = listHistory(repository, request);
      // As text ten thousand rows need not be in memory together.
      this.out.result({ timezone, snapshots: this.out.json ? [...rows] : rows }, ({ snapshots }, style, columns) =>
        renderLog(snapshots, { timezone, columns }, style),
      );
    });
  }
}

function renderLog(
  rows: Iterable<HistoryRow>,
  { timezone, columns }: { readonly timezone: string; readonly columns: number | undefined },
  style: Styler,
): string {
  const head = ['ID', 'TAKEN', 'DOMAIN', 'TAG', 'FILES', 'SIZE', 'ADDED', 'STORED', 'MESSAGE'];
  const moment = momentFormat(timezone);
  const cells = Array.from(rows, (row) => [
    style('yellow', shortId(row.commit)),
    moment(row.takenAt),
    escapeForTerminal(row.domain),
    escapeForTerminal(row.tags.join(', ')) || '-',
    String(row.files),
    formatBytes(row.bytes),
    formatBytes(row.added),
    formatBytes(row.stored),
    messageCell(row, style),
  ]);
  if (cells.length === 0) return 'There are no snapshots yet.';
  const table = renderTable(head, cells, { right: [4, 5, 6, 7], columns, cut: [8, 3], drop: [6, 2, 4, 7] });
  // Not in a pipe, where every line is a snapshot.
  return columns === undefined ? table : `${table}\n${style('dim', `Times are in ${timezone}.`)}`;
}

/** Longest part of a message that stands in the table, in characters. */
const messageLength = 60;

function messageCell(row: HistoryRow, style: Styler): string {
  const end = row.message.indexOf('\n');
  let cell = escapeForTerminal(firstPart(end === -1 ? row.message : row.message.slice(0, end)));
  for (const flag of [...row.flags, ...expiredFlag(row)]) cell += ` ${style('red', `[${escapeForTerminal(flag)}]`)}`;
  return cell;
}

/** The line, or as much of it as the table has room for. */
function firstPart(line: string): string {
  if (line.length <= messageLength) return line;
  const characters = Array.from(line);
  return characters.length <= messageLength ? line : `${characters.slice(0, messageLength - 1).join('')}…`;
}

function expiredFlag({ captures }: HistoryRow): string[] {
  if (!captures.some((capture) => capture.expired)) return [];
  const expired = captures.filter((capture) => capture.expired);
  if (expired.length === captures.length) return ['expired'];
  return [`expired: ${expired.map(({ collection }) => collection).join(', ')}`];
}
