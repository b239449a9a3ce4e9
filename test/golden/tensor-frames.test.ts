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

const framesIn = (name: string): Frame[] =>
  JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as Frame[];
const frames = framesIn('tensor-frames.json');
const second = framesIn('tensor-frames-2.json');

describe('frames of codec 2 that were recorded are read', () => {
  test.each([...frames, ...second])('$name', ({ length, sha256, plain, parameters, stored }) => {
    const bytes = decodeFrame(2, fromHex(stored), { plainLength: length, parameters: fromHex(parameters), what: 'a frame' });
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    if (plain !== undefined) expect(toHex(bytes)).toBe(plain);
  });

  test('those of version 2 have every transform of it, every order, and contexts', () => {
    const transforms = new Set(second.map(({ parameters }) => Number.parseInt(parameters.slice(2, 4), 16)));
    for (let transform = 0; transform <= 24; transform += 1) expect(transforms).toContain(transform);
    expect(new Set(second.map(({ parameters }) => parameters.slice(4, 6)))).toEqual(new Set(['00', '01', '02', '03']));
    expect(second.some(({ stored }) => stored.startsWith('04'))).toBe(true);
  });

  test('they have every mode and every transform', () => {
    const firstModes = new Set(frames.map(({ stored }) => stored.slice(0, 2)));
    expect([...firstModes].toSorted()).toEqual(['00', '01', '02']);
    expect([...new Set(frames.map(({ parameters }) => parameters.slice(2, 4)))].toSorted()).toEqual(
      Array.from({ length: 8 }, (_, transform) => `0${transform}`),
    );
  });
});
