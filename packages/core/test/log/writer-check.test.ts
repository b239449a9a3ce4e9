import { expect, test } from 'vitest';
import { checkReliance, isReliable } from '../../src/log/writer-check.ts';
import { commit, firstEntry, foldAfter, pack, condemn, remove, segment } from './small-log.ts';

const capture = { commit: commit('a'), collection: 'models/checkpoint' };
const reliance = { packs: [pack('p'), pack('q')], captures: [capture], sinceN: 2 };
const first = firstEntry().fold;

test('a writer may rely on packs that are there, also on condemned ones', () => {
  const fold = foldAfter(first, [condemn(pack('p'))], [remove(2, pack('other'))]);
  expect(isReliable(checkReliance(fold, reliance))).toBe(true);
});

test('a writer learns which packs were deleted or lost and which captures expired', () => {
  const fold = foldAfter(
    first,
    [condemn(pack('p'))],
    [remove(2, pack('p'))],
    [{ op: 'lost', packs: [pack('q')] }],
    [{ op: 'expire', captures: [capture] }],
  );
  const broken = checkReliance(fold, { ...reliance, reusesTrees: true });
  expect(broken).toEqual({
    deletedPacks: [pack('p')],
    lostPacks: [pack('q')],
    deletedStored: [],
    expiredCaptures: [capture],
    lostUnderTrees: [pack('q')],
  });
  expect(isReliable(broken)).toBe(false);
  expect(checkReliance(fold, { ...reliance, reusesTrees: true, sinceN: 4 })).toMatchObject({
    lostPacks: [],
    lostUnderTrees: [],
  });
});

test('a capture that expired meanwhile is broken also when that was taken back', () => {
  const fold = foldAfter(first, [], [{ op: 'expire', captures: [capture] }], [{ op: 'unexpire', captures: [capture] }]);
  expect(checkReliance(fold, { ...reliance, sinceN: 2 }).expiredCaptures).toEqual([capture]);
  expect(checkReliance(fold, { ...reliance, sinceN: 3 }).expiredCaptures).toEqual([]);
});

test('any pack that was lost breaks trees reused by stat, whatever was relied on', () => {
  const fold = foldAfter(first, [], [{ op: 'lost', packs: [pack('other')] }]);
  expect(isReliable(checkReliance(fold, reliance))).toBe(true);
  expect(isReliable(checkReliance(fold, { ...reliance, reusesTrees: true }))).toBe(false);
});

test('a writer learns which segments and bundles of its own a prune deleted', () => {
  const [mine, theirs] = [segment('mine').id, segment('theirs').id];
  const fold = foldAfter(first, [
    { op: 'delete', packs: [], segments: [mine, theirs], bundles: [], spared: [], condemned: 1 },
  ]);
  expect(checkReliance(fold, { ...reliance, stored: [mine, segment('kept').id] }).deletedStored).toEqual([mine]);
});
