import { catLog, MbkError } from '@mbk/core';
import { Args } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeJson } from '../escape.ts';

export default class CatLog extends MbkCommand {
  static override description =
    'Prints one entry of the log as JSON, decrypted and proved by the chain: who appended it, when, with what, and its ' +
    'operations as docs/format.md describes them. `mbk log --json` says which entry holds a snapshot.';
  static override examples = ['<%= config.bin %> cat-log 1'];
  static override args = {
    n: Args.string({ description: 'Number of the entry, from 1.', required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CatLog);
    if (!/^[1-9][0-9]{0,14}$/.test(args.n)) throw new MbkError('usage-invalid', `${args.n} is no number of an entry`);
    await this.withRepository(flags.repo, async (repository) => {
      this.out.result(await catLog(repository, Number(args.n)), (entry) => escapeJson(JSON.stringify(entry, null, 2)));
    });
  }
}
