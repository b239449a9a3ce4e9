import { join } from 'node:path';
import { expect } from 'vitest';
import { expectSameTree } from './judges.ts';
import { shell, test, type Site } from './site.ts';

interface Log {
  readonly snapshots: readonly {
    readonly commit: string;
    readonly domain: string;
    readonly tags: readonly string[];
    readonly host: string;
  }[];
}

test('hosts that snapshot at once lose no snapshot, also in one domain', async ({ site }) => {
  const hosts = Array.from({ length: 6 }, (_, number) => hostOf(site, number));
  const jobs = hosts.map(({ env, source, domain }) => site.mbk(['snapshot', source, '--domain', domain], { env }));
  await Promise.all(jobs);
  const { snapshots } = await site.json<Log>(['log']);
  expect(snapshots.map(({ host }) => host).toSorted()).toEqual(hosts.map(({ env }) => env.MBK_HOST).toSorted());
  // One history for each domain: every snapshot is reached from the head, and has a tag of its own.
  for (const domain of ['shared', 'own-4', 'own-5']) {
    const of = snapshots.filter((one) => one.domain === domain);
    const { snapshots: reached } = await site.json<Log>(['log', domain]);
    expect(reached.map(({ commit }) => commit)).toEqual(of.map(({ commit }) => commit));
    expect(new Set(of.flatMap(({ tags }) => tags)).size).toBe(of.length);
  }
  expect(snapshots.filter(({ domain }) => domain === 'shared').length).toBe(4);
  for (const { env, source } of hosts) {
    const { commit = '' } = snapshots.find(({ host }) => host === env.MBK_HOST) ?? {};
    const target = join(site.folder, `restored-${env.MBK_HOST}`);
    await site.mbk(['checkout', commit, '--to', target], { env });
    expectSameTree(target, source);
  }
  await site.mbk(['verify', '--data']);
});

test('a host knows nothing of another one but what the repository says', async ({ site }) => {
  const [one, other] = [hostOf(site, 0), hostOf(site, 1)];
  await site.mbk(['snapshot', one.source, '--domain', 'shared'], { env: one.env });
  // The same files under another path: read, for this host has never seen them, and not stored again.
  const copy = join(site.folder, 'elsewhere');
  shell(`cp -a -- "${one.source}" "${copy}"`, '/');
  const { readBytes, newBytes, storedBytes } = await site.json<{
    readBytes: number;
    newBytes: number;
    storedBytes: number;
  }>(['snapshot', copy, '--domain', 'shared'], { env: other.env });
  expect(readBytes).toBeGreaterThan(100_000);
  expect({ newBytes, storedBytes }).toEqual({ newBytes: 0, storedBytes: 0 });
});

interface Host {
  readonly env: { readonly MBK_HOST: string; readonly MBK_STATE_DIR: string; readonly MBK_CACHE_DIR: string };
  readonly source: string;
  readonly domain: string;
}

/** A host with local folders and files of its own; four of them work in one domain. */
function hostOf(site: Site, number: number): Host {
  const name = `host-${number}`;
  for (let file = 0; file < 20; file += 1)
    site.write(`${name}/folder-${file % 3}/file-${file}.bin`, `${name} ${file} `.repeat(10_000));
  site.write(`${name}/same.txt`, 'the same everywhere');
  return {
    env: {
      MBK_HOST: name,
      MBK_STATE_DIR: join(site.folder, name, 'state'),
      MBK_CACHE_DIR: join(site.folder, name, 'cache'),
    },
    source: join(site.project, name),
    domain: number < 4 ? 'shared' : `own-${number}`,
  };
}
