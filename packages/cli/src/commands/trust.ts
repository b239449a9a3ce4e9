import { MbkError } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { findHooks } from '../hooks/find-hooks.ts';
import type { Hook } from '../hooks/find-hooks.ts';
import { addTrust, describeHooks, readTrust, revokeTrust, trustOf, untrustedParts } from '../hooks/trust.ts';
import { findProject } from '../open.ts';
import type { Styler } from '../output.ts';
import { describeProjectPlugins, findProjectPlugins } from '../plugins/project-plugins.ts';
import type { ProjectPlugin } from '../plugins/project-plugins.ts';
import { renderTable } from '../render-table.ts';

export default class Trust extends MbkCommand {
  static override description =
    'Says that the hooks of a project, and the plugins that it brings along, may run on this host, for this user, exactly as ' +
    'they are now: `hooks:` of mbk.yaml, the programs in .mbk/hooks, the files that they are handed, and what `plugins:` names ' +
    'as `module:` or `program:`. Look at them first: they do whatever you may do. Whatever changes must be trusted again.';
  static override examples = ['<%= config.bin %> trust', '<%= config.bin %> trust --list'];
  static override args = {
    project: Args.string({ description: 'Folder of the project; the one around the working folder unless given.' }),
  };
  static override flags = {
    list: Flags.boolean({ description: 'List the projects that are trusted.', exclusive: ['revoke', 'dry-run'] }),
    revoke: Flags.boolean({ description: 'Trust the project no more.', exclusive: ['dry-run'] }),
    'dry-run': Flags.boolean({ description: 'Say what would be trusted, and what of it is not yet.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Trust);
    const { stateFolder } = this.environment;
    if (flags.list) {
      if (args.project !== undefined) throw new MbkError('usage-invalid', '--list takes no project');
      return this.out.result({ projects: readTrust(stateFolder) }, ({ projects }) =>
        renderTable(
          ['TRUSTED', 'FILES', 'PROJECT'],
          projects.map((one) => [one.trustedAt, String(Object.keys(one.files).length), escapeForTerminal(one.project)]),
        ),
      );
    }
    const folder = resolve(args.project ?? '.');
    if (flags.revoke) {
      const project = (await findProject(this.environment, folder).catch(() => undefined))?.root ?? folder;
      const wasTrusted = revokeTrust(stateFolder, project);
      return this.out.result({ project, wasTrusted, isTrusted: false }, () =>
        wasTrusted
          ? `${escapeForTerminal(project)} is trusted no more`
          : `${escapeForTerminal(project)} was not trusted`,
      );
    }
    const config = await findProject(args.project === undefined ? this.environment : {}, folder);
    const project = config?.root ?? folder;
    const hooks = findHooks({ root: project, config: config?.hooks, path: process.env['PATH'] });
    const plugins = findProjectPlugins(config, process.env['PATH']);
    const ofHooks = describeHooks(hooks, config?.hooks, project);
    const ofPlugins = describeProjectPlugins(plugins, config);
    const files = { ...ofHooks.files, ...ofPlugins.files };
    const now = { ...ofHooks, ...ofPlugins, files };
    const isAny = hooks.length > 0 || plugins.length > 0;
    const changes = untrustedParts(now, trustOf(stateFolder, project));
    if (!flags['dry-run'] && isAny) addTrust(stateFolder, project, now, new Date());
    const isTrusted = isAny && (!flags['dry-run'] || changes.length === 0);
    const rows = {
      hooks: hooks.map(({ event, name, policy, timeoutMs }) => ({ event, program: name, policy, timeoutMs })),
      plugins: plugins.map(({ file, name, place }) => ({ name, place, file })),
    };
    this.out.result({ project, isTrusted, changes, ...rows, files }, (value, style) =>
      renderTrust(value.project, { hooks, plugins }, { changes, isTrusted }, style),
    );
  }
}

function renderTrust(
  project: string,
  { hooks, plugins }: { readonly hooks: readonly Hook[]; readonly plugins: readonly ProjectPlugin[] },
  { changes, isTrusted }: { readonly changes: readonly string[]; readonly isTrusted: boolean },
  style: Styler,
): string {
  const name = escapeForTerminal(project);
  if (hooks.length === 0 && plugins.length === 0) return `${name} has no hooks, and brings no plugins along`;
  const rows = hooks.map((hook) => [
    hook.event,
    hook.policy,
    `${hook.timeoutMs / 1000} s`,
    escapeForTerminal(hook.name),
  ]);
  const brought = plugins.map(({ file, name: plugin }) => [escapeForTerminal(plugin), escapeForTerminal(file)]);
  const what = [...(hooks.length > 0 ? ['hooks'] : []), ...(plugins.length > 0 ? ['plugins'] : [])].join(' and ');
  return [
    ...(rows.length > 0 ? [renderTable(['EVENT', 'POLICY', 'LIMIT', 'PROGRAM'], rows)] : []),
    ...(brought.length > 0 ? [renderTable(['PLUGIN', 'RUNS'], brought)] : []),
    ...changes.map((change) => style('yellow', escapeForTerminal(change))),
    isTrusted ? `The ${what} of ${name} are trusted as they are now.` : `The ${what} of ${name} are not trusted.`,
  ].join('\n');
}
