import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { findProject } from '../open.ts';
import { installPlugin, pluginFolder } from '../plugins/plugin-folder.ts';

export default class PluginsInstall extends MbkCommand {
  static override description =
    'Installs a plugin with npm: a package, a tarball or a folder, for this project or, with --user, for all of yours. No ' +
    'script of it runs, but the plugin itself becomes part of mbk: install none that you do not trust.';
  static override examples = ['<%= config.bin %> plugins install ./mbk-plugin-tokenizer-1.0.0.tgz'];
  static override args = {
    source: Args.string({ description: 'A package of npm, or the path of a tarball or folder.', required: true }),
  };
  static override flags = {
    user: Flags.boolean({ description: 'For all projects of this user.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsInstall);
    const cwd = process.cwd();
    const project = flags.user ? undefined : ((await findProject(this.environment, cwd))?.root ?? cwd);
    const folder = pluginFolder(this.environment.stateFolder, project);
    const plugins = await installPlugin(folder, args.source, { cwd, env: process.env, signal: this.signal });
    this.out.result({ folder, plugins }, () =>
      plugins.map(({ module, name, version }) => `${name} ${version}  ${escapeForTerminal(module)}`).join('\n'),
    );
  }
}
