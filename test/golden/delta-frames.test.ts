import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tensorDeltaReader } from '../../packages/core/src/codec/tensor-delta.ts';
import { fromHex } from '../../packages/core/src/format/bytes.ts';

interface Frame {
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
  readonly base: string;
  readonly parameters: string;
  readonly stored: string;
}

const frames = JSON.parse(readFileSync(join(import.meta.dirname, 'delta-frames.json'), 'utf8')) as Frame[];

describe('frames of codec 3 that were recorded are read', () => {
  test.each(frames)('$name', ({ length, sha256, base, parameters, stored }) => {
    const options = { plainLength: length, parameters: fromHex(parameters), bases: [fromHex(base)], what: 'a frame' };
    const bytes = tensorDeltaReader.decode(fromHex(stored), options);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  });

  test('they have every mode and all parts', () => {
    const firstModes = new Set(frames.map(({ stored }) => stored.slice(0, 2)));
    expect([...firstModes].toSorted()).toEqual(['00', '01', '02']);
    expect([...new Set(frames.map(({ parameters }) => Number.parseInt(parameters.slice(2, 4), 16)))]).toHaveLength(24);
    // Byte 1 of a model, behind the mode: tables less one.
    expect(Math.max(...frames.map(({ stored }) => Number.parseInt(stored.slice(2, 4), 16)))).toBeGreaterThan(1);
  });
});
