import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { findProject } from '../open.ts';
import { installedPlugins, pluginFolder } from '../plugins/plugin-folder.ts';
import { renderTable } from '../render-table.ts';

export default class PluginsList extends MbkCommand {
  static override description = 'Lists the plugins that are installed for this project and for this user.';
  static override examples = ['<%= config.bin %> plugins list'];

  async run(): Promise<void> {
    await this.parse(PluginsList);
    const { stateFolder } = this.environment;
    const cwd = process.cwd();
    const project = (await findProject(this.environment, cwd))?.root ?? cwd;
    const of = async (scope: 'project' | 'user', root: string | undefined): Promise<readonly object[]> =>
      (await installedPlugins(pluginFolder(stateFolder, root))).map((one) => ({ scope, ...one }));
    const plugins = (await Promise.all([of('project', project), of('user', undefined)])).flat() as readonly Row[];
    this.out.result({ project, plugins }, () =>
      renderTable(
        ['NAME', 'VERSION', 'FOR', 'PACKAGE'],
        plugins.map((one) => [one.name, one.version, one.scope, escapeForTerminal(one.package)]),
      ),
    );
  }
}

interface Row {
  readonly scope: 'project' | 'user';
  readonly name: string;
  readonly version: string;
  readonly package: string;
}
