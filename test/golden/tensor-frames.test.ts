import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeFrame } from '../../packages/core/src/codec/registry.ts';
import { fromHex, toHex } from '../../packages/core/src/format/bytes.ts';

interface Frame {
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
  /** Where it is short. */
  readonly plain?: string;
  readonly parameters: string;
  readonly stored: string;
}

const frames = JSON.parse(readFileSync(join(import.meta.dirname, 'tensor-frames.json'), 'utf8')) as Frame[];

describe('frames of codec 2 that were recorded are read', () => {
  test.each(frames)('$name', ({ length, sha256, plain, parameters, stored }) => {
    const bytes = decodeFrame(2, fromHex(stored), { plainLength: length, parameters: fromHex(parameters), what: 'a frame' });
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    if (plain !== undefined) expect(toHex(bytes)).toBe(plain);
  });

  test('they have every mode and every transform', () => {
    const firstModes = new Set(frames.map(({ stored }) => stored.slice(0, 2)));
    expect([...firstModes].toSorted()).toEqual(['00', '01', '02']);
    expect([...new Set(frames.map(({ parameters }) => parameters.slice(2, 4)))].toSorted()).toEqual(
      Array.from({ length: 8 }, (_, transform) => `0${transform}`),
    );
  });
});
