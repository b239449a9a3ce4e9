import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CatalogueLine, CatalogueTag, CatalogueView } from '../../src/catalogue/catalogue-view.ts';
import { resolveRevision } from '../../src/catalogue/resolve-revision.ts';
import { asCommitId, asEntryId, asGitObjectId } from '../../src/format/ids.ts';

const bundle = asEntryId('ee'.repeat(32));
const object = asGitObjectId('aa'.repeat(20));
const options = { timezone: 'Europe/Berlin', now: Date.parse('2025-01-10T12:00:00Z') };

/** A view from rows of domain, start of the commit id, time and tag. */
function viewOf(
  rows: readonly (readonly [string, string, string, string?])[],
): CatalogueView & { lines: CatalogueLine[] } {
  const lines: CatalogueLine[] = [];
  const tags: CatalogueTag[] = [];
  for (const [domain, id, time, tag] of rows) {
    const to = asCommitId(id.padEnd(40, '0'));
    const from = lines.findLast((line) => line.domain === domain)?.to ?? null;
    lines.push({ domain, from, to, bundle, tag: tag ?? null, tagObject: null, line: { takenAt: Date.parse(time) } });
    if (tag !== undefined) tags.push({ domain, name: tag, commit: to, object, bundle });
  }
  return { lines, tags };
}

const view = viewOf([
  ['healthcare', '1111', '2025-01-01T10:00:00Z', 'healthcare/2025-01-01'],
  ['finance', 'facade', '2025-01-01T11:00:00Z', 'finance/v1'],
  ['healthcare', '2222', '2025-01-01T22:59:00Z', 'healthcare/2025-01-01.2'],
  ['healthcare', '2223', '2025-01-01T23:00:00Z', 'healthcare/2025-01-02'],
  ['face', '3333', '2025-01-05T00:00:00Z'],
]);
const commitOf = (text: string): string => resolveRevision(view, text, options).commit.replace(/0+$/, '');
const failure = (text: string): { code: string; details: Record<string, unknown>; remedy: string } => {
  try {
    resolveRevision(view, text, options);
  } catch (error) {
    return error as ReturnType<typeof failure>;
  }
  throw new Error(`${text} should not resolve`);
};

describe('resolving revisions', () => {
  test.each([
    ['healthcare', '2223'],
    ['finance', 'facade'],
    ['healthcare/2025-01-01', '1111'],
    ['healthcare/2025-01-01.2', '2222'],
    ['finance/v1', 'facade'],
    ['healthcare@2025-01-01', '2222'],
    ['healthcare@2025-01-02', '2223'],
    ['healthcare@{2025-01-01 11:00}', '1111'],
    ['healthcare@{8 days ago}', '2223'],
    ['healthcare@{9 days ago}', '1111'],
    ['healthcare@now', '2223'],
    ['healthcare~1', '2222'],
    ['healthcare~2', '1111'],
    ['healthcare/2025-01-02~1', '2222'],
    ['healthcare@2025-01-01~1', '1111'],
    ['1111', '1111'],
    ['FACA', 'facade'],
    ['2222', '2222'],
    ['face', '3333'],
  ])('%s', (text, expected) => {
    expect(commitOf(text)).toBe(expected);
  });

  test('the path comes along, as does the line', () => {
    const { path, domain, line } = resolveRevision(view, 'healthcare~1:models/a.gguf', options);
    expect({ path, domain }).toEqual({ path: 'models/a.gguf', domain: 'healthcare' });
    expect(line).toBe(view.lines[2]);
  });

  test('the day ends where the repository says, not this host', () => {
    expect(resolveRevision(view, 'healthcare@2025-01-01', { ...options, timezone: 'UTC' }).commit).toMatch(/^2223/);
  });

  test('with a clock that went back, order is that of the log', () => {
    const skewed = viewOf([
      ['healthcare', '1111', '2025-01-05T00:00:00Z'],
      ['healthcare', '2222', '2025-01-03T00:00:00Z'],
    ]);
    expect(resolveRevision(skewed, 'healthcare@2025-01-06', options).commit).toMatch(/^2222/);
  });

  test('a prefix of several commits lists them', () => {
    const error = failure('222');
    expect(error.code).toBe('revision-unknown');
    const both = viewOf([
      ['healthcare', '22220', '2025-01-01T00:00:00Z'],
      ['finance', '22221', '2025-01-01T00:00:00Z'],
    ]);
    expect(() => resolveRevision(both, '2222', options)).toThrow(
      expect.objectContaining({
        code: 'revision-ambiguous',
        details: expect.objectContaining({
          candidates: [
            expect.objectContaining({ commit: '22220'.padEnd(40, '0'), domain: 'healthcare' }),
            expect.objectContaining({ commit: '22221'.padEnd(40, '0'), domain: 'finance' }),
          ],
        }) as unknown,
      }),
    );
    expect(resolveRevision(both, '22221', options).domain).toBe('finance');
  });

  test("a commit that a second domain was pointed at stays the first one's, and is no ambiguity", () => {
    const twice = viewOf([
      ['healthcare', '2222', '2025-01-01T00:00:00Z'],
      ['finance', '2222', '2025-01-01T00:00:00Z'],
    ]);
    expect(resolveRevision(twice, '2222', options).domain).toBe('healthcare');
  });

  test.each([
    ['helthcare', ['healthcare']],
    ['helthcare@2025-01-01', ['healthcare']],
    ['finance/v2', ['finance/v1', 'finance']],
    ['2025-01-01', ['healthcare/2025-01-01']],
    ['healthcare/v1@2025-01-01', ['healthcare']],
    ['healthcare/2025-01-01@2025-01-01', ['healthcare']],
    ['completely-else', []],
    ['abcd1234', []],
  ])('%s is unknown, with what is near', (text, suggestions) => {
    const error = failure(text);
    expect(error.code).toBe('revision-unknown');
    expect(error.details['suggestions']).toEqual(suggestions);
    if (suggestions.length > 0 && !text.includes('/2025-01-01@')) expect(error.remedy).toContain(suggestions[0] ?? '');
  });

  test('what is near nothing is told what the newest snapshots are called', () => {
    for (const text of ['latest', 'HEAD']) {
      expect(failure(text).remedy).toBe(
        'The newest snapshot of a domain has its name: face, finance, healthcare. See `mbk log` for others.',
      );
    }
  });

  test.each(['healthcare~3', 'healthcare@2024-12-31', 'healthcare@2025-02-30', 'healthcare@{soon}', 'face~1'])(
    '%s is refused',
    (text) => {
      expect(failure(text).code).toBe('revision-unknown');
    },
  );

  test('every commit is found by its id, its line, its prefixes and its distance from the head', () => {
    const id = fc.stringMatching(/^[0-9a-f]{40}$/);
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 1, maxLength: 8 }), (ids) => {
        const chain = viewOf(ids.map((one) => ['healthcare', one, '2025-01-01T00:00:00Z'] as const));
        ids.forEach((one, index) => {
          expect(resolveRevision(chain, one, options).commit).toBe(one);
          expect(resolveRevision(chain, `healthcare~${ids.length - 1 - index}`, options).commit).toBe(one);
          const unique = ids.filter((other) => other.startsWith(one.slice(0, 8))).length === 1;
          if (unique) expect(resolveRevision(chain, one.slice(0, 8), options).commit).toBe(one);
        });
      }),
      { numRuns: 50 },
    );
  });
});
