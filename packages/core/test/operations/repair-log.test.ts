import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { faulty, faultAt } from '../../src/backend/faulty.ts';
import { toHex } from '../../src/format/bytes.ts';
import { logKey } from '../../src/format/log-entry.ts';
import { encodeLogState } from '../../src/format/log-state.ts';
import { headOf, type Fold } from '../../src/log/fold.ts';
import { stateOfFold } from '../../src/log/fold-state.ts';
import { logMemory, type LogMemory } from '../../src/log/log-memory.ts';
import { sealEntry } from '../../src/log/sealed-entry.ts';
import {
  executeLogRepair,
  planLogRepair,
  type LogRepairPlan,
  type LogRepairStep,
  type RepairLogOptions,
} from '../../src/operations/repair-log.ts';
import { seededRandom } from '../backend/random.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import {
  advance,
  commit,
  copyOf,
  fill,
  flipped,
  head,
  newLog,
  open,
  owner,
  replaceEntry,
  segment,
  startOfTime,
  tool,
  writer,
} from '../log/small-log.ts';
import { seededBytes } from '../pack/test-keys.ts';

const newFolder = temporaryFolders();
const bytesOf = (fold: Fold): string => toHex(encodeLogState(stateOfFold(fold)));
const kinds = (plan: LogRepairPlan): string[] =>
  plan.steps.map((step: LogRepairStep) => `${step.kind} ${'n' in step ? step.n : step.through}`);

interface Host {
  readonly cache: string;
  readonly memory: LogMemory;
}

function newHost(): Host {
  const folder = newFolder();
  return { cache: `${folder}/cache`, memory: logMemory(`${folder}/state`, owner.repository, seededBytes(folder)) };
}

function options(backend: Backend, host: Partial<Host> = {}): RepairLogOptions {
  return {
    backend,
    keys: owner,
    random: seededBytes('repair'),
    now: () => startOfTime,
    tool,
    sleep: async () => {},
    ...host,
  };
}

/** Three snapshots of one domain: entries 2, 3 and 4. */
async function history(host: Partial<Host> = {}): Promise<Backend> {
  const backend = await newLog();
  const log = await open(backend, host);
  await log.append(() => ({ ops: [advance(head('lab', null, 'a'))] }));
  await log.append(() => ({ ops: [advance(head('lab', 'a', 'b')), { op: 'index', add: [segment('b')], drop: [] }] }));
  await log.append(() => ({ ops: [advance(head('lab', 'b', 'c'))] }));
  return backend;
}

/** Afterwards everybody can append, and everybody sees the same. */
async function expectSound(backend: Backend, ...hosts: readonly Partial<Host>[]): Promise<Fold> {
  const before = await open(backend);
  expect(before.damage.filter(({ blocksWriters }) => blocksWriters)).toEqual([]);
  await fill(before, 1, 'after repair');
  const { fold } = await open(backend);
  for (const host of hosts) expect(bytesOf((await open(backend, host)).fold)).toBe(bytesOf(fold));
  return fold;
}

test('a sound log needs nothing', async () => {
  const backend = await history();
  const before = await copyOf(backend);
  const plan = await planLogRepair(options(backend));
  expect(plan).toEqual({ head: 4, steps: [], idleSegments: 0 });
  await executeLogRepair(plan, options(backend));
  expect(await copyOf(backend)).toEqual(before);
});

describe('with a local copy', () => {
  test.each([2, 3])('entry %d in the middle is restored as it was', async (n) => {
    const host = newHost();
    const backend = await history(host);
    const before = await copyOf(backend);
    await replaceEntry(backend, n, (bytes) => flipped(bytes, 150));
    const plan = await planLogRepair(options(backend, host));
    expect(kinds(plan)).toEqual([`restore ${n}`]);
    expect((await executeLogRepair(plan, options(backend, host))).damage).toEqual([]);
    expect(await copyOf(backend)).toEqual(before);
  });

  test('one that is gone is restored, also far below the newest state', async () => {
    const host = newHost();
    const backend = await history(host);
    await fill(await open(backend, host), 300);
    const before = await copyOf(backend);
    await backend.delete(logKey(owner.repository, 3));
    await executeLogRepair(await planLogRepair(options(backend, host)), options(backend, host));
    expect(await copyOf(backend)).toEqual(before);
  });

  test('the newest entry gets a successor first, and is then restored', async () => {
    const host = newHost();
    const backend = await history(host);
    const right = await backend.get(logKey(owner.repository, 4));
    await replaceEntry(backend, 4, (bytes) => flipped(bytes, 150));
    const plan = await planLogRepair(options(backend, host));
    expect(kinds(plan)).toEqual(['anchor 5', 'restore 4']);
    expect(await executeLogRepair(plan, options(backend, host))).toMatchObject({ n: 5, damage: [] });
    expect(toHex(await backend.get(logKey(owner.repository, 4)))).toBe(toHex(right));
    const fold = await expectSound(backend, host);
    expect(headOf(fold, 'lab')).toBe(commit('c'));
  });

  test('a repair that is killed after any call is finished by the next', async () => {
    for (const method of ['put', 'delete'] as const) {
      for (const kind of ['error', 'lost-acknowledgement'] as const) {
        for (const count of [1, 2]) {
          const host = newHost();
          const backend = await history(host);
          await replaceEntry(backend, 4, (bytes) => flipped(bytes, 150));
          const plan = await planLogRepair(options(backend, host));
          const fault = kind === 'error' ? ({ kind, code: 'interrupted' } as const) : ({ kind } as const);
          const dying = faulty(backend, { plan: faultAt(method, count, fault), random: seededRandom(1) });
          await executeLogRepair(plan, options(dying, host)).catch((error: unknown) =>
            expect(error).toHaveProperty('code'),
          );
          await executeLogRepair(await planLogRepair(options(backend, host)), options(backend, host));
          expect(headOf(await expectSound(backend, host), 'lab')).toBe(commit('c'));
        }
      }
    }
  });
});

describe('without a copy', () => {
  test('a damaged newest entry is declared void, and what it said is told', async () => {
    const host = newHost();
    const backend = await history(host);
    await replaceEntry(backend, 4, (bytes) => flipped(bytes, bytes.byteLength - 40));
    const plan = await planLogRepair(options(backend));
    expect(kinds(plan)).toEqual(['void 4']);
    expect(plan.steps[0]?.text).toContain('advance');
    expect(await executeLogRepair(plan, options(backend))).toMatchObject({ n: 5 });
    // Who had seen the entry goes on with the others: an owner gave it up.
    const fold = await expectSound(backend, host);
    expect(headOf(fold, 'lab')).toBe(commit('b'));
    expect([...fold.findings.values()].map(({ code }) => code)).toEqual(['entry-voided']);
  });

  test.each([
    ['damaged', (backend: Backend): Promise<void> => replaceEntry(backend, 3, (bytes) => flipped(bytes, 150))],
    ['gone', (backend: Backend): Promise<void> => backend.delete(logKey(owner.repository, 3))],
  ] as const)('an entry in the middle that is %s is void, and everybody goes on from one state', async (_, harm) => {
    const host = newHost();
    const backend = await history(host);
    await backend.put(`index/${segment('b').id}`, [new Uint8Array(1)]);
    await harm(backend);
    const plan = await planLogRepair(options(backend));
    expect(kinds(plan)).toEqual(['void 3', 'state 4']);
    expect(plan.idleSegments).toBe(1);
    await executeLogRepair(plan, options(backend));
    // The host whose copy is whole would see the line of entry 3; it must not, since the others never will.
    const fold = await expectSound(backend, host);
    expect(headOf(fold, 'lab')).toBe(commit('c'));
    expect([...fold.lines.values()].map(({ to }) => to)).toEqual([commit('a'), commit('c')]);
    expect(fold.segments.has(segment('b').id)).toBe(false);
    expect(fold.voided.has(3)).toBe(true);
  });

  test('an open log with the whole entry in its fold goes by the state as well', async () => {
    const backend = await history();
    const log = await open(backend);
    await replaceEntry(backend, 3, (bytes) => flipped(bytes, 150));
    await executeLogRepair(await planLogRepair(options(backend)), options(backend));
    await log.refresh();
    expect(bytesOf(log.fold)).toBe(bytesOf((await open(backend)).fold));
    expect(log.fold.lines.length).toBe(2);
  });

  test('several damaged entries, the newest among them, are mended at once', async () => {
    const backend = await history();
    for (const n of [3, 4]) await replaceEntry(backend, n, (bytes) => flipped(bytes, 150));
    const plan = await planLogRepair(options(backend));
    expect(kinds(plan)).toEqual(['void 3', 'void 4', 'state 4']);
    await executeLogRepair(plan, options(backend));
    expect(headOf(await expectSound(backend), 'lab')).toBe(commit('a'));
    expect((await planLogRepair(options(backend))).steps.map(({ kind }) => kind)).toEqual(['leave', 'leave']);
  });

  test('an entry that a newer state folds is left, and nothing but its record is lost', async () => {
    const backend = await history();
    const log = await open(backend);
    await fill(log, 300);
    await replaceEntry(backend, 3, (bytes) => flipped(bytes, 150));
    const plan = await planLogRepair(options(backend));
    expect(kinds(plan)).toEqual(['leave 3']);
    const before = await copyOf(backend);
    await executeLogRepair(plan, options(backend));
    expect(await copyOf(backend)).toEqual(before);
  });

  test('a key that continues nothing, and bytes no entry can have, are removed', async () => {
    const backend = await history();
    const before = await copyOf(backend);
    await backend.put(logKey(owner.repository, 9_000_000), [new Uint8Array(5)]);
    await backend.put(logKey(owner.repository, 5), [new Uint8Array(16_777_217)]);
    const plan = await planLogRepair(options(backend));
    expect(kinds(plan)).toEqual(['remove 9000000', 'remove 5']);
    await executeLogRepair(plan, options(backend));
    expect(await copyOf(backend)).toEqual(before);
    await expectSound(backend);
  });
});

test('an authentic entry above a hole is never removed', async () => {
  const backend = await history();
  const { previous } = await (await open(backend)).read(2);
  const cutOff = sealEntry({ n: 1000, previous, at: startOfTime, tool, ops: [] }, owner, seededBytes('cut off'));
  await backend.put(logKey(owner.repository, 1000), [cutOff]);
  const plan = await planLogRepair(options(backend));
  expect(kinds(plan)).toEqual(['leave 1000']);
  expect((await executeLogRepair(plan, options(backend))).damage).toMatchObject([{ n: 1000, blocksWriters: true }]);
  expect(await backend.stat(logKey(owner.repository, 1000))).toBeDefined();
});

test('only an owner may give entries up', async () => {
  const backend = await history();
  await replaceEntry(backend, 4, (bytes) => flipped(bytes, 150));
  const plan = await planLogRepair(options(backend));
  const before = await copyOf(backend);
  await expect(executeLogRepair(plan, { ...options(backend), keys: writer })).rejects.toMatchObject({
    code: 'role-denied',
  });
  expect(await copyOf(backend)).toEqual(before);
});

test('a plan of an older log is not carried out', async () => {
  const backend = await history();
  const plan = await planLogRepair(options(backend));
  await fill(await open(backend), 1);
  await expect(executeLogRepair(plan, options(backend))).rejects.toMatchObject({ code: 'log-race-lost' });
});

test('a storage that was rolled back is not repaired', async () => {
  const host = newHost();
  const backend = await history(host);
  await backend.delete(logKey(owner.repository, 4));
  await expect(planLogRepair(options(backend, host))).rejects.toMatchObject({ code: 'log-rolled-back' });
});
