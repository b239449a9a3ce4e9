import { listKeys } from '@mbk/core';
import type { KeyRow } from '@mbk/core';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { formatMoment } from '../moment.ts';
import type { Styler } from '../output.ts';
import { renderTable } from '../render-table.ts';

export default class KeyList extends MbkCommand {
  static override description =
    'Lists the keys that open the repository; * marks the one in use. Also shown is what a crash or damage left: a ' +
    'removed key whose bytes are still there (it opens nothing), one that was never finished, one whose bytes are damaged.';
  static override examples = ['<%= config.bin %> key list'];

  async run(): Promise<void> {
    const { flags } = await this.parse(KeyList);
    await this.withRepository(flags.repo, async (repository) => {
      const keys = await listKeys(repository);
      this.out.result({ keys }, (value, style, columns) =>
        renderKeys(value.keys, { timezone: repository.timezone, columns }, style),
      );
    });
  }
}

function renderKeys(
  keys: readonly KeyRow[],
  { timezone, columns }: { readonly timezone: string; readonly columns: number | undefined },
  style: Styler,
): string {
  const rows = keys.map((key) => [
    key.isCurrent ? '*' : '',
    key.id?.slice(0, 8) ?? '-',
    key.name === null ? '-' : escapeForTerminal(key.name),
    key.kind ?? '-',
    key.role ?? '-',
    formatMoment(key.addedAt, timezone),
    stateText(key, style),
  ]);
  return renderTable(['', 'ID', 'NAME', 'KIND', 'ROLE', 'ADDED', 'STATE'], rows, {
    columns,
    cut: [2, 6],
    drop: [5, 4],
  });
}

function stateText({ state, damagedCopies }: KeyRow, style: Styler): string {
  switch (state) {
    case 'active':
      return damagedCopies.length === 0
        ? 'active'
        : style('yellow', `active, ${damagedCopies.join(', ')} is damaged or absent`);
    case 'removed':
      return style('dim', 'removed; its bytes are left, `mbk key remove` clears them');
    case 'unfinished':
      return style('dim', 'never finished; `mbk key remove` clears it');
    case 'damaged':
      return style('red', 'damaged in both copies: opens nothing');
    case 'missing':
      return style('red', 'its slot is absent or damaged: opens nothing');
  }
}
