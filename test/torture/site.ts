/** A repository as one host sees it, and the operations that are tortured. */
import {
  addKey,
  addTag,
  assetPlugins,
  initRepository,
  openRepository,
  removeKey,
  removeTag,
  snapshot,
  type Backend,
  type ErrorCode,
  type LogPlace,
  type Repository,
  type SnapshotRequest,
} from '@mbk/core';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** A key file's secret: opens at once, where a passphrase takes a fifth of a second on purpose. */
export const secret = { kind: 'key-file', key: new Uint8Array(32).fill(7) } as const;
export const secondSecret = { kind: 'key-file', key: new Uint8Array(32).fill(8) } as const;

export interface Site {
  readonly backend: Backend;
  /** Folder of what the host keeps: cache and state. */
  readonly host: string;
  /** Folder that snapshots are taken of. */
  readonly source: string;
  /** Threads of a snapshot; none for these small sources unless given. */
  readonly jobs?: number;
}

export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** Opens the repository as a new process of the host does. */
export async function openSite({ backend, host }: Omit<Site, 'source'>, expectHead?: LogPlace): Promise<Repository> {
  return openRepository({
    backend,
    secret,
    cacheFolder: join(host, 'cache'),
    stateFolder: join(host, 'state'),
    now: Date.now,
    random,
    tool: 'mbk torture',
    expectHead,
  });
}

/** What is done to a repository; each is one process of its own where processes are killed. */
export const operations = {
  init: async ({ backend }) => {
    await initRepository({
      backend,
      secret,
      name: 'torture',
      recovery: true,
      timezone: 'UTC',
      random,
      tool: 'mbk torture',
    });
  },
  snapshot: (site) =>
    withSite(site, async (repository) => {
      await snapshot(repository, { ...requestFor(site.source), jobs: site.jobs });
    }),
  tag: (site) =>
    withSite(site, async (repository) => {
      await addTag(repository, { name: 'healthcare/kept', revision: 'healthcare', host: 'torture' });
    }),
  untag: (site) =>
    withSite(site, async (repository) => {
      await removeTag(repository, 'healthcare/kept');
    }),
  'key add': (site) =>
    withSite(site, async (repository) => {
      await addKey(repository, { secret: secondSecret, name: 'second' });
    }),
  'key remove': (site) =>
    withSite(site, async (repository) => {
      await removeKey(repository, 'second');
    }),
} as const satisfies Record<string, (site: Site) => Promise<void>>;

export type OperationName = keyof typeof operations;

/** The error of an operation that was done before: a repeat ends with it when the first try was in time. */
export const doneBefore: Readonly<Partial<Record<OperationName, ErrorCode>>> = {
  init: 'repository-exists',
  tag: 'tag-exists',
  untag: 'revision-unknown',
  'key add': 'slot-exists',
  'key remove': 'slot-absent',
};

/** Everything below `source`; the folder at the top is the domain. */
export function requestFor(source: string): SnapshotRequest {
  return {
    root: Buffer.from(source).toString('latin1'),
    rootText: source,
    assign: (path) => ({
      domain: path.split('/')[0] ?? '',
      collection: path.includes('/deep/') ? 'data/deep' : 'models/all',
    }),
    wants: () => true,
    emptyFolders: { domain: 'healthcare', collection: 'models/all' },
    isWholeSource: true,
    retentionOf: () => null,
    plugins: assetPlugins([]),
    message: 'torture',
    plan: null,
    host: 'torture',
    git: null,
  };
}

async function withSite(site: Site, work: (repository: Repository) => Promise<void>): Promise<void> {
  const repository = await openSite(site);
  try {
    await work(repository);
  } finally {
    await repository.close();
  }
}
