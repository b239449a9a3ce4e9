import { describe, expect, test } from 'vitest';
import { magicSpan, type Match, matchesMagic, matchesPath, matchingKind } from '../src/index.ts';

const zip = Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0);
const checkpoint: Match = {
  kind: 'checkpoint/pytorch',
  extensions: ['.pt', '.ckpt'],
  magic: [{ offset: 0, bytes: '504b0304' }],
};

describe('match rules', () => {
  test('an extension is compared without case, and with its dot', () => {
    expect(matchesPath(checkpoint, 'runs/LAST.PT')).toBe(true);
    expect(matchesPath(checkpoint, 'runs/script')).toBe(false);
    expect(matchesPath(checkpoint, 'runs/lastpt')).toBe(false);
  });

  test('extensions and globs are alternatives', () => {
    const rule: Match = { kind: 'a/b', extensions: ['.bin'], globs: ['adapter_*'] };
    expect(matchesPath(rule, 'x/model.bin')).toBe(true);
    expect(matchesPath(rule, 'x/adapter_model.dat')).toBe(true);
    expect(matchesPath(rule, 'x/model.dat')).toBe(false);
  });

  test('magic holds at its offset only, and never beyond the end', () => {
    expect(matchesMagic(checkpoint, zip)).toBe(true);
    expect(matchesMagic(checkpoint, zip.subarray(0, 3))).toBe(false);
    expect(matchesMagic({ kind: 'a/b', magic: [{ offset: 2, bytes: '0304' }] }, zip)).toBe(true);
    expect(matchesMagic({ kind: 'a/b', magic: [{ offset: 1, bytes: '504b' }] }, zip)).toBe(false);
  });

  test('both sides of a rule must hold, and the first rule that holds names the kind', () => {
    const rules: readonly Match[] = [checkpoint, { kind: 'archive/zip', magic: [{ offset: 0, bytes: '504b' }] }];
    expect(matchingKind(rules, { path: 'a.pt', head: zip })).toBe('checkpoint/pytorch');
    expect(matchingKind(rules, { path: 'a.docx', head: zip })).toBe('archive/zip');
    expect(matchingKind(rules, { path: 'a.pt', head: Uint8Array.of(0x80, 2) })).toBeUndefined();
  });

  test('magicSpan is what the longest magic reaches', () => {
    expect(magicSpan([{ kind: 'a/b', magic: [{ offset: 4, bytes: '000000007b22' }] }, checkpoint])).toBe(10);
    expect(magicSpan([{ kind: 'a/b', extensions: ['.x'] }])).toBe(0);
  });
});
