import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cleanMessage,
  cleanPerson,
  composeMessage,
  splitMessage,
  summaryOf,
} from '../../src/catalogue/commit-message.ts';
import { asCommitId } from '../../src/format/ids.ts';
import { collection, manifestInput } from './small-history.ts';

const one = 'a1'.repeat(32);
const two = 'b2'.repeat(32);

describe('commit messages', () => {
  test('text loses what Git or a terminal could trip over', () => {
    expect(cleanMessage('\n\n first  \r\n\u0000\u001b[31msecond\u0007\rthird\t\n\n')).toBe(' first\n[31msecond\nthird');
    expect(cleanMessage(' \n\u0000\n')).toBe('');
    expect(cleanMessage('\ud800x')).toBe('\ufffdx');
  });

  test('people cannot leave their field', () => {
    expect(cleanPerson({ name: 'Eve> 0 +0000\nparent x', email: '<eve @x>' })).toEqual({
      name: 'Eve 0 +0000 parent x',
      email: 'eve@x',
    });
    expect(cleanPerson({ name: '\n', email: '' })).toEqual({ name: 'unknown', email: '' });
  });

  test('trailers come back, whatever the text says', () => {
    const text = fc.array(fc.constantFrom('a', ' ', '\n', `Manifest-SHA256: ${one}`, `Parent-SHA256: ${one}`), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(text, fc.constantFrom(undefined, two), (parts, parentSha256) => {
        const cleaned = cleanMessage(parts.join('\n')) || 'x';
        const message = composeMessage(cleaned, { manifestSha256: two, parentSha256 });
        expect(splitMessage(message, 'c')).toEqual({ text: cleaned, manifestSha256: two, parentSha256 });
      }),
    );
  });

  test.each([
    'text\n',
    `text\n\nManifest-SHA256: ${one}`,
    `text\n\nManifest-SHA256: xyz\n`,
    `text\n\nManifest-SHA256: ${one}\nmore\n`,
  ])('a message without whole trailers is refused (%#)', (message) => {
    expect(() => splitMessage(message, 'c')).toThrow(expect.objectContaining({ code: 'value-invalid' }));
  });

  test('the summary tells what was taken, not what was carried forward', () => {
    const carried = collection('data/training', { commit: asCommitId('12'.repeat(20)) });
    expect(summaryOf(manifestInput({ collections: [carried, collection('models/checkpoint', { files: 1 })] }))).toBe(
      'daily: 1 file of models/checkpoint',
    );
    const many = ['a/a', 'b/b', 'c/c', 'd/d'].map((name) => collection(name));
    expect(summaryOf(manifestInput({ plan: null, collections: many }))).toBe(
      'Snapshot: 12 files of a/a, b/b, c/c and 1 more',
    );
  });
});
