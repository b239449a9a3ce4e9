import { expect, test } from 'vitest';
import { mergeRows } from './report.ts';
import { sampleRow } from './sample-rows.ts';

test('a row that is measured again takes the place of the one before', () => {
  const [a, b] = [sampleRow('a', []), sampleRow('b', [])];
  const again = sampleRow('a', [], { note: 'again' });
  expect(mergeRows([a, b], [again, sampleRow('c', [])]).map(({ id, note }) => `${id} ${note}`)).toEqual([
    'a again',
    'b ',
    'c ',
  ]);
});
