import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import type { Backend } from '../../src/backend/backend.ts';
import type { Secret } from '../../src/crypto/slot.ts';
import { isMbkError, type ErrorCode } from '../../src/errors.ts';
import { initRepository } from '../../src/operations/init.ts';
import { addKey } from '../../src/operations/key-add.ts';
import { removeKey } from '../../src/operations/key-remove.ts';
import { findKey, listKeys, type KeyRow } from '../../src/operations/keys.ts';
import { openRepository, type Repository } from '../../src/repository.ts';
import { random, temporaryFolder } from './make-repository.ts';

const keyFile = (fill: number): Secret => ({ kind: 'key-file', key: new Uint8Array(32).fill(fill) });
const passphrase = (text: string): Secret => ({ kind: 'passphrase', passphrase: text });
const founder = keyFile(1);

async function make({ recovery = false } = {}) {
  const backend = memoryBackend();
  const folder = temporaryFolder();
  const tool = 'mbk test';
  const made = await initRepository({
    backend,
    secret: founder,
    name: 'founder',
    recovery,
    timezone: 'UTC',
    random,
    tool,
  });
  const open = (secret: Secret, through: Backend = backend): Promise<Repository> =>
    openRepository({
      backend: through,
      secret,
      cacheFolder: undefined,
      stateFolder: folder,
      now: Date.now,
      random,
      tool,
    });
  return { backend, open, made };
}

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work;
  } catch (error) {
    if (isMbkError(error)) return error.code;
    throw error;
  }
  return undefined;
}

const states = (rows: readonly KeyRow[]): unknown[] => rows.map(({ name, state }) => [name, state]);

/** A backend that is gone after `puts` puts or deletes. */
function dying(backend: Backend, writes: number): Backend {
  let left = writes;
  const spend = (): void => {
    left -= 1;
    if (left < 0) throw new Error('killed');
  };
  return {
    ...backend,
    put: async (...call) => {
      spend();
      return backend.put(...call);
    },
    delete: async (...call) => {
      spend();
      return backend.delete(...call);
    },
  };
}

async function keysOf(backend: Backend, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list(prefix)) keys.push(key);
  return keys;
}

describe('adding a key', () => {
  test.each([
    ['a key file', keyFile(2)],
    ['a passphrase', passphrase('correct horse')],
    ['a recovery key', { kind: 'recovery', key: new Uint8Array(32).fill(3) } as const],
  ])('%s opens the repository with all that the founder has', async (_, secret) => {
    const { open } = await make();
    const repository = await open(founder);
    const added = await addKey(repository, { secret, name: 'second' });
    const again = await open(secret);
    expect(again.slot).toBe(added.id);
    expect(again.keys.actor.id).toBe(added.actor);
    expect([...again.keys.keysets.keys()]).toEqual([...repository.keys.keysets.keys()]);
    expect(await listKeys(again)).toMatchObject([
      { name: 'founder', state: 'active', isCurrent: false, kind: 'key-file', role: 'owner', removedAt: null },
      { name: 'second', state: 'active', isCurrent: true, kind: secret.kind, role: 'owner', damagedCopies: [] },
    ]);
  });

  test('when it was added stands in the list, also after the log was folded into a state', async () => {
    const { open } = await make();
    const repository = await open(founder);
    const before = Date.now();
    await addKey(repository, { secret: keyFile(2), name: 'second' });
    const [first, second] = await listKeys(repository);
    expect(Date.parse(second?.addedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(first?.addedAt ?? ''));
    expect(Date.parse(second?.addedAt ?? '')).toBeGreaterThanOrEqual(before - 1000);
    while (repository.log.n < 260) await repository.log.append(() => ({ ops: [] }));
    expect(await listKeys(await open(founder))).toEqual(await listKeys(repository));
  });

  test('a name or a secret that is taken is refused', async () => {
    const { open, backend } = await make();
    const repository = await open(founder);
    expect(await codeOf(addKey(repository, { secret: keyFile(2), name: 'founder' }))).toBe('slot-exists');
    expect(await codeOf(addKey(repository, { secret: founder, name: 'second' }))).toBe('slot-exists');
    for (const name of ['', 'a\nb', 'x'.repeat(201)]) {
      expect(await codeOf(addKey(repository, { secret: keyFile(2), name }))).toBe('name-invalid');
    }
    expect(await keysOf(backend, 'slots/')).toHaveLength(1);
  });

  test('killed at any moment it can be done again, and nothing is locked', async () => {
    for (let writes = 0; writes < 5; writes += 1) {
      const { open, backend } = await make();
      const secret = keyFile(2);
      await expect(addKey(await open(founder, dying(backend, writes)), { secret, name: 'second' })).rejects.toThrow(
        'killed',
      );
      const repository = await open(founder);
      await addKey(repository, { secret, name: 'second' });
      expect(states(await listKeys(repository))).toEqual([
        ['founder', 'active'],
        ['second', 'active'],
      ]);
      expect((await open(secret)).keys.actor.id).not.toBe(repository.keys.actor.id);
    }
  });

  test('what a killed one left is shown, opens nothing, and can be removed', async () => {
    const { open, backend } = await make();
    // Slot, its copy, grant, its copy; then comes the log entry, after a probe of the clock that is no put here.
    await expect(
      addKey(await open(founder, dying(backend, 4)), { secret: keyFile(2), name: 'second' }),
    ).rejects.toThrow('killed');
    const repository = await open(founder);
    const [, left] = await listKeys(repository);
    expect(left).toMatchObject({ state: 'unfinished', name: null, kind: 'key-file' });
    expect(await codeOf(open(keyFile(2)))).toBe('role-denied');
    await removeKey(repository, left?.id ?? '');
    expect(await keysOf(backend, 'slots/')).toHaveLength(1);
    expect(await keysOf(backend, 'grants/')).toHaveLength(1);
    expect(await codeOf(open(keyFile(2)))).toBe('secret-wrong');
  });
});

describe('removing a key', () => {
  test('ends what it opens, with all of its bytes', async () => {
    const { open, backend } = await make({ recovery: true });
    const repository = await open(founder);
    const { id } = await addKey(repository, { secret: keyFile(2), name: 'second' });
    expect(await removeKey(repository, 'second')).toMatchObject({ id, name: 'second', isCurrent: false, left: 2 });
    expect(await codeOf(open(keyFile(2)))).toBe('secret-wrong');
    for (const prefix of ['slots/', 'grants/', 'copy/slots/', 'copy/grants/']) {
      expect(await keysOf(backend, prefix)).toHaveLength(2);
    }
    expect(new Map((await listKeys(repository)).map(({ name, state }) => [name, state]))).toEqual(
      new Map([
        ['founder', 'active'],
        ['recovery key', 'active'],
      ]),
    );
  });

  test('the one in use can be removed, so that a passphrase can be changed', async () => {
    const { open } = await make();
    const repository = await open(founder);
    await addKey(repository, { secret: keyFile(2), name: 'second' });
    expect(await removeKey(repository, 'founder')).toMatchObject({ isCurrent: true, left: 1 });
    expect(await codeOf(open(founder))).toBe('secret-wrong');
    expect(await codeOf(addKey(repository, { secret: keyFile(3), name: 'third' }))).toBe('role-denied');
    expect(states(await listKeys(await open(keyFile(2))))).toEqual([['second', 'active']]);
  });

  test('the last one stays, also when two try to remove each other', async () => {
    const { open } = await make();
    const first = await open(founder);
    expect(await codeOf(removeKey(first, 'founder'))).toBe('slot-last');
    await addKey(first, { secret: keyFile(2), name: 'second' });
    const second = await open(keyFile(2));
    const outcomes = await Promise.all([codeOf(removeKey(first, 'second')), codeOf(removeKey(second, 'founder'))]);
    expect(outcomes.filter((code) => code === undefined)).toHaveLength(1);
    expect(outcomes.filter((code) => code === 'role-denied')).toHaveLength(1);
    const opened = [await codeOf(open(founder)), await codeOf(open(keyFile(2)))];
    expect(opened.filter((code) => code === undefined)).toHaveLength(1);
  });

  test('a slot that is damaged does not count as one that opens', async () => {
    const { open, backend } = await make();
    const repository = await open(founder);
    const { id } = await addKey(repository, { secret: keyFile(2), name: 'second' });
    for (const key of [`slots/${id}`, `copy/slots/${id}`]) {
      await backend.delete(key);
      await backend.put(key, [new Uint8Array([1, 2, 3])]);
    }
    expect(await codeOf(removeKey(repository, 'founder'))).toBe('slot-last');
    expect(states(await listKeys(repository))).toEqual([
      ['founder', 'active'],
      ['second', 'missing'],
      [null, 'damaged'],
    ]);
    await removeKey(repository, id);
    await removeKey(repository, 'second');
    expect(states(await listKeys(repository))).toEqual([['founder', 'active']]);
    expect(await keysOf(backend, 'grants/')).toHaveLength(1);
  });

  test('killed at any moment it can be done again, and what it opens is refused from the first entry on', async () => {
    for (let writes = 0; writes < 5; writes += 1) {
      const { open, backend } = await make();
      await addKey(await open(founder), { secret: keyFile(2), name: 'second' });
      await expect(removeKey(await open(founder, dying(backend, writes)), 'second')).rejects.toThrow('killed');
      const repository = await open(founder);
      const row = (await listKeys(repository)).find(({ name }) => name === 'second');
      expect(row?.state).toBe(writes === 0 ? 'active' : 'removed');
      const refused = expect.stringMatching(/role-denied|slot-damaged/);
      expect(await codeOf(open(keyFile(2)))).toEqual(writes === 0 ? undefined : refused);
      await removeKey(repository, row?.id ?? '');
      expect(await keysOf(backend, 'slots/')).toHaveLength(1);
      expect(await keysOf(backend, 'grants/')).toHaveLength(1);
      expect(await keysOf(backend, 'copy/')).toHaveLength(3);
    }
  });

  test('a copy that is damaged is listed', async () => {
    const { open, backend, made } = await make();
    await backend.delete(`copy/slots/${made.slot}`);
    expect(await listKeys(await open(founder))).toMatchObject([
      { state: 'active', damagedCopies: [`copy/slots/${made.slot}`] },
    ]);
  });
});

describe('which key is meant', () => {
  const row = (id: string, name: string, state: KeyRow['state'] = 'active') => ({ id, name, state }) as KeyRow;
  const rows = [row('aaaa11', 'ada'), row('aaaa22', 'bob', 'removed'), row('bbbb33', 'bob'), row('cccc44', 'aaaa11')];

  test.each([
    ['bob', 'bbbb33'],
    ['aaaa11', 'aaaa11'],
    ['aaaa2', 'aaaa22'],
    ['bbbb', 'bbbb33'],
  ])('%s is %s', (text, id) => {
    expect(findKey(rows, text).id).toBe(id);
  });

  test.each([
    ['aaaa', 'slot-ambiguous'],
    ['bbb', 'slot-absent'],
    ['eve', 'slot-absent'],
  ])('%s is %s', (text, code) => {
    expect(() => findKey(rows, text)).toThrow(expect.objectContaining({ code }));
  });
});
