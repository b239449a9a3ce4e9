import { Args } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { gitHookNames } from '../git-hooks/hook-script.ts';
import type { GitHookName } from '../git-hooks/hook-script.ts';
import { findHooksFolder } from '../git-hooks/hooks-folder.ts';
import { uninstallHook } from '../git-hooks/install-hook.ts';

export default class HookUninstall extends MbkCommand {
  static override description =
    'Takes a Git hook of mbk away, and puts back what was there before it, byte for byte. One that somebody changed is left ' +
    'alone and told.';
  static override examples = ['<%= config.bin %> hook uninstall pre-push'];
  static override args = {
    hook: Args.string({ description: 'Which hook; all of mbk unless given.', options: [...gitHookNames] }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(HookUninstall);
    const { folder } = await findHooksFolder({ cwd: process.cwd(), env: process.env, signal: this.signal });
    const names = args.hook === undefined ? gitHookNames : [args.hook as GitHookName];
    const removed = names.filter((name) => uninstallHook(folder, name));
    this.out.result({ folder, removed }, () =>
      removed.length === 0 ? 'there was no hook of mbk' : `${removed.join(', ')} taken away`,
    );
  }
}
