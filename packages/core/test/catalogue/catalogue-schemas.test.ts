import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assetsSchema, loadSchemaCheck, snapshotSchema } from '../../src/catalogue/catalogue-schemas.ts';
import { utf8 } from '../../src/format/bytes.ts';

const published = join(import.meta.dirname, '../../../../docs/schemas');

describe('published schemas', () => {
  test.each([
    ['snapshot.schema.json', snapshotSchema],
    ['assets.schema.json', assetsSchema],
  ])('%s is the one that is checked against (vitest -u writes it)', async (name, schema) => {
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(join(published, name));
  });

  test('a breach names the place', async () => {
    const check = await loadSchemaCheck();
    expect(() => check.manifest(utf8('{"format":"mbk snapshot"}'), 'snapshot.json')).toThrow(
      expect.objectContaining({ code: 'value-invalid', message: expect.stringContaining("'version'") as unknown }),
    );
    expect(() => check.assets(utf8('{"path":"a"}\n'), 'assets.jsonl')).toThrow(
      /assets.jsonl: line 1 breaks its schema/,
    );
  });
});
