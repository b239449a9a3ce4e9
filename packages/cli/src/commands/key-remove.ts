import { removeKey } from '@mbk/core';
import type { KeyRemoved } from '@mbk/core';
import { Args } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { formatCount } from '../quantities.ts';

export default class KeyRemove extends MbkCommand {
  static override description =
    'Removes a key: from then on it opens the repository no longer. The last one is never removed. It takes nothing ' +
    'back: whoever opened the repository with it may have copied the keys inside, and they go on opening what was ' +
    'sealed with them.';
  static override examples = ['<%= config.bin %> key remove 5f3c2a19', '<%= config.bin %> key remove "Ada, laptop"'];
  static override args = {
    key: Args.string({ description: 'Its id, the start of it, or its name.', required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KeyRemove);
    await this.withRepository(flags.repo, async (repository) => {
      this.out.result(await removeKey(repository, args.key), renderRemoved);
    });
  }
}

function renderRemoved({ id, name, isCurrent, left }: KeyRemoved): string {
  const which = [name === null ? undefined : escapeForTerminal(name), id === null ? undefined : `(${id.slice(0, 8)})`];
  const lines = [
    `Removed the key ${which.filter((part) => part !== undefined).join(' ')}. ${formatCount(left, 'key')} can open the repository now.`,
    'Whoever copied the keys inside while it was valid keeps what was sealed with them so far.',
  ];
  if (isCurrent) lines.push('It was the key in use here: the next command needs another one.');
  return lines.join('\n');
}
