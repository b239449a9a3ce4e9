import { expect, test } from 'vitest';
import { headsOf, viewOfFold } from '../../src/catalogue/catalogue-view.ts';
import type { Line } from '../../src/format/log-state.ts';
import { asActorId } from '../../src/format/ids.ts';
import { emptyFold } from '../../src/log/fold.ts';
import { PersistentList, PersistentMap } from '../../src/log/persistent-map.ts';
import { smallHistory } from './small-history.ts';

test('a fold of the log is seen in its order, with its tags', async () => {
  const history = smallHistory();
  for (const domain of ['healthcare', 'finance', 'healthcare']) await history.snapshot(domain, 1_735_696_800_000);
  const lines = history.lines.map((line, index): Line => ({
    ...line,
    n: index + 2,
    at: 0,
    actor: asActorId('cd'.repeat(32)),
    line: {
      ...line.line,
      message: '',
      host: '',
      plan: null,
      run: '',
      files: 0,
      bytes: 0,
      added: 0,
      stored: 0,
      flags: [],
      captures: [],
      carried: [],
    },
  }));
  const tags = PersistentMap.of(history.tags.map((tag) => [tag.name, { ...tag, n: 2, at: 0 }] as const));
  const view = viewOfFold({ ...emptyFold, lines: PersistentList.of(lines), tags });
  expect(view.lines).toEqual(lines);
  expect([...headsOf(view)]).toEqual([
    ['healthcare', lines[2]],
    ['finance', lines[1]],
  ]);
  expect([...view.tags].map(({ name }) => name)).toEqual(history.tags.map(({ name }) => name));
});
