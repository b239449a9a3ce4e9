import { encodeByteText, listAssets, listFiles, openFiles } from '@mbk/core';
import type { ListedEntry, OpenedFiles, Repository } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
import { writeJsonList } from '../json-list.ts';
import { formatMoment } from '../moment.ts';
import { formatBytes, formatCount } from '../quantities.ts';
import { writeOut } from '../stdout.ts';

export default class Ls extends MbkCommand {
  static override description =
    'Lists the files of a snapshot, or of a folder in it, by their paths from its root. Names that a terminal cannot ' +
    'show are escaped, such as \\n or \\xff, and are understood the same way in REV:PATH. Files of collections that ' +
    'retention gave up are not listed.';
  static override examples = [
    '<%= config.bin %> ls healthcare',
    '<%= config.bin %> ls healthcare/2025-01-31:models --long --recursive',
  ];
  static override args = {
    revision: Args.string({ description: 'Snapshot, and after a colon a path in it.', required: true }),
  };
  static override flags = {
    long: Flags.boolean({ char: 'l', description: 'Mode, owner, size and time too, and what plugins say of assets.' }),
    recursive: Flags.boolean({ char: 'R', description: 'Everything below, too.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Ls);
    await this.withRepository(flags.repo, async (repository) => {
      const files = await openFiles(repository, args.revision);
      const entries = listFiles(repository, files, { recursive: flags.recursive });
      const { commit, domain, path, expired } = files;
      if (this.out.json)
        await writeJsonList({ commit, domain, path: encodeByteText(path), expired }, 'entries', entries);
      else if (!flags.long) await writeLines(entries, shortLine);
      else {
        const summaries = await summariesOf(repository, files);
        await writeLines(entries, (entry) => longLine(entry, repository, summaries));
      }
      if (expired.length > 0 && !this.out.json) {
        this.out.notice(`not listed: ${expired.join(', ')}, whose files were given up`);
      }
    });
  }
}

async function writeLines(entries: AsyncIterable<ListedEntry>, line: (entry: ListedEntry) => string): Promise<void> {
  for await (const entry of entries) {
    if (!(await writeOut(process.stdout, `${line(entry)}\n`))) return;
  }
}

function shortLine({ path, type }: ListedEntry): string {
  return `${escapePath(path)}${type === 'directory' ? '/' : ''}`;
}

/** What plugins said of assets, by path. */
type Summaries = ReadonlyMap<string, string>;

/** Most that are held in memory; a listing beyond them goes without. */
const mostSummaries = 100_000;

async function summariesOf(repository: Repository, { commit }: OpenedFiles): Promise<Summaries> {
  const summaries = new Map<string, string>();
  for await (const { findings = [], path, summary } of listAssets(repository, commit)) {
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const parts = [
      ...(summary === undefined ? [] : [summary]),
      ...(errors === 0 ? [] : [formatCount(errors, 'error')]),
    ];
    if (parts.length > 0) summaries.set(JSON.stringify(path), parts.join('; '));
    if (summaries.size >= mostSummaries) break;
  }
  return summaries;
}

function longLine(entry: ListedEntry, { timezone }: Pick<Repository, 'timezone'>, summaries: Summaries): string {
  const { size, owner, mtime, target } = entry;
  const cells = [
    modeText(entry),
    owner.join(':').padEnd(11),
    (size === null ? '-' : formatBytes(size)).padStart(9),
    formatMoment(mtime, timezone).padEnd(16),
    shortLine(entry),
  ];
  const summary = summaries.get(JSON.stringify(entry.path));
  const more = summary === undefined ? '' : `  (${escapeForTerminal(summary)})`;
  return `${cells.join(' ')}${target === null ? '' : ` -> ${escapePath(target)}`}${more}`;
}

/** As `ls -l` shows it: `drwxr-x---`. */
function modeText({ type, mode }: ListedEntry): string {
  const kind = type === 'directory' ? 'd' : type === 'symlink' ? 'l' : '-';
  const special = [mode & 0o4000, mode & 0o2000, mode & 0o1000];
  const letters = ['s', 's', 't'];
  const sets = [6, 3, 0].map((shift, i) => {
    const bits = (mode >> shift) & 7;
    const letter = letters[i] ?? '';
    const runs = special[i] === 0 ? ((bits & 1) === 0 ? '-' : 'x') : (bits & 1) === 0 ? letter.toUpperCase() : letter;
    return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${runs}`;
  });
  return `${kind}${sets.join('')}`;
}
