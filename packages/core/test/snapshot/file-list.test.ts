import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asBlobId } from '../../src/format/ids.ts';
import { fileList } from '../../src/snapshot/file-list.ts';

const name = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\0', '.'), minLength: 1, maxLength: 3 });
const file = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/')),
  size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  sha256: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }).map(asBlobId),
  asset: fc.option(
    fc.constantFrom('model/gguf', 'dataset/csv').map((kind) => ({ kind })),
    { nil: undefined },
  ),
});

test('files come back as they were added, more than once', () => {
  fc.assert(
    fc.property(fc.array(file, { maxLength: 40 }), (files) => {
      const list = fileList();
      for (const one of files) list.add(one);
      expect([...list.files()]).toEqual(files);
      expect([...list.files()]).toEqual(files);
    }),
  );
});

test('a folder of thousands too', () => {
  const list = fileList();
  const files = Array.from({ length: 3000 }, (_, i) => ({
    path: `deep/folder/${i}.txt`,
    size: i,
    sha256: asBlobId(i.toString(16).padStart(64, '0')),
    asset: undefined,
  }));
  for (const one of files) list.add(one);
  expect([...list.files()]).toEqual(files);
});
