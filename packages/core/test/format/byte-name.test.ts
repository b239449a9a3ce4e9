import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MbkError } from '../../src/errors.ts';
import {
  bufferOfBytes,
  byteFields,
  bytesOfText,
  checkName,
  decodeByteText,
  displayBytes,
  encodeByteText,
  isName,
  isRelativePath,
  joinBytes,
  readByteFields,
  textOfBytes,
} from '../../src/format/byte-name.ts';
import { compareBytes } from '../../src/format/bytes.ts';
import { readFields } from '../../src/format/fields.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString('latin1'));
const text = fc.string({ unit: 'grapheme', maxLength: 20 });

describe('byte strings', () => {
  test('text comes back as it went in', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(textOfBytes(bytesOfText(value))).toBe(value);
      }),
    );
  });

  test('bytes come back as they went in, as a value and as fields', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const json: unknown = JSON.parse(JSON.stringify(encodeByteText(value)));
        expect(decodeByteText(json, 'name', 40)).toBe(value);
        expect(readByteFields(readFields(byteFields('name', value), 'entry'), 'name', 40)).toBe(value);
      }),
    );
  });

  test('sort as their bytes do', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(Math.sign(compareBytes(bufferOfBytes(a), bufferOfBytes(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test.each([
    ['größe 漢字', 'größe 漢字'],
    ['\ufeffmark', '\ufeffmark'],
  ])('%j is text, mark and all', (value, shown) => {
    expect(encodeByteText(bytesOfText(value))).toBe(value);
    expect(displayBytes(bytesOfText(value))).toBe(shown);
  });

  test('bytes that are not UTF-8, and zero bytes, are hex', () => {
    expect(encodeByteText('a\xff')).toEqual({ hex: '61ff' });
    expect(encodeByteText('\xed\xa0\x80')).toEqual({ hex: 'eda080' });
    expect(encodeByteText('a\0')).toEqual({ hex: '6100' });
    expect(displayBytes(`\xc3\xb6 a\xff.txt`)).toBe('ö a\\xff.txt');
  });

  test.each([
    ['hex of text', { hex: '6162' }],
    ['odd hex', { hex: 'fff' }],
    ['upper-case hex', { hex: 'FF' }],
    ['too long', 'a'.repeat(41)],
    ['too long in UTF-8', 'ö'.repeat(21)],
    ['too long hex', { hex: 'ff'.repeat(41) }],
    ['half a pair', '\ud800'],
    ['a zero byte as text', 'a\0'],
    ['a number', 7],
    ['nothing', undefined],
  ])('%s is refused', (_, value) => {
    expect(() => decodeByteText(value, 'name', 40)).toThrow(MbkError);
  });

  test('a record has a name in one form only', () => {
    expect(() => readByteFields(readFields({ name: 'a', nameHex: 'ff' }, 'entry'), 'name', 40)).toThrow('either');
    expect(() => readByteFields(readFields({}, 'entry'), 'name', 40)).toThrow(MbkError);
  });
});

describe('names', () => {
  test.each(['', '.', '..', 'a/b', '/', 'a\0', 'x'.repeat(256)])('%j is none', (name) => {
    expect(isName(name)).toBe(false);
    expect(() => checkName(name, 'entry')).toThrow(MbkError);
  });

  test.each(['a', '...', '..x', '-rf', '%41', 'new\nline', '\xff', 'x'.repeat(255)])('%j is one', (name) => {
    expect(isName(name)).toBe(true);
    expect(checkName(name, 'entry')).toBe(name);
  });

  test('paths are names joined by slashes', () => {
    expect(isRelativePath(joinBytes(joinBytes('', 'a'), 'b'))).toBe(true);
    for (const path of ['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a/./b']) expect(isRelativePath(path)).toBe(false);
    expect(isRelativePath(Array(4097).fill('a').join('/'))).toBe(true);
    expect(isRelativePath(Array(4098).fill('a').join('/'))).toBe(false);
  });
});
