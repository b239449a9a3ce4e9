import { catLog } from '@mbk/core';
import { Args } from '@oclif/core';
import { MbkCommand } from '../base-command.ts';
import { escapeJson } from '../escape.ts';

export default class CatLog extends MbkCommand {
  static override description =
    'Prints one entry of the log as JSON, decrypted and proved by the chain: who appended it, when, with what, and its ' +
    'operations as docs/format.md describes them. `mbk log --json` says which entry holds a snapshot.';
  static override examples = ['<%= config.bin %> cat-log 1'];
  static override args = {
    n: Args.integer({ description: 'Number of the entry, from 1.', required: true, min: 1 }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CatLog);
    await this.withRepository(flags.repo, async (repository) => {
      this.out.result(await catLog(repository, args.n), (entry) => escapeJson(JSON.stringify(entry, null, 2)));
    });
  }
}
