/** Repositories and sources for tests of operations: a real folder as source, any backend as storage. */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { memoryBackend } from '../../src/backend/memory.ts';
import { initRepository } from '../../src/operations/init.ts';
import { snapshot, type SnapshotReport, type SnapshotRequest } from '../../src/operations/snapshot.ts';
import { openRepository, type OpenOptions, type Repository } from '../../src/repository.ts';
import { assetPlugins } from '../../src/snapshot/asset-plugins.ts';

export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
/** A key file's secret: opens at once, where a passphrase takes a fifth of a second. */
export const secret = { kind: 'key-file', key: new Uint8Array(32).fill(7) } as const;

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mbk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface TestRepository {
  readonly backend: Backend;
  readonly folder: string;
  readonly source: string;
  /** Opens it as another process would; `host` names a state folder of its own. */
  open(host?: string, more?: Partial<OpenOptions>): Promise<Repository>;
  /** Opens, takes a snapshot of the source, closes. */
  snapshot(request?: Partial<SnapshotRequest>, host?: string): Promise<SnapshotReport>;
}

/** A new repository; `folder` goes when the test ends, unless one is given that somebody else removes. */
export async function testRepository(
  backend: Backend = memoryBackend(),
  folder: string = temporaryFolder(),
): Promise<TestRepository> {
  const source = join(folder, 'source');
  mkdirSync(source);
  await initRepository({ backend, secret, name: 'tester', recovery: false, timezone: 'UTC', random, tool: 'mbk test' });
  return repositoryOf({ backend, folder, source });
}

/** A repository of its own that begins as `one` stands, hosts included; its source is that of `one`. */
export async function copyOf(one: TestRepository, backend: Backend = memoryBackend()): Promise<TestRepository> {
  const folder = temporaryFolder();
  cpSync(one.folder, folder, { recursive: true, filter: (path) => path !== one.source });
  for await (const { key } of one.backend.list('')) await backend.put(key, [await one.backend.get(key)]);
  return repositoryOf({ backend, folder, source: one.source });
}

function repositoryOf({
  backend,
  folder,
  source,
}: Pick<TestRepository, 'backend' | 'folder' | 'source'>): TestRepository {
  const open = (host = 'host', more: Partial<OpenOptions> = {}): Promise<Repository> =>
    openRepository({
      backend,
      secret,
      cacheFolder: join(folder, host, 'cache'),
      stateFolder: join(folder, host, 'state'),
      now: Date.now,
      random,
      tool: 'mbk test',
      ...more,
    });
  return {
    backend,
    folder,
    source,
    open,
    async snapshot(request = {}, host) {
      const repository = await open(host);
      try {
        return await snapshot(repository, { ...requestFor(source), ...request });
      } finally {
        await repository.close();
      }
    },
  };
}

/** Everything below `source`, by first folder: `<domain>/…`; what lies at the top is of domain `system`. */
export function requestFor(source: string): SnapshotRequest {
  return {
    root: Buffer.from(source).toString('latin1'),
    rootText: source,
    assign: (path) =>
      path.includes('/')
        ? { domain: path.split('/')[0] ?? '', collection: 'data/all' }
        : { domain: 'system', collection: 'other/files' },
    wants: () => true,
    emptyFolders: { domain: 'system', collection: 'other/files' },
    isWholeSource: true,
    retentionOf: () => null,
    plugins: assetPlugins([]),
    message: '',
    plan: null,
    host: 'test-host',
    git: null,
  };
}
