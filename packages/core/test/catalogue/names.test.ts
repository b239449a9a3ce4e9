import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkDomainName, checkTagName, isCollectionName, isDomainName, isTagName } from '../../src/catalogue/names.ts';

const git = spawnSync('git', ['--version']).status === 0;

describe('names', () => {
  test('domains are lower-case letters, digits and . _ -', () => {
    for (const name of ['healthcare', 'a', '0', 'health.care_v2-x', 'x'.repeat(63)])
      expect(isDomainName(name)).toBe(true);
    for (const name of [
      '',
      'Health',
      '.a',
      '-a',
      'a..b',
      'a.',
      'a.lock',
      'a/b',
      'a b',
      'ä',
      'x'.repeat(64),
      'a\n',
      '__proto__',
    ]) {
      expect(isDomainName(name), name).toBe(false);
    }
    expect(() => checkDomainName('Bad')).toThrow(expect.objectContaining({ code: 'name-invalid' }));
  });

  test('collections are category/class', () => {
    for (const name of ['models/checkpoint', 'other/files', 'data/training-v2'])
      expect(isCollectionName(name)).toBe(true);
    for (const name of ['models', 'models/', '/x', 'a/b/c', 'A/b', '../x'])
      expect(isCollectionName(name), name).toBe(false);
  });

  test('a tag is completed with its domain, and stays below it', () => {
    expect(checkTagName('healthcare', 'v2')).toBe('healthcare/v2');
    expect(checkTagName('healthcare', 'healthcare/2025-01-01.2')).toBe('healthcare/2025-01-01.2');
    for (const name of ['', 'finance/v2', 'v 2', 'a/b/c', '-v', 'v..2', 'v.lock', 'v.', 'v~1', 'v@{1}', 'v:2', 'v\n']) {
      expect(() => checkTagName('healthcare', name), name).toThrow(expect.objectContaining({ code: 'name-invalid' }));
    }
  });

  test.skipIf(!git)('every name that is allowed is a reference to Git', { timeout: 60_000 }, () => {
    const alphabet = fc.constantFrom('a', 'x', 'z', '0', '1', '9', 'b', '.', '_', '-', '..', '.lock');
    const text = fc.array(alphabet, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''));
    let allowed = 0;
    fc.assert(
      fc.property(text, text, (domain, part) => {
        if (!isTagName(domain, `${domain}/${part}`)) return;
        allowed += 1;
        expect(spawnSync('git', ['check-ref-format', `refs/heads/${domain}`]).status, domain).toBe(0);
        expect(spawnSync('git', ['check-ref-format', `refs/tags/${domain}/${part}`]).status, part).toBe(0);
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(allowed).toBeGreaterThan(20);
  });
});
