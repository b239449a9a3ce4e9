import { Args } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { completionScripts } from '../completion-scripts.ts';

export default class Completion extends MbkCommand {
  static override description =
    'Prints a script that completes commands, flags, domains and tags in a shell. Domains and tags are those that this ' +
    'host has seen: nothing is asked for a passphrase. For bash, put `source <(mbk completion bash)` into ~/.bashrc; for ' +
    'zsh, write it to a file called _mbk in a folder of $fpath; for fish, to ~/.config/fish/completions/mbk.fish.';
  static override examples = [
    'source <(<%= config.bin %> completion bash)',
    '<%= config.bin %> completion fish > ~/.config/fish/completions/mbk.fish',
  ];
  static override args = {
    shell: Args.string({ description: 'Which shell.', required: true, options: Object.keys(completionScripts) }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    const script = completionScripts[args.shell] ?? '';
    this.out.result({ shell: args.shell, script }, () => script);
  }
}
