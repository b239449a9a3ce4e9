import { expect, test } from 'vitest';
import { suggestNames } from '../../src/catalogue/suggest-names.ts';

test('the nearest names come first, at most three, none that is far', () => {
  const names = ['healthcare', 'healthcare2', 'finance', 'education', 'healthcares', 'heathcare', 'healthcare/v2'];
  expect(suggestNames('healthcare', ['finance', 'education'])).toEqual([]);
  expect(suggestNames('helthcare', names)).toEqual(['healthcare', 'heathcare', 'healthcare2']);
  expect(suggestNames('v2', names)).toEqual(['healthcare/v2']);
  expect(suggestNames('financ', names)).toEqual(['finance']);
});
