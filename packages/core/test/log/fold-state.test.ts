import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asGitObjectId } from '../../src/format/ids.ts';
import type { KnownOperation } from '../../src/format/log-operations.ts';
import { decodeLogState, encodeLogState } from '../../src/format/log-state.ts';
import { utf8, toHex } from '../../src/format/bytes.ts';
import { applyEntry } from '../../src/log/apply-entry.ts';
import type { Fold } from '../../src/log/fold.ts';
import { foldOfState, stateOfFold } from '../../src/log/fold-state.ts';
import { codeOf } from '../pack/test-keys.ts';
import {
  actorOf,
  advance,
  commit,
  firstEntry,
  head,
  hex,
  nextEntry,
  owner,
  pack,
  reader,
  segment,
  stranger,
  tag,
  writer,
  condemn,
  remove,
} from './small-log.ts';

const names = fc.constantFrom('a', 'b', 'c', 'd');
const domains = fc.constantFrom('lab', 'clinic');
const captures = fc.array(
  fc.record({ commit: names.map(commit), collection: fc.constantFrom('models/checkpoint', 'data/training') }),
  { maxLength: 3 },
);
const packs = fc.array(names.map(pack), { maxLength: 3 });

const operation: fc.Arbitrary<KnownOperation> = fc.oneof(
  fc
    .tuple(domains, fc.option(names), names, fc.option(names))
    .map(([domain, from, to, name]) => advance(head(domain, from, to, name === null ? null : `${domain}/${name}`))),
  fc.tuple(domains, names).map(([domain, name]) => tag(`${domain}/${name}`)),
  fc
    .tuple(domains, names)
    .map(([domain, name]) => ({ op: 'tag', domain, name: `${domain}/${name}`, deleted: true }) as const),
  fc
    .tuple(fc.array(names), fc.array(names))
    .map(
      ([add, drop]) => ({ op: 'index', add: add.map(segment), drop: drop.map((name) => segment(name).id) }) as const,
    ),
  fc.record({ op: fc.constantFrom('expire', 'unexpire'), captures }),
  fc.tuple(names, captures).map(([name, held]) => ({ op: 'hold', name, captures: held, reason: 'r' }) as const),
  names.map((name) => ({ op: 'hold', name, removed: true }) as const),
  fc.record({ op: fc.constantFrom('lost', 'trust'), packs }),
  packs.map((some) => condemn(...some)),
  fc.tuple(fc.integer({ min: 1, max: 20 }), packs).map(([condemned, some]) => remove(condemned, ...some)),
  names.map(
    (name) =>
      ({
        op: 'redact',
        objects: [{ object: asGitObjectId(hex(name, 40)), replacement: asGitObjectId(hex(`${name}'`, 40)) }],
      }) as const,
  ),
  fc.record({ op: fc.constant('clock' as const), at: fc.nat() }),
  fc
    .constantFrom('writer', 'reader')
    .map((role) => ({ op: 'actors', set: [actorOf(writer, role)], remove: [] }) as const),
  fc.constant({ op: 'actors', set: [], remove: [writer.actor.id] } as const),
);
const pins = fc.array(
  fc.record({
    chain: fc.constantFrom('aa', 'bb'),
    hash: names.map((name) => hex(name)),
    n: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 2 },
);
const entry = fc.record({
  keys: fc.constantFrom(owner, owner, writer, reader, stranger),
  ops: fc.array(operation, { maxLength: 4 }),
  audit: pins,
});

/** The same facts are the same bytes. */
function bytesOf(fold: Fold): string {
  return toHex(encodeLogState(stateOfFold(fold)));
}

test('the fold of a state and the entries after it is the fold of all entries', () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 12 }), fc.nat(), (entries, seed) => {
      const cut = seed % entries.length;
      let all = firstEntry().fold;
      let resumed: Fold | undefined;
      entries.forEach(({ keys, ops, audit }, index) => {
        if (index === cut) resumed = foldOfState(decodeLogState(encodeLogState(stateOfFold(all)), 'state'));
        const next = nextEntry(all, ops, keys, { audit });
        all = applyEntry(all, next).fold;
        if (resumed !== undefined) resumed = applyEntry(resumed, next).fold;
      });
      expect(resumed).toBeDefined();
      if (resumed !== undefined) expect(bytesOf(resumed)).toBe(bytesOf(all));
    }),
    { numRuns: 150 },
  );
});

test('applying an entry leaves the fold before it as it was', () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 2, maxLength: 8 }), (entries) => {
      const versions: { fold: Fold; bytes: string }[] = [];
      let fold = firstEntry().fold;
      for (const { keys, ops, audit } of entries) {
        versions.push({ fold, bytes: bytesOf(fold) });
        fold = applyEntry(fold, nextEntry(fold, ops, keys, { audit })).fold;
      }
      for (const version of versions) expect(bytesOf(version.fold)).toBe(version.bytes);
    }),
    { numRuns: 50 },
  );
});

test('a fold of 10,000 lines and 100,000 deleted packs is a state and comes back', () => {
  let fold = firstEntry().fold;
  const heads = Array.from({ length: 10_000 }, (_, index) =>
    head('lab', index === 0 ? null : `c${index - 1}`, `c${index}`),
  );
  for (let start = 0; start < heads.length; start += 1000)
    fold = applyEntry(fold, nextEntry(fold, [advance(...heads.slice(start, start + 1000))])).fold;
  const gone = Array.from({ length: 100_000 }, (_, index) => pack(`p${index}`));
  fold = applyEntry(fold, nextEntry(fold, [condemn(...gone)])).fold;
  const condemned = fold.n;
  for (let start = 0; start < gone.length; start += 500) {
    fold = applyEntry(fold, nextEntry(fold, [remove(condemned, ...gone.slice(start, start + 500))])).fold;
  }
  expect([fold.lines.length, fold.deleted.size, fold.condemned.size, fold.findings.length]).toEqual([
    10_000, 100_000, 0, 0,
  ]);
  const back = foldOfState(decodeLogState(encodeLogState(stateOfFold(fold)), 'state'));
  expect(bytesOf(back)).toBe(bytesOf(fold));
});

test('a state with a missing or wrong field is refused', () => {
  const state: Record<string, unknown> = JSON.parse(
    Buffer.from(encodeLogState(stateOfFold(firstEntry().fold))).toString(),
  );
  for (const field of Object.keys(state)) {
    const { [field]: _, ...missing } = state;
    expect(codeOf(() => decodeLogState(utf8(JSON.stringify(missing)), 'state'))).toBe('value-invalid');
    expect(codeOf(() => decodeLogState(utf8(JSON.stringify({ ...state, [field]: 'x' })), 'state'))).toBe(
      'value-invalid',
    );
  }
});
