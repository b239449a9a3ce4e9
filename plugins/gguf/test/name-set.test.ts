import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameSet } from '../src/name-set.ts';

test('knows a name again, as text or as bytes, and takes no other for it', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 5 }), { maxLength: 200 }), (names) => {
      const known = new Set<string>();
      const texts = nameSet(names.length);
      const bytes = nameSet(names.length);
      for (const name of names) {
        const isNew = !known.has(name);
        known.add(name);
        expect(texts.addText(name)).toBe(isNew);
        expect(bytes.add(Buffer.from(name))).toBe(isNew);
      }
    }),
  );
});

test('remembers as many names as it was made for', () => {
  const names = nameSet(100_000);
  let news = 0;
  for (let index = 0; index < 200_000; index += 1) if (names.addText(`blk.${index % 100_000}.weight`)) news += 1;
  expect(news).toBe(100_000);
  expect(nameSet(0).addText('a')).toBe(true);
});
