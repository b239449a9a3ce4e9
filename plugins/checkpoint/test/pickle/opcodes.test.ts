import { describe, expect, test } from 'vitest';
import { decodeOpcode, PickleError } from '../../src/pickle/opcodes.ts';

const bytesOf = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part)))),
  );

describe('decodeOpcode', () => {
  test.each<[string, Uint8Array, unknown]>([
    ['PROTO', bytesOf([0x80, 4]), 4],
    ['BININT1', bytesOf([0x4b, 255]), 255],
    ['BININT2', bytesOf([0x4d, 1, 2]), 0x0201],
    ['BININT', bytesOf([0x4a, 0xfe, 0xff, 0xff, 0xff]), -2],
    ['LONG1', bytesOf([0x8a, 2, 0, 0x80]), -32_768],
    ['LONG1', bytesOf([0x8a, 0]), 0],
    ['LONG1', bytesOf([0x8a, 9, ...Array.from({ length: 9 }, () => 1)]), undefined],
    ['LONG4', bytesOf([0x8b, 1, 0, 0, 0, 5]), 5],
    ['GLOBAL', bytesOf('ctorch._utils\n_rebuild\n'), 'torch._utils\n_rebuild'],
    ['BINUNICODE', bytesOf('X', [2, 0, 0, 0], 'é'), 'é'],
    ['SHORT_BINUNICODE', bytesOf([0x8c, 1], 'k'), 'k'],
    ['BINUNICODE8', bytesOf([0x8d, 1, 0, 0, 0, 0, 0, 0, 0], 'k'), 'k'],
    ['BINFLOAT', bytesOf('G', [0, 0, 0, 0, 0, 0, 0, 0]), undefined],
    ['FRAME', bytesOf([0x95, 3, 0, 0, 0, 0, 0, 0, 0]), 3],
    ['INT', bytesOf('I42\n'), '42'],
    ['MEMOIZE', bytesOf([0x94]), undefined],
  ])('cuts out %s', (name, bytes, argument) => {
    expect(decodeOpcode(bytes, 0)).toEqual({ name, offset: 0, argument, next: bytes.length });
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(() => decodeOpcode(bytes.subarray(0, cut), 0)).toThrow(PickleError);
    }
  });

  test('knows 68 opcodes and refuses every other byte', () => {
    const padding = [...new Uint8Array(64), 0x0a, 0x0a];
    const names = new Set<string>();
    const errors: unknown[] = [];
    for (let code = 0; code < 256; code += 1) {
      try {
        names.add(decodeOpcode(Uint8Array.of(code, ...padding), 0).name);
      } catch (error) {
        errors.push(error);
      }
    }
    expect(errors.every((error) => error instanceof PickleError)).toBe(true);
    expect(names.size).toBe(68);
  });

  test('does not follow a length past the end', () => {
    for (const prefix of [
      [0x58, 255, 255, 255, 255],
      [0x8e, 255, 255, 255, 255, 255, 255, 255, 255],
      [0x54, 9, 0, 0, 0],
    ]) {
      expect(() => decodeOpcode(bytesOf(prefix, 'abc'), 0)).toThrow('longer than the stream');
    }
  });
});
