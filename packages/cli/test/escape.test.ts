import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeForTerminal, escapeJson, escapeMessage, escapeName } from '../src/escape.ts';

const anyText = fc.string({ unit: 'binary' });
const steering = /[\p{Cc}\p{Cs}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

describe('escapeForTerminal', () => {
  test.each([
    ['plain name.gguf', 'plain name.gguf'],
    ['zażółć 模型 🦙', 'zażółć 模型 🦙'],
    ['a\nb\tc', String.raw`a\nb\tc`],
    ['\u001b[2J\u0007', String.raw`\x1b[2J\x07`],
    ['\u009b31m', String.raw`\u{9b}31m`],
    ['exe\u202egpj.', String.raw`exe\u{202e}gpj.`],
    ['back\\slash', String.raw`back\\slash`],
    ['lone \ud800', String.raw`lone \u{d800}`],
    ['tag \u{e0041}', String.raw`tag \u{e0041}`],
  ])('%j is shown as %s', (text, shown) => {
    expect(escapeForTerminal(text)).toBe(shown);
  });

  test('nothing that steers a terminal is left of any text', () => {
    fc.assert(fc.property(anyText, (text) => !steering.test(escapeForTerminal(text))));
  });

  test('two different names never look the same', () => {
    fc.assert(fc.property(anyText, anyText, (a, b) => (a === b) === (escapeForTerminal(a) === escapeForTerminal(b))));
    expect(escapeForTerminal('\n')).not.toBe(escapeForTerminal(String.raw`\n`));
  });
});

describe('escapeMessage', () => {
  test('keeps the line breaks of our own text and nothing else that steers', () => {
    expect(escapeMessage('one\n  two \\ \u001b[0m')).toBe('one\n  two \\ \\x1b[0m');
  });
});

describe('escapeName', () => {
  test('shows bytes that are not UTF-8 as hexadecimal', () => {
    expect(escapeName(Uint8Array.of(0x61, 0xff, 0x62))).toBe(String.raw`a\xffb`);
    expect(escapeName(Uint8Array.of(0xe6, 0xa8))).toBe(String.raw`\xe6\xa8`);
    expect(escapeName(Uint8Array.of(0xed, 0xa0, 0x80))).toBe(String.raw`\xed\xa0\x80`);
  });

  test('agrees with escapeForTerminal on every valid name', () => {
    const valid = anyText.filter((text) => text.isWellFormed());
    fc.assert(fc.property(valid, (text) => escapeName(new TextEncoder().encode(text)) === escapeForTerminal(text)));
  });

  test('two different names never look the same', () => {
    const bytes = fc.uint8Array({ maxLength: 12 });
    fc.assert(fc.property(bytes, bytes, (a, b) => Buffer.from(a).equals(b) === (escapeName(a) === escapeName(b))));
  });
});

describe('escapeJson', () => {
  test('leaves the value as it is and nothing that steers a terminal', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const json = escapeJson(JSON.stringify({ text }));
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(steering);
      }),
    );
  });
});
