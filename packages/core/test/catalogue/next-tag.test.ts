import { describe, expect, test } from 'vitest';
import { nextTag } from '../../src/catalogue/next-tag.ts';
import { isTagName } from '../../src/catalogue/names.ts';
import { smallHistory } from './small-history.ts';

const at = Date.parse('2025-01-01T23:30:00Z');

describe('tags of snapshots', () => {
  test('the date is that of the time zone', () => {
    const empty = { lines: [], tags: [] };
    expect(nextTag(empty, 'healthcare', { at, timezone: 'UTC' })).toBe('healthcare/2025-01-01');
    expect(nextTag(empty, 'healthcare', { at, timezone: 'Asia/Tokyo' })).toBe('healthcare/2025-01-02');
  });

  test('the second of a day gets .2, the third .3; other domains do not count; a deleted one stays taken', async () => {
    const history = smallHistory();
    const names: string[] = [];
    for (const domain of ['healthcare', 'healthcare', 'finance', 'healthcare']) {
      await history.snapshot(domain, at);
      names.push(history.tags.at(-1)?.name ?? '');
    }
    expect(names).toEqual([
      'healthcare/2025-01-01',
      'healthcare/2025-01-01.2',
      'finance/2025-01-01',
      'healthcare/2025-01-01.3',
    ]);
    expect(names.every((name) => isTagName(name.split('/', 1)[0] ?? '', name))).toBe(true);
    history.tags.splice(1, 1);
    expect(nextTag(history, 'healthcare', { at, timezone: 'UTC' })).toBe('healthcare/2025-01-01.4');
  });
});
