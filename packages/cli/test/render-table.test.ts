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
  expect(table(45)).toBe('ID        TAG                MESSAGE\n3f2a9c1d  healthcare/2025-…  a rather long m…');
});

test('where cutting is not enough, columns are left out', () => {
  const rows = [['3f2a9c1d', '1.00 GiB', 'a rather long message that nobody needs whole']];
  const table = (columns: number): string =>
    renderTable(['ID', 'SIZE', 'MESSAGE'], rows, { columns, cut: [2], drop: [1, 2] });
  expect(table(36)).toBe('ID        SIZE      MESSAGE\n3f2a9c1d  1.00 GiB  a rather long m…');
  expect(table(30)).toBe('ID        MESSAGE\n3f2a9c1d  a rather long messa…');
  expect(table(10)).toBe('ID\n3f2a9c1d');
});
