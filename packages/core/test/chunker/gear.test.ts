import { hkdfSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { gearScanner, gearTable } from '../../src/chunker/gear.ts';
import { fileOf, table } from './cut.ts';

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

describe('gear scanner', () => {
  const bytes = fileOf([5000]);

  test('forgets all but the last 32 bytes', () => {
    const far = gearScanner(table);
    const near = gearScanner(table);
    far.roll(bytes, 0, 1000);
    near.roll(bytes, 1000 - 32, 1000);
    // From the same hash on, both find the same cuts.
    for (let from = 1000; from < 2000; from += 100) {
      expect(far.scan(bytes, from, from + 100, 28)).toBe(near.scan(bytes, from, from + 100, 28));
    }
  });

  test('cuts after the first byte whose hash is below the bound', () => {
    const scanner = gearScanner(table);
    let h = 0;
    const first = bytes.findIndex((byte) => {
      h = (2 * h + ((table[byte] ?? 0) >>> 0)) % 2 ** 32;
      return h < 2 ** 24;
    });
    expect(scanner.scan(bytes, 0, bytes.length, 24)).toBe(first + 1);
  });

  test('starts anew after a reset', () => {
    const scanner = gearScanner(table);
    const first = scanner.scan(bytes, 0, bytes.length, 24);
    scanner.roll(bytes, first, 3000);
    scanner.reset();
    expect(scanner.scan(bytes, 0, bytes.length, 24)).toBe(first);
  });
});
