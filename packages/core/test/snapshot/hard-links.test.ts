import { expect, test } from 'vitest';
import { encodeLinks } from '../../src/format/links-record.ts';
import { linkGroups } from '../../src/snapshot/hard-links.ts';

test('groups of two paths or more are as a record has them; others are not told', () => {
  const links = linkGroups();
  links.add('1:5', 'z');
  links.add('1:6', 'alone');
  links.add('1:7', 'b/x');
  links.add('1:5', 'a\xff');
  links.add('1:7', 'b/a');
  links.add('1:5', 'm');
  expect(links.groups()).toEqual([
    ['a\xff', 'm', 'z'],
    ['b/a', 'b/x'],
  ]);
  expect(encodeLinks(links.groups()).omitted).toBe(0);
});
