import { exitCodes, findPaths, MbkError } from '@mbk/core';
import type { FindProblem, FoundPath } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal, escapePath } from '../escape.ts';
import { momentFormat, shortId } from '../moment.ts';
import type { Styler } from '../output.ts';
import { formatBytes, formatCount } from '../quantities.ts';

export default class Find extends MbkCommand {
  static override description =
    'Tells which snapshots hold a path, the newest first. In the glob * is any part of a name, ? one character, [a-z] one ' +
    'of them, ** any number of folders. Without a / it is meant for names in every folder, with one it begins at the ' +
    'root of snapshots; a / at its end is for folders alone. Write it in quotes, so that the shell leaves it alone. ' +
    'Files of collections that retention gave up are not found. Ends with exit code 20 when something could not be ' +
    'looked through.';
  static override examples = [
    "<%= config.bin %> find '*_checkpoint_846.pth'",
    "<%= config.bin %> find 'data/training/**/*.jsonl' --domain healthcare --versions",
    "<%= config.bin %> find '*.gguf' healthcare/2025-01-31",
  ];
  static override args = {
    glob: Args.string({ description: 'What the path looks like.', required: true }),
    revision: Args.string({ description: 'Only in this snapshot, and after a colon below a path in it.' }),
  };
  static override flags = {
    domain: Flags.string({ char: 'd', description: 'Only in snapshots of this domain.', helpValue: 'DOMAIN' }),
    versions: Flags.boolean({
      description: 'Each content of a path once, by the newest snapshot that has it.',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Find);
    if (args.revision !== undefined && flags.domain !== undefined) {
      throw new MbkError('usage-invalid', 'a revision names its domain: --domain does not fit beside it');
    }
    await this.withRepository(flags.repo, async (repository) => {
      let looked = { done: 0, total: 0 };
      const problems: FindProblem[] = [];
      const request = {
        glob: args.glob,
        revision: args.revision,
        domain: flags.domain,
        isEachOnce: flags.versions,
      };
      const stop = this.out.progress(() => ({
        view: { facts: [`${looked.done} of ${formatCount(looked.total, 'snapshot')} looked through`] },
        fields: { ...looked },
      }));
      const moment = momentFormat(repository.timezone);
      const found = findPaths(repository, request, {
        onProblem: (problem) => void problems.push(problem),
        onSnapshot: (done, total) => (looked = { done, total }),
      });
      let matches = 0;
      try {
        for await (const one of found) {
          // A reader that has seen enough, such as `head`, has gone.
          if (process.stdout.destroyed || !process.stdout.writable) return;
          matches += 1;
          this.out.event({ type: 'match', ...renamed(one) }, (_, style) => renderFound(one, moment, style));
        }
      } finally {
        stop();
      }
      for (const { commit, domain, path, message } of problems) {
        this.out.event(
          { type: 'finding', severity: 'error', commit, domain, path, message },
          (_, style) =>
            `${style('red', 'not looked through:')} ${shortId(commit)} of ${domain}: ${escapeForTerminal(message)}`,
        );
      }
      const summary = { matches, snapshots: looked.total, problems: problems.length };
      this.out.result({ type: 'summary', ...summary }, () =>
        matches === 0 ? `Nothing in ${formatCount(looked.total, 'snapshot')} looks like ${args.glob}.` : '',
      );
      if (problems.length > 0) this.endWith(exitCodes.damaged);
    });
  }
}

/** `type` says what kind of line it is: what is found has it as `entry`. */
function renamed({ type, ...rest }: FoundPath): object {
  return { entry: type, ...rest };
}

function renderFound(
  { commit, takenAt, domain, size, path, type, target }: FoundPath,
  moment: (time: string) => string,
  style: Styler,
): string {
  const cells = [
    style('yellow', shortId(commit)),
    moment(takenAt),
    (size === null ? '-' : formatBytes(size)).padStart(9),
    `${escapeForTerminal(domain)}:${escapePath(path)}${type === 'directory' ? '/' : ''}`,
  ];
  return `${cells.join('  ')}${target === null ? '' : ` -> ${escapePath(target)}`}`;
}
