import { exitCodes, listTags } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { tryGit } from '../git-hooks/git.ts';
import { freeTag, occasionOf } from '../git-hooks/hook-occasion.ts';
import type { Occasion } from '../git-hooks/hook-occasion.ts';
import { gitHookNames } from '../git-hooks/hook-script.ts';
import type { GitHookName } from '../git-hooks/hook-script.ts';

export default class HookRun extends MbkCommand {
  static override description =
    'What an installed Git hook calls, with the arguments and the input that Git gave it: takes the snapshot. It fails when ' +
    'there is none afterwards, and with --strict also when there are errors in what it holds.';
  static override strict = false;
  static override args = {
    hook: Args.string({ description: 'Which hook.', required: true, options: [...gitHookNames] }),
    argument: Args.string({ description: 'What Git gave it.', required: false }),
  };
  static override flags = {
    plan: Flags.string({ description: 'Only the collections of this plan of mbk.yaml.' }),
    strict: Flags.boolean({ description: 'Fail also when the snapshot has errors in what it holds.' }),
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(HookRun);
    const name = args.hook as GitHookName;
    const git = { cwd: process.cwd(), env: process.env, signal: this.signal };
    const occasion = occasionOf(name, {
      args: argv.slice(1).map(String),
      input: name === 'pre-push' ? await readInput(process.stdin) : '',
      head: await tryGit(['rev-parse', '--verify', '--quiet', 'HEAD'], git),
      branch: await tryGit(['symbolic-ref', '--quiet', '--short', 'HEAD'], git),
    });
    if (occasion === undefined) return this.out.result({ hook: name, isDue: false }, () => '');
    await this.tellDifference(name, occasion, git);
    const tag = occasion.tag === undefined ? undefined : await this.chooseTag(flags.repo, occasion.tag);
    await this.snapshot([
      '--message',
      occasion.message,
      ...(tag === undefined ? [] : ['--tag', tag]),
      ...(occasion.always ? [] : ['--skip-if-unchanged']),
      ...(flags.plan === undefined ? [] : ['--plan', flags.plan]),
      ...(flags.repo === undefined ? [] : ['--repo', flags.repo]),
      ...(flags.strict ? ['--strict'] : []),
      ...(flags.json ? ['--json'] : []),
      ...(flags.quiet ? ['--quiet'] : []),
    ]);
    if (process.exitCode !== exitCodes.incomplete || flags.strict) return;
    this.out.notice(`the snapshot was made, but needs a look; --strict would make ${name} fail`);
    this.endWith(exitCodes.done);
  }

  /** What is pushed need not be what lies in the working folder, which is what a snapshot takes. */
  private async tellDifference(
    name: GitHookName,
    { commit }: Occasion,
    git: Parameters<typeof tryGit>[1],
  ): Promise<void> {
    if (name !== 'pre-push' || commit === undefined) return;
    // A tag that is pushed may be an object of its own.
    const [pushed, head] = await Promise.all([
      tryGit(['rev-parse', '--verify', '--quiet', `${commit}^{commit}`], git),
      tryGit(['rev-parse', '--verify', '--quiet', 'HEAD'], git),
    ]);
    if (pushed !== head)
      this.out.notice(`${commit.slice(0, 12)} is pushed, and ${head?.slice(0, 12) ?? 'nothing'} is checked out`);
  }

  private async chooseTag(repo: string | undefined, name: string): Promise<string> {
    return this.withRepository(repo, (repository) =>
      freeTag(
        name,
        listTags(repository).map((tag) => tag.name),
      ),
    );
  }

  private async snapshot(args: string[]): Promise<void> {
    const { default: Snapshot } = await import('./snapshot.ts');
    Snapshot.id = 'snapshot';
    await Snapshot.run(args, this.config);
  }
}

async function readInput(stream: NodeJS.ReadStream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const part of stream as AsyncIterable<string>) text += part;
  return text;
}
