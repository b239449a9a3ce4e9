import { hkdfSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { gearTable } from '../../src/chunker/gear.ts';
import { table } from './cut.ts';

describe('gear table', () => {
  test('is 256 little-endian words of HKDF-SHA-256 of the key', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const bytes = new DataView(hkdfSync('sha256', key, new Uint8Array(0), 'mbk/1 gear', 1024));
    const words = Array.from({ length: 256 }, (_, i) => bytes.getInt32(i * 4, true));
    expect([...gearTable(key)]).toEqual(words);
  });

  test('is another one for another key', () => {
    expect(gearTable(new Uint8Array(32))).not.toEqual(table);
  });
});
