import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { findProject } from '../open.ts';
import { pluginFolder, removePlugin } from '../plugins/plugin-folder.ts';

export default class PluginsRemove extends MbkCommand {
  static override description =
    'Removes the package of an installed plugin, from this project or, with --user, from this user.';
  static override examples = ['<%= config.bin %> plugins remove mbk-plugin-tokenizer'];
  static override args = {
    package: Args.string({ description: 'The package, as `mbk plugins list` names it.', required: true }),
  };
  static override flags = {
    user: Flags.boolean({ description: 'From what is installed for all projects of this user.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsRemove);
    const cwd = process.cwd();
    const project = flags.user ? undefined : ((await findProject(this.environment, cwd))?.root ?? cwd);
    const folder = pluginFolder(this.environment.stateFolder, project);
    await removePlugin(folder, args.package, { cwd, env: process.env, signal: this.signal });
    this.out.result({ folder, removed: args.package }, () => `${escapeForTerminal(args.package)} is removed`);
  }
}
