import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfText } from '../../src/format/byte-name.ts';
import { pathCandidates } from '../../src/operations/path-argument.ts';

describe('a path as people write it', () => {
  test.each([
    ['models/x.gguf', ['models/x.gguf']],
    ['', ['']],
    ['/', ['']],
    ['./models//x/', ['models/x']],
    ['modèle', [bytesOfText('modèle')]],
    ['a\\nb', ['a\\nb', 'a\nb']],
    ['a\\\\b', ['a\\\\b', 'a\\b']],
    ['raw\\xff', ['raw\\xff', 'raw\xff']],
    ['\\u{202e}x', ['\\u{202e}x', bytesOfText('\u202ex')]],
    ['C:\\path', ['C:\\path']],
    ['\\u{110000}', ['\\u{110000}']],
    ['\\x4', ['\\x4']],
    ['..', ['..']],
  ])('%j', (text, expected) => {
    expect(pathCandidates(text)).toEqual(expected);
  });

  test('every path of bytes is found again by its escapes', () => {
    const names = fc.uint8Array({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(names, (bytes) => {
        const path = Buffer.from(bytes.map((byte) => (byte === 0x2f ? 0x30 : byte))).toString('latin1');
        const escaped = [...path].map((byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
        const expected = path === '.' ? '' : path;
        expect(pathCandidates(escaped)[1]).toBe(expected);
      }),
    );
  });
});
