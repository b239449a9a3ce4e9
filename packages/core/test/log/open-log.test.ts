import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { faulty, faultAt } from '../../src/backend/faulty.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { MbkError } from '../../src/errors.ts';
import { toHex, utf8 } from '../../src/format/bytes.ts';
import { logKey } from '../../src/format/log-entry.ts';
import { encodeLogState } from '../../src/format/log-state.ts';
import { headOf, liveSegments, roleOf, type Fold } from '../../src/log/fold.ts';
import { stateOfFold } from '../../src/log/fold-state.ts';
import type { SeenLog } from '../../src/log/log-memory.ts';
import type { Log } from '../../src/log/open-log.ts';
import { writeState } from '../../src/log/state-entry.ts';
import { sealEntry } from '../../src/log/sealed-entry.ts';
import { seededRandom } from '../backend/random.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { seededBytes, testKeys } from '../pack/test-keys.ts';
import {
  actorOf,
  advance,
  commit,
  copyOf,
  fill,
  flipped,
  head,
  hex,
  newLog,
  nextEntry,
  open,
  owner,
  pack,
  reader,
  replaceEntry,
  segment,
  startOfTime,
  stranger,
  tag,
  tool,
  writer,
  remove,
} from './small-log.ts';

const newFolder = temporaryFolders();
const bytesOf = (fold: Fold): string => toHex(encodeLogState(stateOfFold(fold)));
/** The code that `work` fails with. */
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof MbkError ? error.code : error),
  );

/** Every entry follows the one before it, and says so. */
async function expectIntact(backend: Backend, count: number): Promise<void> {
  let previous = '0'.repeat(64);
  for (let n = 1; n <= count; n += 1) {
    const bytes = await backend.get(logKey(owner.repository, n));
    expect(toHex(bytes.subarray(32, 64))).toBe(previous);
    previous = sha256Hex(bytes);
  }
  expect(await backend.stat(logKey(owner.repository, count + 1))).toBeUndefined();
}

describe('opening', () => {
  test('a repository without a log is an error of its own', async () => {
    expect(await failureOf(open(memoryBackend()))).toBe('entry-absent');
  });

  test('gives what was appended, also to others and later', async () => {
    const backend = await newLog();
    const one = await open(backend);
    await one.append(() => ({ ops: [advance(head('lab', null, 'a'))] }));
    const two = await open(backend, { keys: writer });
    await two.append((fold) => ({ ops: [advance(head('lab', 'a', 'b')), tag(`lab/${fold.n}`)] }));
    expect(one.n).toBe(2);
    await one.refresh();
    expect([one.n, one.hash]).toEqual([3, two.hash]);
    expect(bytesOf(one.fold)).toBe(bytesOf(two.fold));
    expect(headOf((await open(backend, { keys: reader })).fold, 'lab')).toBe(commit('b'));
    await expectIntact(backend, 3);
  });

  test('reads single entries, proved by the chain', async () => {
    const log = await open(await newLog());
    await fill(log, 3);
    expect(await log.read(2)).toMatchObject({ n: 2, actor: owner.actor.id, tool, previous: (await log.read(1)).hash });
    expect(await failureOf(log.read(5))).toBe('entry-absent');
    expect(await failureOf(log.read(0))).toBe('entry-absent');
  });

  test('does not mind a stale list', async () => {
    const backend = await newLog();
    const stale = faulty(backend, {
      plan: (call) => (call.method === 'list' ? { kind: 'stale-list', missing: 3 } : undefined),
      random: seededRandom(1),
    });
    const log = await open(stale);
    await fill(log, 5);
    expect((await open(stale)).n).toBe(6);
  });

  test('does not mind a list that names a deleted entry, or foreign keys beside the log', async () => {
    const backend = await newLog();
    await fill(await open(backend), 2);
    const prefix = `log/${owner.repository}/`;
    await backend.put(`${prefix}0000`, [utf8('x')]);
    const ghost: Backend = {
      ...backend,
      async *list(start, options) {
        yield { key: logKey(owner.repository, 4), size: 300 };
        yield* backend.list(start, { ...options, limit: 100 });
      },
    };
    expect((await open(ghost)).n).toBe(3);
    expect((await open(backend)).n).toBe(3);
  });

  test('refuses an unknown required operation by name and passes over an optional one', async () => {
    const backend = await newLog();
    const { fold } = await open(backend);
    const draft = { n: 2, previous: fold.hash, at: startOfTime, tool };
    const optional = sealEntry({ ...draft, ops: [{ op: 'dance', optional: true } as never] }, owner, seededBytes('s'));
    await backend.put(logKey(owner.repository, 2), [optional]);
    const log = await open(backend);
    expect(log.findings).toEqual([]);
    const required = sealEntry(
      { ...draft, n: 3, previous: log.hash, ops: [{ op: 'teleport' } as never] },
      owner,
      seededBytes('t'),
    );
    await backend.put(logKey(owner.repository, 3), [required]);
    await expect(open(backend)).rejects.toMatchObject({
      code: 'operation-unknown',
      details: { operation: 'teleport' },
    });
  });
});

describe('appending', () => {
  test('of 24 writers at once lands each exactly once, in an intact chain', async () => {
    const backend = await newLog();
    const logs = await Promise.all(
      Array.from({ length: 24 }, (_, index) => open(backend, { keys: index % 2 === 0 ? owner : writer })),
    );
    const appended = await Promise.all(
      logs.flatMap((log, index) =>
        [0, 1].map((round) =>
          log.append(() => ({ ops: [{ op: 'index', add: [segment(`${index} ${round}`)], drop: [] }] })),
        ),
      ),
    );
    expect(new Set(appended.map((one) => one?.n)).size).toBe(48);
    const { fold, n, findings } = await open(backend);
    expect([n, fold.segments.size, findings.length]).toEqual([49, 48, 0]);
    await expectIntact(backend, 49);
  });

  test('of several writers to one domain loses no commit', async () => {
    const backend = await newLog();
    const logs = await Promise.all(Array.from({ length: 8 }, () => open(backend)));
    await Promise.all(
      logs.map((log, index) =>
        log.append((fold) => ({ ops: [advance({ ...head('lab', null, `c${index}`), from: headOf(fold, 'lab') })] })),
      ),
    );
    const { fold, findings } = await open(backend);
    expect(findings).toEqual([]);
    expect(fold.lines.length).toBe(8);
    expect(new Set([...fold.lines.values()].map((line) => line.to)).size).toBe(8);
  });

  test('calls build again with what others appended, and stops when it says so', async () => {
    const backend = await newLog();
    const rival = await open(backend);
    const log = await open(backend);
    const seen: number[] = [];
    const result = await log.append(async (fold) => {
      seen.push(fold.n);
      if (fold.segments.size > 0) return undefined;
      await fill(rival, 1);
      return { ops: [tag('lab/late')] };
    });
    expect(result).toBeUndefined();
    expect(seen).toEqual([1, 2]);
    expect((await open(backend)).fold.tags.size).toBe(0);
  });

  test('gives up after as many lost races as allowed', async () => {
    const backend = await newLog();
    const rival = await open(backend);
    const log = await open(backend);
    let tries = 0;
    const append = log.append(
      async () => {
        tries += 1;
        await fill(rival, 1);
        return { ops: [tag('lab/late')] };
      },
      { attempts: 7 },
    );
    expect(await failureOf(append)).toBe('log-race-lost');
    expect(tries).toBe(7);
  });

  test.each([1, 2, 3])('knows its entry again when %d acknowledgements were lost', async (losses) => {
    const backend = await newLog();
    let lost = 0;
    const unsure = faulty(backend, {
      plan: ({ method, key }) =>
        method === 'put' && key.startsWith('log/') && lost++ < losses ? { kind: 'lost-acknowledgement' } : undefined,
      random: seededRandom(1),
    });
    const log = await open(unsure);
    const appended = await log.append(() => ({ ops: [tag('lab/v1')] }));
    expect(appended?.n).toBe(2);
    await expectIntact(backend, 2);
    expect((await open(backend)).hash).toBe(appended?.hash);
  });

  test('says nothing is stored while no put of it is acknowledged: it may not survive a power cut', async () => {
    const backend = await newLog();
    const unsure = faulty(backend, {
      plan: ({ method }) => (method === 'put' ? { kind: 'lost-acknowledgement' } : undefined),
      random: seededRandom(1),
    });
    expect(await failureOf((await open(unsure)).append(() => ({ ops: [tag('lab/v1')] })))).toBe('backend-failed');
    expect((await (await open(backend)).append(() => ({ ops: [tag('lab/v2')] })))?.n).toBe(3);
    await expectIntact(backend, 3);
  });

  test('tells an error of the storage, and has stored nothing', async () => {
    const backend = await newLog();
    for (const code of ['backend-failed', 'backend-full', 'backend-read-only'] as const) {
      const broken = faulty(backend, {
        plan: ({ method }) => (method === 'put' ? { kind: 'error', code } : undefined),
        random: seededRandom(1),
      });
      expect(await failureOf((await open(broken)).append(() => ({ ops: [tag('lab/v1')] })))).toBe(code);
    }
    expect((await open(backend)).n).toBe(1);
  });

  test('repeats a put that failed once', async () => {
    const backend = await newLog();
    const once = faulty(backend, { plan: faultAt('put', 1, { kind: 'error' }), random: seededRandom(1) });
    expect((await (await open(once)).append(() => ({ ops: [tag('lab/v1')] })))?.n).toBe(2);
  });

  test('stores nothing that would have no effect', async () => {
    const backend = await newLog();
    const log = await open(backend);
    await log.append(() => ({ ops: [tag('lab/v1'), advance(head('lab', null, 'a'))] }));
    expect(await failureOf(log.append(() => ({ ops: [tag('lab/v1')] })))).toBe('tag-exists');
    expect(await failureOf((await open(backend, { keys: writer })).append(() => ({ ops: [tag('clinic/v1')] })))).toBe(
      'role-denied',
    );
    expect(await failureOf((await open(backend, { keys: stranger })).append(() => ({ ops: [tag('lab/v2')] })))).toBe(
      'role-denied',
    );
    await expect(log.append(() => ({ ops: [advance(head('lab', null, 'b'))] }))).rejects.toThrow(RangeError);
    expect((await open(backend)).n).toBe(2);
  });

  test('carries on after an error that build threw', async () => {
    const log = await open(await newLog());
    const failing = log.append(() => {
      throw new MbkError('interrupted', 'stop');
    });
    const next = log.append(() => ({ ops: [tag('lab/v1')] }));
    expect(await failureOf(failing)).toBe('interrupted');
    expect((await next)?.n).toBe(2);
  });

  test('takes the time from the storage, right before the put', async () => {
    let time = startOfTime;
    const backend = memoryBackend({ now: () => time });
    for (const [key, bytes] of await copyOf(await newLog())) await backend.put(key, [bytes]);
    const log = await open(backend, { now: () => 1 });
    const appended = await log.append(() => {
      time += 5000;
      return { ops: [] };
    });
    expect(appended?.entry.at).toBe(startOfTime + 5000);
  });
});

describe('states', () => {
  test('600 entries cross two states; with either damaged the fold is the same', async () => {
    const backend = await newLog();
    const log = await open(backend);
    await fill(log, 599);
    expect(log.n).toBe(600);
    const whole = bytesOf(log.fold);

    let gets = 0;
    const counted: Backend = { ...backend, get: (...call) => ((gets += 1), backend.get(...call)) };
    expect(bytesOf((await open(counted)).fold)).toBe(whole);
    // The entries from 512 on, the state that entry 512 names, and entry 1 with the founders at most.
    expect(gets).toBeLessThanOrEqual(600 - 512 + 1 + 2);

    const states = [await stateKeyIn(log, 512), await stateKeyIn(log, 256)];
    for (const [index, key] of states.entries()) {
      const bytes = await backend.get(key);
      await backend.delete(key);
      await backend.put(key, [flipped(bytes, 200)]);
      const after = await open(backend);
      expect(bytesOf(after.fold)).toBe(whole);
      expect(after.damage.map(({ key: damaged }) => damaged)).toEqual(states.slice(0, index + 1));
      expect(after.damage.every(({ blocksWriters }) => !blocksWriters)).toBe(true);
    }
    await fill(await open(backend), 1);
    expect((await open(backend)).n).toBe(601);
  });

  test('an entry older than the newest state may be damaged', async () => {
    const backend = await newLog();
    const log = await open(backend);
    await fill(log, 299);
    await replaceEntry(backend, 100, (bytes) => flipped(bytes, 150));
    const after = await open(backend);
    expect(bytesOf(after.fold)).toBe(bytesOf(log.fold));
    expect(after.damage).toEqual([]);
    await fill(after, 1);
  });

  test('when a state and an entry before it are damaged, what is unknown is a named gap', async () => {
    const backend = await newLog();
    const log = await open(backend);
    await fill(log, 299);
    await replaceEntry(backend, 100, (bytes) => flipped(bytes, 150));
    await backend.delete(await stateKeyIn(log, 256));
    const after = await open(backend);
    expect(after.n).toBe(300);
    expect(after.fold.gaps).toEqual([100]);
    expect(after.fold.segments.has(segment('segment 100').id)).toBe(false);
    expect(after.fold.segments.size).toBe(log.fold.segments.size - 1);
    expect(after.damage.filter(({ blocksWriters }) => blocksWriters).map(({ n }) => n)).toEqual([100]);
    expect(await failureOf(fill(after, 1))).toBe('log-damaged');
  });

  test('one that a writer forged is never the base of another host, and is named', async () => {
    const backend = await newLog();
    const log = await open(backend);
    await fill(log, 254);
    expect(log.n).toBe(255);
    // The writer makes itself an owner, in a state that is well sealed and an entry that it may append.
    const forged = nextEntry(log.fold, [{ op: 'actors', set: [actorOf(writer, 'owner')], remove: [owner.actor.id] }]);
    const lie: Fold = {
      ...log.fold,
      actors: log.fold.actors.with([[writer.actor.id, { ...actorOf(writer, 'owner'), addedAt: 1 }]]),
    };
    const id = await writeState(lie, { backend, keys: writer, random: seededBytes('lie') });
    const bytes = sealEntry(
      { n: 256, previous: log.hash, at: forged.at, tool, ops: [{ op: 'state', id, through: 255 }] },
      writer,
      seededBytes('forge'),
    );
    await backend.put(logKey(owner.repository, 256), [bytes]);

    const victim = await open(backend, { keys: reader });
    expect(victim.fold.actors.get(writer.actor.id)?.role).toBe('writer');
    expect(victim.damage).toMatchObject([{ n: 256, reason: 'state-forged', blocksWriters: false }]);
  });

  test('one that a writer wrote truly is compared once, and believed from then on', async () => {
    const backend = await newLog();
    await fill(await open(backend, { keys: writer }), 299);
    let gets = 0;
    const counted: Backend = { ...backend, get: (...call) => ((gets += 1), backend.get(...call)) };
    let seen: { n: number; hash: string; at: number; state: never } | undefined;
    const memory = { read: async () => seen, write: async (next: unknown) => void (seen = next as typeof seen) };
    const first = await open(counted, { keys: reader, memory });
    expect(first.damage).toEqual([]);
    expect(gets).toBeGreaterThan(299);
    gets = 0;
    const second = await open(counted, { keys: reader, memory });
    expect(bytesOf(second.fold)).toBe(bytesOf(first.fold));
    expect(gets).toBeLessThan(60);
  });

  test('one that a founder forged who was removed is not believed by a host that has seen the log', async () => {
    const backend = await newLog();
    const log = await open(backend);
    await log.append(() => ({ ops: [{ op: 'actors', set: [actorOf(stranger, 'owner')], remove: [] }] }));
    const successor = await open(backend, { keys: stranger });
    await successor.append(() => ({ ops: [{ op: 'actors', set: [], remove: [owner.actor.id] }] }));
    await fill(successor, 252);
    expect(successor.n).toBe(255);
    let seen: SeenLog | undefined;
    const memory = { read: async () => seen, write: async (next: SeenLog) => void (seen = next) };
    await open(backend, { keys: reader, memory });

    const lie: Fold = {
      ...successor.fold,
      actors: successor.fold.actors.with([[owner.actor.id, { ...actorOf(owner, 'owner'), addedAt: 1 }]]),
    };
    const id = await writeState(lie, { backend, keys: owner, random: seededBytes('lie') });
    const ops = [{ op: 'state', id, through: 255 }] as const;
    const draft = { n: 256, previous: successor.hash, at: startOfTime + 1e6, tool, ops };
    await backend.put(logKey(owner.repository, 256), [sealEntry(draft, owner, seededBytes('forge'))]);

    const victim = await open(backend, { keys: reader, memory });
    expect(roleOf(victim.fold, owner.actor.id)).toBeUndefined();
    expect(victim.damage).toMatchObject([{ n: 256, reason: 'state-forged' }]);
  });

  async function stateKeyIn(log: Log, n: number): Promise<string> {
    const { sections } = await log.read(n);
    const op = sections[0]?.ops.find((one) => one.op === 'state');
    if (op?.op !== 'state') throw new Error(`entry ${n} names no state`);
    return `state/${op.id}`;
  }
});

describe('the cache', () => {
  test('spares the storage all but the newest entry, and is not believed when it lies', async () => {
    const backend = await newLog();
    const cache = newFolder();
    const log = await open(backend, { cache });
    await fill(log, 40);
    let gets = 0;
    const counted: Backend = { ...backend, get: (...call) => ((gets += 1), backend.get(...call)) };
    expect((await open(counted, { cache })).hash).toBe(log.hash);
    expect(gets).toBe(1);

    const other = await newLog();
    await fill(await open(other), 40, 'other');
    const crossed = await open(other, { cache });
    expect(crossed.fold.segments.has(segment('other 20').id)).toBe(true);
    expect(crossed.damage).toEqual([]);
  });

  test('serves an entry that is damaged in the storage', async () => {
    const backend = await newLog();
    const cache = newFolder();
    const log = await open(backend, { cache });
    await fill(log, 10);
    await replaceEntry(backend, 5, (bytes) => flipped(bytes, 150));
    const after = await open(backend, { cache });
    expect(bytesOf(after.fold)).toBe(bytesOf(log.fold));
    expect((await open(backend)).damage).toHaveLength(1);
  });

  test('that cannot be used is done without', async () => {
    const backend = await newLog();
    const log = await open(backend, { cache: '/dev/null/cache' });
    await fill(log, 3);
    expect(log.n).toBe(4);
    expect(log.cacheProblem?.code).toBe('local-state-failed');
  });
});

describe('damage', () => {
  async function history(): Promise<{ backend: Backend; log: Log; entries: ReadonlyMap<string, Uint8Array> }> {
    const backend = await newLog();
    const log = await open(backend);
    await log.append(() => ({
      ops: [advance(head('lab', null, 'a')), { op: 'index', add: [segment('s')], drop: [] }],
    }));
    await log.append(() => ({ ops: [advance(head('lab', 'a', 'b'))] }));
    await log.append(() => ({ ops: [advance(head('lab', 'b', 'c'))] }));
    return { backend, log, entries: await copyOf(backend) };
  }

  test('of any byte of the newest entry: readers go on without it, writers are refused', async () => {
    const { backend, entries } = await history();
    const size = entries.get(logKey(owner.repository, 4))?.byteLength ?? 0;
    for (let offset = 0; offset < size; offset += 5) {
      await replaceEntry(backend, 4, () =>
        flipped(entries.get(logKey(owner.repository, 4)) ?? new Uint8Array(), offset),
      );
      const log = await open(backend);
      expect([log.n, headOf(log.fold, 'lab')]).toEqual([3, commit('b')]);
      expect(log.damage).toMatchObject([{ n: 4, reason: 'damaged', blocksWriters: true }]);
      expect(await failureOf(fill(log, 1))).toBe('log-damaged');
    }
  });

  test('of any byte of an entry in the middle: readers go on past it, writers are refused', async () => {
    const { backend, entries } = await history();
    const bytes = entries.get(logKey(owner.repository, 3)) ?? new Uint8Array();
    for (let offset = 0; offset < bytes.byteLength; offset += 5) {
      await replaceEntry(backend, 3, () => flipped(bytes, offset));
      const log = await open(backend);
      expect([log.n, headOf(log.fold, 'lab')]).toEqual([4, commit('c')]);
      expect(log.damage).toMatchObject([{ n: 3, blocksWriters: true }]);
      expect(log.findings.map(({ code }) => code)).toEqual(['advance-over-gap']);
      expect(await failureOf(fill(log, 1))).toBe('log-damaged');
    }
  });

  test.each([
    ['truncated', (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.byteLength - 1), 'damaged'],
    ['emptied', (): Uint8Array => new Uint8Array(), 'damaged'],
    ['larger than any entry', (): Uint8Array => new Uint8Array(16_777_217), 'oversized'],
  ] as const)('an entry that is %s is named', async (_, change, reason) => {
    const { backend } = await history();
    await replaceEntry(backend, 3, change);
    expect((await open(backend)).damage).toMatchObject([{ n: 3, reason }]);
  });

  test('an entry that is gone, is another one of this log, or is of another repository is named', async () => {
    const { backend, entries } = await history();
    const key = logKey(owner.repository, 3);
    await backend.delete(key);
    expect((await open(backend)).damage).toMatchObject([{ n: 3, reason: 'absent' }]);
    await backend.put(key, [entries.get(logKey(owner.repository, 2)) ?? new Uint8Array()]);
    expect((await open(backend)).damage).toMatchObject([{ n: 3, reason: 'damaged' }]);
    const foreign = sealEntry(
      { n: 3, previous: hex('x'), at: 1, tool, ops: [] },
      testKeys({ repository: 'two' }),
      seededBytes('x'),
    );
    await replaceEntry(backend, 3, () => foreign);
    expect((await open(backend)).damage).toMatchObject([{ n: 3, reason: 'damaged' }]);
  });

  test('an authentic entry that is not the one its successor follows is named', async () => {
    const { backend, log } = await history();
    const { previous } = await log.read(3);
    const fork = sealEntry(
      { n: 3, previous, at: startOfTime, tool, ops: [tag('lab/fork')] },
      owner,
      seededBytes('fork'),
    );
    await replaceEntry(backend, 3, () => fork);
    const after = await open(backend);
    expect(after.damage).toMatchObject([{ n: 3, reason: 'replaced' }]);
    expect(after.fold.tags.size).toBe(0);
  });

  test('an authentic entry with a value that is not allowed is named, with the value', async () => {
    const { backend, log } = await history();
    const invalid = sealEntry(
      { n: 5, previous: log.hash, at: startOfTime, tool, ops: [{ op: 'clock', at: -1 }] },
      owner,
      seededBytes('x'),
    );
    await backend.put(logKey(owner.repository, 5), [invalid]);
    const after = await open(backend);
    expect(after.damage).toMatchObject([{ n: 5, reason: 'invalid', blocksWriters: true }]);
    expect(after.damage[0]?.text).toContain('field at');
  });

  test('a read that goes wrong once is no damage', async () => {
    const { backend, log } = await history();
    for (let count = 1; count <= 4; count += 1) {
      for (const kind of ['bit-flip', 'short-read'] as const) {
        const flaky = faulty(backend, { plan: faultAt('get', count, { kind }), random: seededRandom(count) });
        const after = await open(flaky);
        expect([after.damage, after.hash]).toEqual([[], log.hash]);
      }
    }
  });

  test.each([
    ['one far above', [Number.MAX_SAFE_INTEGER]],
    ['several in a row', [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER - 2]],
    ['in several places', [9_000_000, 9_000_001, 5000, 200, 40]],
    ['where a state would be', [512, 256]],
  ])('keys that continue nothing, %s, are named and do not hide the log', async (_, numbers) => {
    const { backend, log } = await history();
    for (const n of numbers) await backend.put(logKey(owner.repository, n), [utf8('x')]);
    const after = await open(backend);
    expect(after.n).toBe(4);
    expect(bytesOf(after.fold)).toBe(bytesOf(log.fold));
    expect(after.damage.map(({ n, reason, blocksWriters }) => [n, reason, blocksWriters])).toEqual(
      numbers.toSorted((a, b) => b - a).map((n) => [n, 'stray', true]),
    );
  });

  test('an entry far above the head that a stolen key signed is named as well', async () => {
    const { backend, log } = await history();
    const far = Number.MAX_SAFE_INTEGER - 1;
    const forged = sealEntry(
      { n: far, previous: hex('x'), at: startOfTime, tool, ops: [] },
      writer,
      seededBytes('far'),
    );
    await backend.put(logKey(owner.repository, far), [forged]);
    const after = await open(backend);
    expect(bytesOf(after.fold)).toBe(bytesOf(log.fold));
    expect(after.damage).toMatchObject([{ n: far, reason: 'stray' }]);
  });

  test('a log whose beginning is gone, and that has no state, cannot be used', async () => {
    const { backend } = await history();
    await replaceEntry(backend, 1, (bytes) => flipped(bytes, 150));
    expect(await failureOf(open(backend))).toBe('log-damaged');
  });

  test('that appears while the log is open stops the next append', async () => {
    const { backend, log } = await history();
    await backend.put(logKey(owner.repository, 5), [utf8('torn')]);
    expect(await failureOf(fill(log, 1))).toBe('log-damaged');
    expect(liveSegments(log.fold)).toHaveLength(1);
    expect(log.n).toBe(4);
  });
});

test('names what forged entries say as findings, and does nothing of it', async () => {
  const backend = await newLog();
  const log = await open(backend);
  await log.append(() => ({ ops: [{ op: 'hold', name: 'case', captures: [], reason: 'lawsuit' }] }));
  const before = log.fold;
  const bytes = sealEntry(
    {
      n: 3,
      previous: log.hash,
      at: startOfTime + 4000,
      tool,
      ops: [{ op: 'hold', name: 'case', removed: true }, remove(1, pack('p'))],
    },
    writer,
    seededBytes('forged'),
  );
  await backend.put(logKey(owner.repository, 3), [bytes]);
  await log.refresh();
  expect(log.findings.map(({ code, op, n }) => [code, op, n])).toEqual([
    ['role-denied', 'hold', 3],
    ['role-denied', 'delete', 3],
  ]);
  expect([log.fold.holds.size, log.fold.deleted.size]).toEqual([before.holds.size, 0]);
});
