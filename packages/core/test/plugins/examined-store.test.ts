import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { examinedStore } from '../../src/plugins/examined-store.ts';
import { temporaryFolder } from '../operations/make-repository.ts';

const report = {
  plugin: 'odd 1.0.0',
  summary: 'a thing',
  facts: { half: 0.5 },
  findings: [{ code: 'a/b', severity: 'info', message: 'm' }],
} as const;

describe('what plugins said of contents', () => {
  test('is known for the same bytes under the same circumstances, and no others', () => {
    const store = examinedStore(join(temporaryFolder(), 'examined'));
    expect(store.get('k', 'aa')).toBeUndefined();
    store.put('k', 'aa', report);
    expect(store.get('k', 'aa')).toEqual(report);
    expect(store.get('k', 'ab')).toBeUndefined();
    expect(store.get('l', 'aa')).toBeUndefined();
  });

  test('is forgotten where it is damaged, and where nothing can be kept', () => {
    const folder = join(temporaryFolder(), 'examined');
    const store = examinedStore(folder);
    store.put('k', 'aa', report);
    const [part = ''] = fs.readdirSync(folder);
    const [name = ''] = fs.readdirSync(join(folder, part));
    const place = join(folder, part, name);
    const bytes = fs.readFileSync(place);
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      fs.writeFileSync(place, changed);
      // The line feed behind the sum says nothing.
      if (at !== 64) expect(store.get('k', 'aa')).toBeUndefined();
    }
    fs.writeFileSync(place, bytes.subarray(0, 70));
    expect(store.get('k', 'aa')).toBeUndefined();
    const nowhere = examinedStore('/dev/null/x');
    nowhere.put('k', 'aa', report);
    expect(nowhere.get('k', 'aa')).toBeUndefined();
  });
});
