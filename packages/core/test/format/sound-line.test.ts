import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFields } from '../../src/format/fields.ts';
import { readHeadLine } from '../../src/format/log-rows.ts';
import { isSoundHeadLine, isSoundLine, isSoundTagRow } from '../../src/format/sound-line.ts';

const hex = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length }).map((one) => one.join(''));
const word = fc.constantFrom('lab', 'a', '0.x_y-z');
const collection = fc.tuple(word, word).map((parts) => parts.join('/'));
const count = fc.nat();
const line = fc.record({
  takenAt: count,
  message: fc.string({ unit: 'grapheme' }),
  host: fc.string(),
  plan: fc.option(fc.string()),
  run: fc.string(),
  files: count,
  bytes: count,
  added: count,
  stored: count,
  flags: fc.array(fc.constantFrom('findings', 'changed-while-read'), { maxLength: 2 }),
  captures: fc.array(fc.record({ collection, tree: hex(64), files: count, bytes: count }), { maxLength: 2 }),
  carried: fc.array(fc.record({ commit: hex(40), collection }), { maxLength: 2 }),
});
const headLine = fc
  .record({ domain: word, from: fc.option(hex(40)), to: hex(40), bundle: hex(64), line, name: word, object: hex(40) })
  .chain(({ name, object, ...rest }) =>
    fc.constantFrom(
      { ...rest, tag: null, tagObject: null },
      { ...rest, tag: `${rest.domain}/${name}`, tagObject: object },
    ),
  );

/** What a hostile or future writer may put in the place of a value. */
const odd = fc.constantFrom<unknown>(
  null,
  undefined,
  -1,
  0.5,
  2 ** 53,
  '',
  'x',
  'A'.repeat(40),
  'g'.repeat(64),
  '\ud800',
  'x'.repeat(70_000),
  [],
  {},
  [null],
  true,
);

/** The value with something odd in one place, or one field more. */
function spoiled(value: object, where: number, with_: unknown): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  const places: [Record<string, unknown>, string][] = [];
  const collect = (one: Record<string, unknown>): void => {
    for (const [key, field] of Object.entries(one)) {
      places.push([one, key]);
      if (typeof field === 'object' && field !== null) collect(field as Record<string, unknown>);
    }
    if (!Array.isArray(one)) places.push([one, 'more']);
  };
  collect(copy);
  const place = places[where % places.length];
  if (place !== undefined) place[0][place[1]] = with_;
  return copy;
}

test('a head line is sound only if its reader gives it back as it is', () => {
  fc.assert(
    fc.property(headLine, (value) => {
      expect(isSoundHeadLine(value)).toBe(true);
      expect(readHeadLine(readFields(value, 'it'))).toEqual(value);
    }),
  );
  fc.assert(
    fc.property(headLine, fc.nat(), odd, (value, where, with_) => {
      const other = spoiled(value, where, with_);
      if (isSoundHeadLine(other)) expect(readHeadLine(readFields(other, 'it'))).toStrictEqual(other);
    }),
    { numRuns: 500 },
  );
});

test('a line or a tag with a field more or less is left to its reader', () => {
  const more = { n: 1, at: 0, actor: '0'.repeat(64) };
  fc.assert(
    fc.property(headLine, (value) => {
      expect(isSoundLine({ ...value, ...more })).toBe(true);
      expect(isSoundLine(value)).toBe(false);
      expect(isSoundLine({ ...value, ...more, n: 0 })).toBe(false);
      expect(isSoundLine({ ...value, ...more, more: 1 })).toBe(false);
    }),
  );
  const row = { domain: 'lab', name: 'lab/v1', commit: 'a'.repeat(40), object: 'b'.repeat(40), bundle: 'c'.repeat(64) };
  expect(isSoundTagRow({ ...row, n: 1, at: 0 })).toBe(true);
  expect(isSoundTagRow({ ...row, n: 1 })).toBe(false);
  expect(isSoundTagRow({ ...row, n: 1, at: 0, more: 1 })).toBe(false);
  expect(isSoundTagRow({ ...row, n: 1, at: 0, commit: 'A'.repeat(40) })).toBe(false);
});
