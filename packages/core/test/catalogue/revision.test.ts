import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatRevision, parseRevision, type Revision } from '../../src/catalogue/revision.ts';

const plain: Revision = { name: 'healthcare', moment: undefined, back: 0, path: undefined };
const refused = expect.objectContaining({ code: 'revision-unknown' });

describe('revision syntax', () => {
  test.each<[string, Partial<Revision>]>([
    ['healthcare', {}],
    ['health.care_v2-x', { name: 'health.care_v2-x' }],
    ['healthcare/2025-01-01.2', { name: 'healthcare/2025-01-01.2' }],
    ['healthcare@2025-01-01', { moment: '2025-01-01' }],
    ['healthcare@yesterday~1', { moment: 'yesterday', back: 1 }],
    ['healthcare@{3 days ago}', { moment: '3 days ago' }],
    ['healthcare@{2025-01-01 14:00}:a/b', { moment: '2025-01-01 14:00', path: 'a/b' }],
    ['healthcare~2', { back: 2 }],
    ['healthcare~', { back: 1 }],
    ['healthcare~~3~0', { back: 4 }],
    ['healthcare/2025-01-01~1', { name: 'healthcare/2025-01-01', back: 1 }],
    ['deadbeef', { name: 'deadbeef' }],
    ['healthcare:', { path: '' }],
    ['healthcare:a:b@{c}~2', { path: 'a:b@{c}~2' }],
    ['healthcare:new\nline', { path: 'new\nline' }],
  ])('%s', (text, parts) => {
    expect(parseRevision(text)).toEqual({ ...plain, ...parts });
  });

  test.each([
    '',
    ':path',
    '@2025-01-01',
    '~1',
    'a b',
    '-a',
    '/a',
    'a@',
    'a@{}',
    'a@{x',
    'a@x}',
    'a~x',
    'a@x@y',
    'a~1@x',
    'ä',
    'a\n',
  ])('%j is refused', (text) => {
    expect(() => parseRevision(text)).toThrow(refused);
  });

  test('what is formatted parses to the same', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,30}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,20})?$/);
    const moment = fc.option(fc.stringMatching(/^[^{}]{1,30}$/), { nil: undefined });
    const path = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
    fc.assert(
      fc.property(fc.record({ name, moment, back: fc.nat(999_999), path }), (revision) => {
        expect(parseRevision(formatRevision(revision))).toEqual(revision);
      }),
    );
  });

  test('any text parses to something that formats and parses alike, or is refused', () => {
    const text = fc.array(fc.constantFrom('a', '0', '.', '-', '/', '@', '{', '}', '~', '2', ':', ' ', '\n'), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, (parts) => {
        let revision: Revision;
        try {
          revision = parseRevision(parts.join(''));
        } catch (error) {
          expect(error).toEqual(refused);
          return;
        }
        expect(parseRevision(formatRevision(revision))).toEqual(revision);
      }),
      { numRuns: 2000 },
    );
  });
});
