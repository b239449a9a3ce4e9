import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadSchemaCheck, type SchemaCheck } from '../../src/catalogue/catalogue-schemas.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { asCommitId, asBlobId } from '../../src/format/ids.ts';
import {
  decodeManifest,
  encodeManifest,
  timeOf,
  timeText,
  timeTexts,
  type SnapshotManifest,
} from '../../src/format/snapshot-manifest.ts';
import { collection, manifestInput } from '../catalogue/small-history.ts';

const manifest: SnapshotManifest = {
  format: 'mbk snapshot',
  version: 1,
  ...manifestInput({
    message: 'nightly',
    collections: [
      collection('data/training', { commit: asCommitId('34'.repeat(20)), retention: null }),
      collection('models/checkpoint', { links: asBlobId('44'.repeat(32)), flags: ['unreadable', 'findings'] }),
    ],
  }),
  assetsSha256: '77'.repeat(32),
  notesOmitted: 3,
};

const plain = (): Record<string, unknown> =>
  JSON.parse(Buffer.from(encodeManifest(manifest)).toString()) as Record<string, unknown>;
const bytesOf = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

describe('snapshot.json', () => {
  let check: SchemaCheck;
  beforeAll(async () => {
    check = await loadSchemaCheck();
  });

  const accepts = (decode: () => void): boolean => {
    try {
      decode();
      return true;
    } catch (error) {
      expect(error).toMatchObject({ name: 'MbkError' });
      return false;
    }
  };

  test('what was encoded is decoded', () => {
    expect(decodeManifest(encodeManifest(manifest), 'm')).toEqual(manifest);
  });

  test('it is pretty, with sorted keys and a newline at its end', () => {
    const text = Buffer.from(encodeManifest(manifest)).toString();
    expect(text).toMatch(/^\{\n {2}"actor": \{\n {4}"id": "cdcd/);
    expect(text.endsWith('\n}\n')).toBe(true);
    const keys = [...text.matchAll(/^ {2}"(\w+)":/gm)].map(([, key = '']) => key);
    expect(keys).toEqual(keys.toSorted((a, b) => (a < b ? -1 : 1)));
  });

  test('unknown fields are ignored, a later version is refused by name', () => {
    expect(decodeManifest(bytesOf({ ...plain(), later: 1 }), 'm')).toEqual(manifest);
    expect(() => decodeManifest(bytesOf({ ...plain(), version: 2 }), 'm')).toThrow(
      expect.objectContaining({ code: 'format-unsupported' }),
    );
  });

  test('collections must be sorted, each once', () => {
    const { collections } = plain();
    const list = collections as unknown[];
    expect(() => decodeManifest(bytesOf({ ...plain(), collections: list.toReversed() }), 'm')).toThrow(/out of order/);
    expect(() => decodeManifest(bytesOf({ ...plain(), collections: [list[0], list[0]] }), 'm')).toThrow(/twice/);
  });

  test('times that do not exist are refused', () => {
    expect(() => decodeManifest(bytesOf({ ...plain(), startedAt: '2025-02-30T00:00:00.000Z' }), 'm')).toThrow(
      /no such time/,
    );
    expect(timeOf(timeText(1_735_696_800_123))).toBe(1_735_696_800_123);
  });

  test('the codec and the published schema agree on what is missing or of a wrong kind', () => {
    /** Every place in the value, as a path of keys. */
    const places = (value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] => {
      if (typeof value !== 'object' || value === null) return path.length === 0 ? [] : [path];
      const below = Object.keys(value).flatMap((key) =>
        places((value as Record<string, unknown>)[key], [...path, Array.isArray(value) ? Number(key) : key]),
      );
      return path.length === 0 ? below : [path, ...below];
    };
    const wrong = fc.constantFrom<unknown>(
      undefined,
      null,
      -1,
      1.5,
      true,
      '',
      'x',
      '../x',
      'A/b',
      2 ** 53,
      [],
      {},
      'f'.repeat(64),
    );
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...places(plain())), wrong, (path, replacement) => {
        const changed = plain();
        let parent: Record<string | number, unknown> = changed;
        for (const key of path.slice(0, -1)) parent = parent[key] as Record<string | number, unknown>;
        const last = path.at(-1) ?? '';
        if (replacement === undefined && !Array.isArray(parent)) delete parent[last];
        else parent[last] = replacement ?? null;
        const bytes = bytesOf(changed);
        const byCodec = accepts(() => decodeManifest(bytes, 'm'));
        const bySchema = accepts(() => check.manifest(bytes, 'm'));
        if (!bySchema) refused += 1;
        // The order of collections is the one rule that a schema cannot say.
        if (!(path[0] === 'collections' && path[2] === 'name')) expect(byCodec).toBe(bySchema);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

test('times are written the same one by one and one after the other', () => {
  const texts = timeTexts();
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 253_402_300_799_999 }),
      fc.array(fc.nat({ max: 172_800_000 }), { maxLength: 5 }),
      (at, steps) => {
        for (const step of [0, ...steps]) expect(texts(at + step)).toBe(timeText(at + step));
      },
    ),
  );
});
