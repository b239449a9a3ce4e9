import { describe, expect, test } from 'vitest';
import { deriveKeyset, type Keys } from '../../src/crypto/keyset.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { utf8 } from '../../src/format/bytes.ts';
import { asEntryId, asGitObjectId, asKeysetId } from '../../src/format/ids.ts';
import { parameters } from '../../src/format/limits.ts';
import type { KnownOperation } from '../../src/format/log-operations.ts';
import { applyEntry, applyGap } from '../../src/log/apply-entry.ts';
import {
  emptyFold,
  headOf,
  headsOf,
  isCondemned,
  isDeleted,
  isExpired,
  isLost,
  isTrustedActor,
  isTrustedPack,
  lineOf,
  linesOf,
  liveSegments,
  lostAfter,
  roleOf,
  tagsOf,
  wasOwner,
  type Fold,
} from '../../src/log/fold.ts';
import { foldOfState, stateOfFold } from '../../src/log/fold-state.ts';
import { codeOf } from '../pack/test-keys.ts';
import {
  actorOf,
  advance,
  auditor,
  commit,
  firstEntry,
  foldAfter,
  head,
  hex,
  nextEntry,
  owner,
  pack,
  reader,
  segment,
  startOfTime,
  stranger,
  tag,
  writer,
  condemn,
  remove,
} from './small-log.ts';

const first = firstEntry().fold;
const capture = { commit: commit('a'), collection: 'models/checkpoint' };

/** What a fold says, without the place that every entry moves. */
function said(fold: Fold): object {
  const { n: _n, hash: _hash, at: _at, findings: _findings, ...rest } = stateOfFold(fold);
  return rest;
}

function codes(fold: Fold, ops: readonly KnownOperation[], keys: Keys): string[] {
  return applyEntry(fold, nextEntry(fold, ops, keys)).findings.map((finding) => finding.code);
}

describe('entry 1', () => {
  test('makes the founder an owner and names keyset and grant', () => {
    expect(first.n).toBe(1);
    expect(roleOf(first, owner.actor.id)).toBe('owner');
    expect(first.features?.timezone).toBe('Europe/Berlin');
    expect([...first.keysets.keys()]).toEqual([owner.shared.id]);
    expect(first.grants.size).toBe(1);
    expect(first.findings.length).toBe(0);
  });

  test('of somebody who does not make himself an owner has no effect', () => {
    const ops: KnownOperation[] = [
      { op: 'actors', set: [actorOf(owner, 'owner')], remove: [] },
      advance(head('lab', null, 'a')),
    ];
    const { fold, findings } = applyEntry(emptyFold, nextEntry(emptyFold, ops, writer));
    expect(findings.map(({ code }) => code)).toEqual(['actor-unknown', 'actor-unknown']);
    expect(fold.actors.size).toBe(0);
  });

  test('must be number 1', () => {
    expect(() => applyEntry(emptyFold, nextEntry(first, []))).toThrow(RangeError);
  });
});

describe('an owner', () => {
  test('moves heads, several at once, and their tags', () => {
    const fold = foldAfter(
      first,
      [advance(head('lab', null, 'a', 'lab/2025-01-01'), head('clinic', null, 'b'))],
      [advance(head('lab', 'a', 'c'))],
    );
    expect(headsOf(fold)).toEqual(
      new Map([
        ['clinic', commit('b')],
        ['lab', commit('c')],
      ]),
    );
    expect(headOf(fold, 'nowhere')).toBeNull();
    expect(lineOf(fold, commit('a'))).toMatchObject({
      n: 2,
      at: startOfTime + 2,
      actor: owner.actor.id,
      to: commit('a'),
    });
    expect(linesOf(fold, 'lab').map(({ to }) => to)).toEqual([commit('a'), commit('c')]);
    expect(linesOf(fold)).toHaveLength(3);
    expect(tagsOf(fold).get('lab/2025-01-01')).toMatchObject({ commit: commit('a'), n: 2 });
  });

  test('adds and drops index segments', () => {
    const fold = foldAfter(
      first,
      [{ op: 'index', add: [segment('a'), segment('b')], drop: [] }],
      [{ op: 'index', add: [segment('c')], drop: [segment('a').id, segment('b').id] }],
    );
    expect(liveSegments(fold)).toEqual([{ ...segment('c'), n: 3, actor: owner.actor.id }]);
  });

  test('expires captures and takes it back', () => {
    const expired = foldAfter(first, [{ op: 'expire', captures: [capture], reason: 'policy' }]);
    expect(isExpired(expired, capture.commit, capture.collection)).toBe(true);
    expect(isExpired(expired, capture.commit, 'models/other')).toBe(false);
    expect(
      isExpired(foldAfter(expired, [{ op: 'unexpire', captures: [capture] }]), capture.commit, capture.collection),
    ).toBe(false);
  });

  test('condemns, deletes, loses and trusts packs', () => {
    const condemned = foldAfter(first, [condemn(pack('p'), pack('q'))]);
    expect(isCondemned(condemned, pack('p'))).toBe(true);
    const fold = foldAfter(
      condemned,
      [remove(2, pack('p'))],
      [{ op: 'lost', packs: [pack('r')] }],
      [{ op: 'trust', packs: [pack('q')] }],
      [condemn(pack('p'))],
    );
    expect([isDeleted(fold, pack('p')), isCondemned(fold, pack('p')), isCondemned(fold, pack('q'))]).toEqual([
      true,
      false,
      true,
    ]);
    expect([isLost(fold, pack('r')), isLost(fold, pack('p'))]).toEqual([true, false]);
    expect(lostAfter(fold, 3)).toEqual([pack('r')]);
    expect(lostAfter(fold, 4)).toEqual([]);
    expect(isTrustedPack(fold, pack('q'), stranger.actor.id, owner.actor.id)).toBe(true);
    expect(fold.findings.length).toBe(0);
  });

  test('deletes what was not condemned with effect and a finding', () => {
    const { fold, findings } = applyEntry(first, nextEntry(first, [remove(1, pack('p'))]));
    expect(isDeleted(fold, pack('p'))).toBe(true);
    expect(findings.map(({ code }) => code)).toEqual(['delete-uncondemned']);
  });

  test('spares what it condemned, deletes segments and bundles too, and never forgets a deleted name', () => {
    const bundle = asEntryId(hex('bundle'));
    const fold = foldAfter(
      first,
      [{ op: 'index', add: [segment('s')], drop: [] }],
      [{ op: 'condemn', packs: [pack('p')], segments: [segment('s').id], bundles: [bundle] }],
      [{ op: 'delete', packs: [], segments: [segment('s').id], bundles: [bundle], spared: [pack('p')], condemned: 3 }],
    );
    expect([
      fold.condemned.size,
      isDeleted(fold, bundle),
      isDeleted(fold, segment('s').id),
      isDeleted(fold, pack('p')),
    ]).toEqual([0, true, true, false]);
    expect(liveSegments(fold)).toEqual([]);
    expect(fold.findings.length).toBe(0);
    expect(codes(fold, [{ op: 'index', add: [segment('s')], drop: [] }], owner)).toEqual(['index-stale']);
    for (const named of [advance({ ...head('lab', null, 'a'), bundle }), { ...tag('lab/v1'), bundle }]) {
      const after = applyEntry(fold, nextEntry(fold, [named]));
      expect(after.findings.map(({ code }) => code)).toEqual(['bundle-deleted']);
      expect(said(after.fold)).toEqual(said(fold));
    }
    expect(foldAfter(fold, [remove(1, pack('p'))]).deleted.get(bundle)).toBe(4);
  });

  test('holds, redacts, tags and removes a tag', () => {
    const object = asGitObjectId(hex('object', 40));
    const fold = foldAfter(
      first,
      [{ op: 'hold', name: 'case', captures: [capture], reason: 'lawsuit' }],
      [{ op: 'redact', objects: [{ object, replacement: asGitObjectId(hex('r', 40)) }] }],
      [tag('lab/v1')],
    );
    expect(fold.holds.get('case')).toMatchObject({ reason: 'lawsuit', n: 2 });
    expect(fold.redacted.get(object)).toBe(hex('r', 40));
    const after = foldAfter(fold, [
      { op: 'hold', name: 'case', removed: true },
      { op: 'tag', domain: 'lab', name: 'lab/v1', deleted: true },
    ]);
    expect([after.holds.size, after.tags.size]).toEqual([0, 0]);
    expect(codes(after, [{ op: 'tag', domain: 'lab', name: 'lab/v1', deleted: true }], owner)).toEqual(['tag-absent']);
  });

  test('removes actors, who then may nothing', () => {
    const fold = foldAfter(first, [{ op: 'actors', set: [], remove: [writer.actor.id] }]);
    expect(roleOf(fold, writer.actor.id)).toBeUndefined();
    expect(fold.actors.get(writer.actor.id)?.removedAt).toBe(startOfTime + 2);
    expect(codes(fold, [advance(head('lab', null, 'a'))], writer)).toEqual(['actor-unknown']);
  });

  test('acts in one entry by the rights from before it', () => {
    const ops: KnownOperation[] = [
      { op: 'actors', set: [], remove: [owner.actor.id] },
      { op: 'clock', at: 5 },
    ];
    const { fold, findings } = applyEntry(first, nextEntry(first, ops));
    expect(findings).toEqual([]);
    expect(fold.clock).toEqual({ at: 5, n: 2 });
    expect(wasOwner(fold, owner.actor.id)).toBe(true);
  });
});

describe('operations without effect', () => {
  const started = foldAfter(first, [advance(head('lab', null, 'a', 'lab/one'), head('clinic', null, 'b'))]);

  test.each([
    ['a stale from', [advance(head('lab', null, 'x'))], ['advance-stale']],
    ['a from of another domain', [advance(head('lab', 'b', 'x'))], ['advance-stale']],
    ['one stale head among several', [advance(head('clinic', 'b', 'x'), head('lab', 'b', 'y'))], ['advance-stale']],
    [
      'one domain twice from the same commit',
      [advance(head('lab', 'a', 'x'), head('lab', 'a', 'y'))],
      ['advance-stale'],
    ],
    ['a tag that exists', [tag('lab/one', 'x')], ['tag-exists']],
    ['an advance with a tag that exists', [advance(head('lab', 'a', 'x', 'lab/one'))], ['tag-exists']],
    [
      'a drop of a segment that is not live',
      [{ op: 'index', add: [segment('t')], drop: [segment('u').id] }],
      ['index-stale'],
    ],
    ['a void of a later entry', [{ op: 'void', n: 9, hash: hex('x') }], ['reference-wrong']],
    ['a void of the entry before with another hash', [{ op: 'void', n: 2, hash: hex('x') }], ['reference-wrong']],
    ['a state of another entry', [{ op: 'state', id: asEntryId(hex('x')), through: 1 }], ['reference-wrong']],
  ] satisfies [string, KnownOperation[], string[]][])('%s changes nothing and is a finding', (_, ops, expected) => {
    const { fold, findings } = applyEntry(started, nextEntry(started, ops));
    expect(findings.map(({ code }) => code)).toEqual(expected);
    expect(said(fold)).toEqual(said(started));
    expect(findings[0]).toMatchObject({ n: 3, actor: owner.actor.id });
  });

  test('the other operations of the entry keep theirs', () => {
    const { fold } = applyEntry(started, nextEntry(started, [advance(head('lab', null, 'x')), tag('lab/two')]));
    expect(headOf(fold, 'lab')).toBe(commit('a'));
    expect(fold.tags.has('lab/two')).toBe(true);
  });

  test('one entry leaves at most 16 findings', () => {
    const ops = Array.from({ length: 1000 }, () => advance(head('lab', null, 'x')));
    const { fold, findings } = applyEntry(started, nextEntry(started, ops));
    expect(findings).toHaveLength(16);
    expect(findings.at(-1)).toMatchObject({ code: 'more', text: '985 more findings of this entry' });
    expect(fold.findings.length).toBe(16);
  });
});

describe('roles', () => {
  const started = foldAfter(
    first,
    [advance(head('lab', null, 'a', 'lab/one'), head('clinic', null, 'b'))],
    [{ op: 'index', add: [segment('s')], drop: [] }],
  );
  const state: KnownOperation = { op: 'state', id: asEntryId(hex('x')), through: started.n };
  const every: readonly [string, KnownOperation][] = [
    ['features', { op: 'features', format: 9, required: ['x'], parameters, timezone: 'UTC' }],
    ['keyset', { op: 'keyset', id: asKeysetId(hex('k', 32)), scope: 'lab', generation: 1 }],
    ['actors', { op: 'actors', set: [actorOf(writer, 'owner'), actorOf(stranger, 'owner')], remove: [owner.actor.id] }],
    ['grant', { op: 'grant', grant: asEntryId(hex('g2')), actor: writer.actor.id, keysets: [] }],
    ['advance', advance(head('lab', 'a', 'x'))],
    ['advance of another domain', advance(head('clinic', 'b', 'x'))],
    ['advance of both', advance(head('lab', 'a', 'x'), head('clinic', 'b', 'x'))],
    ['tag', tag('lab/two')],
    ['tag in another domain', tag('clinic/two')],
    ['tag removal', { op: 'tag', domain: 'lab', name: 'lab/one', deleted: true }],
    ['index add', { op: 'index', add: [segment('t')], drop: [] }],
    ['index drop', { op: 'index', add: [segment('t')], drop: [segment('s').id] }],
    ['expire', { op: 'expire', captures: [capture] }],
    ['unexpire', { op: 'unexpire', captures: [capture] }],
    ['hold', { op: 'hold', name: 'h', captures: [capture], reason: 'r' }],
    ['hold removal', { op: 'hold', name: 'h', removed: true }],
    ['condemn', condemn(pack('p'))],
    ['delete', remove(1, pack('p'))],
    ['lost', { op: 'lost', packs: [pack('p')] }],
    ['trust', { op: 'trust', packs: [pack('p')] }],
    [
      'redact',
      { op: 'redact', objects: [{ object: asGitObjectId(hex('o', 40)), replacement: asGitObjectId(hex('r', 40)) }] },
    ],
    ['clock', { op: 'clock', at: 5 }],
    ['state', state],
    ['void', { op: 'void', n: 1, hash: hex('v') }],
  ];
  const writersOwn = ['advance', 'tag', 'index add', 'state'];

  test.each(every)('%s: only who may does it', (name, op) => {
    const attempts: [Keys, string][] = [
      [stranger, 'actor-unknown'],
      [reader, 'role-denied'],
      [auditor, 'role-denied'],
    ];
    if (!writersOwn.includes(name)) attempts.push([writer, 'role-denied']);
    for (const [keys, code] of attempts) {
      const { fold, findings } = applyEntry(started, nextEntry(started, [op], keys));
      expect(findings.map((finding) => finding.code)).toEqual([code]);
      expect(said(fold)).toEqual(said(started));
    }
    if (writersOwn.includes(name)) expect(codes(started, [op], writer)).toEqual([]);
  });

  test('a writer does not take over the segment of another, an owner does', () => {
    const lie = { ...segment('s'), bytes: 7 };
    const { fold, findings } = applyEntry(started, nextEntry(started, [{ op: 'index', add: [lie], drop: [] }], writer));
    expect(findings.map(({ code }) => code)).toEqual(['index-stale']);
    expect(said(fold)).toEqual(said(started));
    const own = applyEntry(started, nextEntry(started, [{ op: 'index', add: [segment('w')], drop: [] }], writer)).fold;
    expect(own.segments.get(segment('w').id)?.actor).toBe(writer.actor.id);
    expect(codes(own, [{ op: 'index', add: [segment('w')], drop: [] }], writer)).toEqual([]);
    const taken = foldAfter(own, [{ op: 'index', add: [segment('w')], drop: [] }]);
    expect(taken.segments.get(segment('w').id)?.actor).toBe(owner.actor.id);
  });

  test('a writer without named domains may write to all', () => {
    const fold = foldAfter(started, [{ op: 'actors', set: [actorOf(writer, 'writer')], remove: [] }]);
    expect(codes(fold, [advance(head('clinic', 'b', 'x'))], writer)).toEqual([]);
  });

  test('an audit pin of a stranger does not count, and no pin goes back', () => {
    const pin = { chain: 'aa', hash: hex('h'), n: 4 };
    const pinned = applyEntry(started, nextEntry(started, [], writer, { audit: [pin] })).fold;
    expect(pinned.audit.get('aa')).toEqual(pin);
    for (const [keys, moved, code] of [
      [stranger, { ...pin, n: 5 }, 'actor-unknown'],
      [owner, { ...pin, n: 3 }, 'audit-backwards'],
      [owner, { ...pin, hash: hex('other') }, 'audit-backwards'],
    ] as const) {
      const { fold, findings } = applyEntry(pinned, nextEntry(pinned, [], keys, { audit: [moved] }));
      expect(findings.map((finding) => finding.code)).toEqual([code]);
      expect(fold.audit.get('aa')).toEqual(pin);
    }
  });

  test('blobs count as known by whose pack they are in', () => {
    const self = writer.actor.id;
    expect(isTrustedActor(first, self, self)).toBe(true);
    expect(isTrustedActor(first, owner.actor.id, self)).toBe(true);
    expect(isTrustedActor(first, writer.actor.id, owner.actor.id)).toBe(false);
    expect(isTrustedActor(first, stranger.actor.id, self)).toBe(false);
    const marked = foldAfter(first, [
      {
        op: 'actors',
        set: [actorOf(writer, 'writer', { trusted: true }), actorOf(owner, 'owner', { trusted: false })],
        remove: [],
      },
    ]);
    expect(isTrustedActor(marked, writer.actor.id, owner.actor.id)).toBe(true);
    expect(isTrustedActor(marked, owner.actor.id, self)).toBe(false);
    const removed = foldAfter(
      first,
      [{ op: 'actors', set: [actorOf(stranger, 'owner')], remove: [] }],
      [{ op: 'actors', set: [], remove: [stranger.actor.id] }],
    );
    expect(isTrustedActor(removed, stranger.actor.id, self)).toBe(true);
  });
});

describe('what this version does not know', () => {
  test.each([
    { format: 2, required: [] },
    { format: 1, required: ['time-travel'] },
  ])('features %o refuse the repository', (features) => {
    const entry = nextEntry(first, [{ op: 'features', ...features, parameters, timezone: 'UTC' }]);
    expect(codeOf(() => applyEntry(first, entry))).toBe('format-unsupported');
  });
});

describe('isolated scopes', () => {
  const root = sha256(utf8('isolated'));
  const isolated = deriveKeyset(root, { id: asKeysetId(hex('isolated', 32)), scope: 'lab', generation: 1 });
  const member: Keys = { ...owner, keysets: new Map([...owner.keysets, [isolated.id, isolated]]) };
  const draft = {
    n: 2,
    previous: first.hash,
    at: startOfTime + 2,
    sections: [{ keyset: isolated.id, ops: [advance(head('lab', null, 'a'))] }],
  };

  test('are read with their keyset and passed over without it', () => {
    const theirs = applyEntry(first, nextEntry(first, [tag('clinic/v1')], member, draft)).fold;
    expect(headOf(theirs, 'lab')).toBe(commit('a'));
    expect(theirs.tags.has('clinic/v1')).toBe(true);
  });

  test('hold operations of their own domain only', () => {
    const stray = { ...draft, sections: [{ keyset: isolated.id, ops: [advance(head('clinic', null, 'a'))] }] };
    const { fold, findings } = applyEntry(first, nextEntry(first, [], member, stray));
    expect(findings.map(({ code }) => code)).toEqual(['scope-wrong']);
    expect(fold.heads.size).toBe(0);
  });
});

describe('a gap', () => {
  const started = foldAfter(first, [advance(head('lab', null, 'a'))]);

  test('lets each domain go on once from a commit that is unknown', () => {
    const past = applyGap(started, hex('lost'));
    const { fold, findings } = applyEntry(past, nextEntry(past, [advance(head('lab', 'unknown', 'c'))]));
    expect(findings.map(({ code }) => code)).toEqual(['advance-over-gap']);
    expect(headOf(fold, 'lab')).toBe(commit('c'));
    expect(codes(fold, [advance(head('lab', 'again', 'd'))], owner)).toEqual(['advance-stale']);
    expect(codes(fold, [advance(head('clinic', 'other', 'e'))], owner)).toEqual(['advance-over-gap']);
  });

  test('is closed by a void, which leaves a finding', () => {
    const past = applyGap(started, hex('lost'));
    const { fold, findings } = applyEntry(past, nextEntry(past, [{ op: 'void', n: 3, hash: hex('lost') }]));
    expect(fold.gaps).toEqual([]);
    expect(fold.voided.get(3)).toBe(hex('lost'));
    expect(findings.map(({ code }) => code)).toEqual(['entry-voided']);
    expect(codes(fold, [advance(head('lab', 'unknown', 'c'))], owner)).toEqual(['advance-stale']);
  });
});

test('a later line of the same commit, in another domain, does not speak for it', () => {
  const before = foldAfter(first, [advance(head('clinic', null, 'a'))]);
  const { fold } = applyEntry(before, nextEntry(before, [advance(head('lab', null, 'a'))], writer));
  expect(headOf(fold, 'lab')).toBe(commit('a'));
  expect(lineOf(fold, commit('a'))?.domain).toBe('clinic');
  expect(lineOf(foldOfState(stateOfFold(fold)), commit('a'))?.domain).toBe('clinic');
});
