import { expect, test } from 'vitest';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { logKey } from '../../src/format/log-entry.ts';
import { genesis } from '../../src/log/genesis.ts';
import { seededBytes } from '../pack/test-keys.ts';
import { actorOf, actors, firstEntry, owner, startOfTime, tool, writer } from './small-log.ts';

test('genesis gives the bytes, key, hash and fold of entry 1', () => {
  const { key, bytes, hash, fold } = firstEntry();
  expect(key).toBe(logKey(owner.repository, 1));
  expect(hash).toBe(sha256Hex(bytes));
  expect([fold.n, fold.hash, fold.actors.size]).toEqual([1, hash, actors.length]);
});

test('genesis refuses a founder who is no owner', () => {
  const options = { keys: owner, grants: [], timezone: 'UTC', at: startOfTime, tool, random: seededBytes('g') };
  for (const wrong of [[], [actorOf(writer, 'owner')], [actorOf(owner, 'writer')]]) {
    expect(() => genesis({ ...options, actors: wrong })).toThrow(TypeError);
  }
});
