import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leafText } from '../../src/snapshot/leaf-text.ts';

test('a leaf is its texts with commas between them, in its frame, one leaf after the other', () => {
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 3000 }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 4 }), (leaves) => {
      const leaf = leafText(['[', ']']);
      const made = leaves.map((all) => {
        for (const text of all) leaf.add(text);
        expect(leaf.byteLength).toBe(Buffer.byteLength(all.map((text) => `${text},`).join('')));
        return leaf.take();
      });
      // Each is the taker's: the next one leaves it as it is.
      expect(made.map((bytes) => Buffer.from(bytes).toString())).toEqual(
        leaves.map((all) => Buffer.from(`[${all.join(',')}]`).toString()),
      );
    }),
  );
});
