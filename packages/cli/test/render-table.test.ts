import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { renderTable } from '../src/render-table.ts';

test('columns line up: colours take no room, wide characters two columns', () => {
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
  ).toBe(['NAME        SIZE', 'a             10  x', `${red}            2`, '🦙🦙🦙🦙🦙   300  yy'].join('\n'));
});

test('what is too wide for the terminal is cut off, the least important column first', () => {
  const rows = [['3f2a9c1d', 'healthcare/2025-01-31', 'a rather long message that nobody needs whole']];
  const table = (columns?: number): string => renderTable(['ID', 'TAG', 'MESSAGE'], rows, { columns, cut: [2, 1] });
  expect(table()).toContain('needs whole');
  expect(table(60)).toBe(
    'ID        TAG                    MESSAGE\n3f2a9c1d  healthcare/2025-01-31  a rather long message that…',
  );
  expect(table(30)).toBe('ID        TAG         MESSAGE\n3f2a9c1d  healthcar…  a rathe…');
  expect(table(10).split('\n')[1]).toBe('3f2a9c1d  healthc…  a rathe…');
});
