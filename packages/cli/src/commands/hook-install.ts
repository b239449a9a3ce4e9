import { Args, Flags } from '../oclif.ts';
import { resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { earlierSuffix, gitHookNames } from '../git-hooks/hook-script.ts';
import type { GitHookName } from '../git-hooks/hook-script.ts';
import { findHooksFolder, projectBelow } from '../git-hooks/hooks-folder.ts';
import { installHook } from '../git-hooks/install-hook.ts';
import { findProject, repositoryFolder } from '../open.ts';
import { launcherPath } from '../package.ts';

export default class HookInstall extends MbkCommand {
  static override description =
    'Installs a Git hook that takes a snapshot: before a push (a deploy), before a commit, after a merge or a checkout. A ' +
    'push whose snapshot fails is stopped. The snapshot before a push gets the tag deploy-<commit>. A hook that is there ' +
    'already is kept and started first. No secret is written: the hook needs one in its environment.';
  static override examples = [
    '<%= config.bin %> hook install pre-push --strict',
    '<%= config.bin %> hook install pre-commit --plan configs',
  ];
  static override args = {
    hook: Args.string({ description: 'Which hook.', required: true, options: [...gitHookNames] }),
  };
  static override flags = {
    plan: Flags.string({ description: 'Only the collections of this plan of mbk.yaml.' }),
    strict: Flags.boolean({ description: 'Stop also when the snapshot has errors in what it holds.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(HookInstall);
    const cwd = process.cwd();
    const { folder, top } = await findHooksFolder({ cwd, env: process.env, signal: this.signal });
    const project = (await findProject(this.environment, cwd))?.root ?? top;
    const installed = installHook(folder, {
      name: args.hook as GitHookName,
      node: process.execPath,
      mbk: launcherPath(),
      project: projectBelow(top, project),
      plan: flags.plan,
      repo: flags.repo === undefined ? undefined : resolve(repositoryFolder(flags.repo, cwd)),
      strict: Boolean(flags.strict),
    });
    this.out.result(installed, ({ hasEarlier, name, path }) =>
      [
        `${name} takes a snapshot: ${escapeForTerminal(path)}`,
        ...(hasEarlier ? [`What was there before is ${name}${earlierSuffix} and runs first.`] : []),
      ].join('\n'),
    );
  }
}
