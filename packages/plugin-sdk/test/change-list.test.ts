import { expect, test } from 'vitest';
import { changeList, defaultLimits } from '../src/index.ts';

const shown = (text: string): string => text.replaceAll('\n', ' ');

test('changes are kept as they come, with a line for each that people may see', () => {
  const list = changeList({ shown });
  list.add({ what: 'key', name: 'a\nb', change: 'changed', before: 1, after: 'x\ny' });
  list.add({ what: 'tensor', name: 'w', change: 'changed' });
  expect(list.difference()).toEqual({
    changes: [
      { what: 'key', name: 'a\nb', change: 'changed', before: 1, after: 'x\ny' },
      { what: 'tensor', name: 'w', change: 'changed' },
    ],
    lines: ['~ key a b: 1 → x y', '~ tensor w: other values'],
  });
});

test('what does not fit is counted: changes, bytes, and lines of one kind', () => {
  const few = changeList({ limits: { ...defaultLimits, changes: 3 }, shown });
  const small = changeList({ limits: { ...defaultLimits, answerBytes: 1000 }, shown });
  for (let i = 0; i < 60; i += 1) {
    for (const list of [few, small]) list.add({ what: 'tensor', name: `w${i}`, change: 'added', after: 'F32 [1]' });
  }
  few.add({ what: 'key', name: 'k', change: 'removed', before: null });
  const { changes, lines, omitted } = few.difference();
  expect([changes.length, omitted]).toEqual([3, 58]);
  expect(lines.slice(49)).toEqual(['+ tensor w49: F32 [1]', '- key k: null', '… and 10 more: added tensor']);
  const cut = small.difference();
  expect(JSON.stringify(cut.changes).length).toBeLessThan(500);
  expect(cut.changes.length + (cut.omitted ?? 0)).toBe(60);
});
