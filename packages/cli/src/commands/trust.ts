import { MbkError } from '@mbk/core';
import { Args, Flags } from '@oclif/core';
import { resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { findHooks } from '../hooks/find-hooks.ts';
import type { Hook } from '../hooks/find-hooks.ts';
import { addTrust, describeHooks, readTrust, revokeTrust, trustOf, untrustedParts } from '../hooks/trust.ts';
import { findProject } from '../open.ts';
import type { Styler } from '../output.ts';
import { renderTable } from '../render-table.ts';

export default class Trust extends MbkCommand {
  static override description =
    'Says that the hooks of a project may run on this host, for this user, exactly as they are now: `hooks:` of mbk.yaml, ' +
    'the programs in .mbk/hooks, and the files that they are handed. Look at them first: a hook does whatever you may do. ' +
    'Whatever changes must be trusted again.';
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
    const now = describeHooks(hooks, config?.hooks, project);
    const changes = untrustedParts(now, trustOf(stateFolder, project));
    if (!flags['dry-run'] && hooks.length > 0) addTrust(stateFolder, project, now, new Date());
    const isTrusted = hooks.length > 0 && (!flags['dry-run'] || changes.length === 0);
    const rows = hooks.map(({ event, name, policy, timeoutMs }) => ({ event, program: name, policy, timeoutMs }));
    this.out.result({ project, isTrusted, changes, hooks: rows, files: now.files }, (value, style) =>
      renderTrust(value.project, hooks, { changes, isTrusted }, style),
    );
  }
}

function renderTrust(
  project: string,
  hooks: readonly Hook[],
  { changes, isTrusted }: { readonly changes: readonly string[]; readonly isTrusted: boolean },
  style: Styler,
): string {
  const name = escapeForTerminal(project);
  if (hooks.length === 0) return `${name} has no hooks`;
  const rows = hooks.map((hook) => [
    hook.event,
    hook.policy,
    `${hook.timeoutMs / 1000} s`,
    escapeForTerminal(hook.name),
  ]);
  return [
    renderTable(['EVENT', 'POLICY', 'LIMIT', 'PROGRAM'], rows),
    ...changes.map((change) => style('yellow', escapeForTerminal(change))),
    isTrusted ? `The hooks of ${name} are trusted as they are now.` : `The hooks of ${name} are not trusted.`,
  ].join('\n');
}
