import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { renderTable } from '../src/render-table.ts';

test('columns line up, colours and wide code points not counted', () => {
  const red = styleText('red', 'bad', { validateStream: false });
  expect(
    renderTable(
      ['NAME', 'SIZE', ''],
      [
        ['a', '10', 'x'],
        [red, '2'],
        ['🦙🦙🦙🦙🦙', '300', 'yy'],
      ],
      { right: [1] },
    ),
  ).toBe(['NAME   SIZE', 'a        10  x', `${red}       2`, '🦙🦙🦙🦙🦙   300  yy'].join('\n'));
});
