import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { findHooksFolder } from '../git-hooks/hooks-folder.ts';
import { listHooks } from '../git-hooks/install-hook.ts';
import type { InstalledHook } from '../git-hooks/install-hook.ts';
import type { Styler } from '../output.ts';
import { renderTable } from '../render-table.ts';

export default class HookList extends MbkCommand {
  static override description =
    'Lists the Git hooks that mbk knows, in the Git repository around the working folder: which are installed, with what, ' +
    'and which were changed since or are not of mbk.';
  static override examples = ['<%= config.bin %> hook list'];

  async run(): Promise<void> {
    await this.parse(HookList);
    const { folder } = await findHooksFolder({ cwd: process.cwd(), env: process.env, signal: this.signal });
    const hooks = listHooks(folder).map((hook) => ({ ...hook, options: hook.options ?? null }));
    this.out.result({ folder, hooks }, (value, style) => renderHooks(value.folder, listHooks(value.folder), style));
  }
}

function renderHooks(folder: string, hooks: readonly InstalledHook[], style: Styler): string {
  const rows = hooks.map(({ hasEarlier, name, options, state }) => [
    name,
    stateText(state, style),
    options === undefined ? '-' : escapeForTerminal(options.plan ?? 'everything'),
    options?.strict === true ? 'yes' : '-',
    hasEarlier ? 'yes' : '-',
  ]);
  return [escapeForTerminal(folder), renderTable(['HOOK', 'STATE', 'PLAN', 'STRICT', 'EARLIER ONE'], rows)].join('\n');
}

function stateText(state: InstalledHook['state'], style: Styler): string {
  switch (state) {
    case 'installed':
      return style('green', 'installed');
    case 'changed':
      return style('yellow', 'changed since');
    case 'other':
      return 'not of mbk';
    case 'none':
      return style('dim', 'none');
  }
}
