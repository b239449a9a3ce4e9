import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadSchemaCheck } from '../../src/catalogue/catalogue-schemas.ts';
import {
  assetLimits,
  decodeAssetLines,
  encodeAssetLine,
  encodeAssetLines,
  type AssetLine,
} from '../../src/format/asset-line.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { asset } from '../catalogue/small-history.ts';

const assets = fc.array(
  fc.record<AssetLine>(
    {
      path: fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\0')),
        fc.uint8Array().map((bytes) => ({ hex: `ff${Buffer.from(bytes).toString('hex')}` })),
      ),
      collection: fc.constantFrom('models/checkpoint', 'data/training'),
      kind: fc.constantFrom('gguf', 'dataset'),
      size: fc.maxSafeNat(),
      sha256: fc.option(
        fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
      ),
      tensors: fc.nat(),
    },
    { requiredKeys: ['path', 'collection', 'kind', 'size', 'sha256'] },
  ),
  { maxLength: 12 },
);

describe('assets.jsonl', () => {
  test('what was encoded is decoded, sorted by collection and path, and follows the schema', async () => {
    const check = await loadSchemaCheck();
    fc.assert(
      fc.property(assets, (list) => {
        const bytes = encodeAssetLines(list);
        check.assets(bytes, 'assets.jsonl');
        const decoded = [...decodeAssetLines(bytes, 'assets.jsonl')];
        expect(decoded).toHaveLength(list.length);
        expect(decoded).toEqual(expect.arrayContaining(list));
        expect(encodeAssetLines(decoded)).toEqual(bytes);
      }),
    );
  });

  test('a line is canonical JSON', () => {
    const text = Buffer.from(encodeAssetLine({ ...asset, path: { hex: 'ff' } })).toString();
    expect(text).toBe(
      `{"collection":"models/checkpoint","kind":"checkpoint","path":{"hex":"ff"},"sha256":"${'22'.repeat(32)}","size":4096,"tensors":12}\n`,
    );
  });

  test('it holds at most 1,000 lines and 1 MiB', () => {
    const many = Array.from({ length: 1500 }, (_, index) => ({ ...asset, path: `f${index}` }));
    expect([...decodeAssetLines(encodeAssetLines(many), 'a')]).toHaveLength(assetLimits.lines);
    const long = Array.from({ length: 900 }, (_, index) => ({ ...asset, path: `${'x'.repeat(4000)}${index}` }));
    const bytes = encodeAssetLines(long);
    expect(bytes.byteLength).toBeLessThanOrEqual(assetLimits.bytes);
    expect(bytes.byteLength).toBeGreaterThan(assetLimits.bytes - 8192);
  });

  test('lines are decoded only when they are reached', () => {
    const bytes = utf8(`${Buffer.from(encodeAssetLine(asset)).toString()}{"path":1}\n`);
    const lines = decodeAssetLines(bytes, 'a');
    expect(lines.next().value).toEqual(asset);
    expect(() => lines.next()).toThrow(/a: line 2: path/);
  });

  test('a last line without its end is refused', () => {
    expect(() => [...decodeAssetLines(encodeAssetLine(asset).subarray(0, -1), 'a')]).toThrow(/line 1 does not end/);
  });
});
