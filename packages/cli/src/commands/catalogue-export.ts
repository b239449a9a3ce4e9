import { exportCatalogue } from '@mbk/core';
import type { ExportReport } from '@mbk/core';
import { Args } from '../oclif.ts';
import { resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { formatCount } from '../quantities.ts';

export default class CatalogueExport extends MbkCommand {
  static override description =
    'Writes the history as a plain, bare Git repository that stock Git reads: a branch for each domain, all tags, and ' +
    'snapshot.json and assets.jsonl of every snapshot. It holds no files of snapshots, but their names, unencrypted. ' +
    'Run again on the same folder it adds what is new.';
  static override examples = ['<%= config.bin %> catalogue export ./history.git'];
  static override args = {
    folder: Args.string({ description: 'A folder that is absent, empty, or an earlier export.', required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CatalogueExport);
    await this.withRepository(flags.repo, async (repository) => {
      const report = await exportCatalogue(repository.catalogue(), {
        target: resolve(args.folder),
        repository: repository.keys.repository,
        signal: this.signal,
      });
      this.out.result(report, renderReport);
      for (const name of report.skipped) this.out.notice(`${name} cannot stand in a Git repository and is left out`);
    });
  }
}

function renderReport({ target, commits, tags, domains }: ExportReport): string {
  const what = `${formatCount(commits, 'new commit')} and ${formatCount(tags, 'new tag')}`;
  return `${what} of ${formatCount(domains.length, 'domain')} are in ${escapeForTerminal(target)}.`;
}
