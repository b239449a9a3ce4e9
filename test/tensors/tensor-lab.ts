/** A lab with a repository in memory and a folder of models, driven through the library. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  assetPlugins,
  executeCheckout,
  initRepository,
  memoryBackend,
  openRepository,
  snapshot,
  verifyRepository,
  type Backend,
  type CheckoutRequest,
  type Repository,
  type SnapshotReport,
  type SnapshotRequest,
  type VerifyReport,
  type VerifyRequest,
} from '@mbk/core';
import { plugin as checkpoint } from '@mbk/plugin-checkpoint';
import { plugin as gguf } from '@mbk/plugin-gguf';
import { onTestFinished } from 'vitest';
import type { FrameRow } from '../../packages/core/src/format/pack-footer.ts';
import type { BlobCopy } from '../../packages/core/src/pack/blob-copy.ts';

export interface TensorLab {
  readonly backend: Backend;
  /** Folder of the models. */
  readonly source: string;
  write(name: string, bytes: Uint8Array): void;
  open(): Promise<Repository>;
  snapshot(request?: Partial<SnapshotRequest>): Promise<SnapshotReport>;
  verify(request?: Partial<VerifyRequest>): Promise<VerifyReport>;
  /** SHA-256 of each file of a revision, checked out, by name; those that could not be restored are left out. */
  restored(revision: string, request?: Partial<CheckoutRequest>): Promise<Readonly<Record<string, string>>>;
  /** The copies of data blobs that live segments have. */
  copies(): Promise<readonly BlobCopy[]>;
  /** The frames of those, each once. */
  frames(): Promise<readonly FrameRow[]>;
}

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const secret = { kind: 'key-file', key: new Uint8Array(32).fill(7) } as const;

export async function tensorLab(backend: Backend = memoryBackend()): Promise<TensorLab> {
  const folder = mkdtempSync(join(tmpdir(), 'mbk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const source = join(folder, 'source');
  mkdirSync(source);
  await initRepository({ backend, secret, name: 'tester', recovery: false, timezone: 'UTC', random, tool: 'mbk test' });
  let targets = 0;

  const open = (): Promise<Repository> =>
    openRepository({
      backend,
      secret,
      cacheFolder: undefined,
      stateFolder: join(folder, 'state'),
      now: Date.now,
      random,
      tool: 'mbk test',
    });
  const opened = async <T>(work: (repository: Repository) => Promise<T>): Promise<T> => {
    const repository = await open();
    try {
      return await work(repository);
    } finally {
      await repository.close();
    }
  };
  const copies = (): Promise<readonly BlobCopy[]> =>
    opened(async (repository) => {
      const { segments } = await repository.index();
      return segments.flatMap((segment) => [...segment.allCopies()].filter(({ pack }) => pack.kind === 'data'));
    });

  return {
    backend,
    source,
    write: (name, bytes) => writeFileSync(join(source, name), bytes),
    open,
    snapshot: (request) => opened((repository) => snapshot(repository, { ...requestFor(source), ...request })),
    verify: (request) =>
      opened((repository) => verifyRepository(repository, { revisions: [], data: true, ...request })),
    restored: (revision, request) =>
      opened(async (repository) => {
        const target = join(folder, `restored ${(targets += 1)}`);
        const place = Buffer.from(target).toString('latin1');
        await executeCheckout(repository, { revision, paths: [], target: place, owners: false, ...request });
        return Object.fromEntries(
          readdirSync(target).map((name) => [name, sha256Of(readFileSync(join(target, name)))]),
        );
      }),
    copies,
    async frames() {
      const all = await copies();
      return [...new Map(all.map(({ pack, number, frame }) => [`${pack.id} ${number}`, frame])).values()];
    },
  };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function requestFor(source: string): SnapshotRequest {
  const other = { domain: 'lab', collection: 'models/all' };
  return {
    root: Buffer.from(source).toString('latin1'),
    rootText: source,
    assign: () => other,
    wants: () => true,
    emptyFolders: other,
    isWholeSource: true,
    retentionOf: () => null,
    plugins: assetPlugins([checkpoint, gguf]),
    message: '',
    plan: null,
    host: 'test-host',
    git: null,
  };
}
