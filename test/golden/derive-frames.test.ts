import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeFrame } from '../../packages/core/src/codec/registry.ts';
import { fromHex, toHex } from '../../packages/core/src/format/bytes.ts';

interface Frame {
  readonly name: string;
  readonly bases: readonly string[];
  readonly length: number;
  readonly plain: string;
  readonly parameters: string;
  readonly stored: string;
}

const frames = JSON.parse(readFileSync(join(import.meta.dirname, 'derive-frames.json'), 'utf8')) as Frame[];

describe('frames of codec 4 that were recorded are read', () => {
  test.each(frames)('$name', ({ bases, length, plain, parameters, stored }) => {
    const bytes = decodeFrame(4, fromHex(stored), {
      plainLength: length,
      parameters: fromHex(parameters),
      bases: bases.map((base) => fromHex(base)),
      what: 'a frame',
    });
    expect(toHex(bytes)).toBe(plain);
  });

  test('they have every source with every recipe, and some with rows in another order', () => {
    expect(new Set(frames.map(({ parameters }) => parameters.slice(0, 6))).size).toBe(12 + 12 + 11 + 4);
  });
});
