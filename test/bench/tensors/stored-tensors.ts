/**
 * What mbk stores of weights: a folder is taken into a repository in memory as `mbk snapshot` does it, and the index says
 * what each blob takes there. A blob that several files have counts for the first of them.
 */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBackend } from '../../../packages/core/src/backend/memory.ts';
import type { Compression } from '../../../packages/core/src/codec/compression.ts';
import type { BlobId } from '../../../packages/core/src/format/ids.ts';
import { initRepository } from '../../../packages/core/src/operations/init.ts';
import { snapshot } from '../../../packages/core/src/operations/snapshot.ts';
import { verifyRepository } from '../../../packages/core/src/operations/verify.ts';
import { openRepository, type Repository } from '../../../packages/core/src/repository.ts';
import { readChunks } from '../../../packages/core/src/snapshot/chunk-list-reader.ts';
import { walkTree } from '../../../packages/core/src/snapshot/tree-reader.ts';
import type { WeightFile } from './weight-files.ts';
import { weightPlugins } from './weight-files.ts';

export interface StoredTensors {
  /** Of the payloads of each file, by path: bytes that are stored for them, by codec. */
  readonly payloads: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** All entries of the repository. */
  readonly repositoryBytes: number;
}

const none = { findings: [] };
const secret = { kind: 'key-file', key: new Uint8Array(32).fill(7) } as const;
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** Takes `only` of these files, or all of the folder; throws when what is stored is not sound. */
export async function storeTensors(
  folder: string,
  files: readonly WeightFile[],
  { compression, only }: { readonly compression: Compression; readonly only?: string },
): Promise<StoredTensors> {
  const home = mkdtempSync(join(tmpdir(), 'mbk-tensors-'));
  const backend = memoryBackend();
  await initRepository({ backend, secret, name: 'bench', recovery: false, timezone: 'UTC', random, tool: 'mbk bench' });
  const repository = await openRepository({
    backend,
    secret,
    cacheFolder: join(home, 'cache'),
    stateFolder: join(home, 'state'),
    now: Date.now,
    random,
    tool: 'mbk bench',
  });
  try {
    const all = { domain: 'bench', collection: 'models/all' };
    const report = await snapshot(repository, {
      root: Buffer.from(folder).toString('latin1'),
      rootText: folder,
      exclude: (path, isFolder) => only !== undefined && !(isFolder ? only.startsWith(`${path}/`) : path === only),
      assign: () => all,
      wants: () => true,
      emptyFolders: all,
      isWholeSource: true,
      retentionOf: () => null,
      plugins: weightPlugins(),
      compression,
      message: '',
      plan: null,
      host: 'bench',
      git: null,
      jobs: 2,
    });
    // Each frame was compared when it was encoded.
    const { findings } = only === undefined ? await verifyRepository(repository, { revisions: [], data: true }) : none;
    if (findings.length > 0) throw new Error(`what was stored is not sound: ${JSON.stringify(findings[0])}`);
    const tree = report.snapshots[0]?.collections[0]?.tree;
    if (tree === undefined) throw new Error('nothing was stored');
    let repositoryBytes = 0;
    for await (const { key } of backend.list('')) repositoryBytes += (await backend.get(key)).byteLength;
    return { payloads: await payloadsOf(repository, tree, files), repositoryBytes };
  } finally {
    await repository.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function payloadsOf(
  repository: Repository,
  tree: BlobId,
  files: readonly WeightFile[],
): Promise<StoredTensors['payloads']> {
  const index = await repository.index();
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<BlobId>();
  const payloads = new Map<string, Map<number, number>>();
  for await (const { path, entry } of walkTree(repository.readBlob, tree)) {
    const file = byPath.get(path);
    if (file === undefined || entry.type !== 'file') continue;
    const stored = new Map<number, number>();
    payloads.set(path, stored);
    const fresh = new Set<BlobId>();
    for await (const chunk of readChunks(repository.readBlob, entry)) {
      if (chunk.kind === 'zero' || seen.has(chunk.id)) continue;
      fresh.add(chunk.id);
      const [copy] = index.lookup('data', chunk.id);
      if (copy === undefined) throw new Error(`${path} has a blob that is not stored`);
      const { boxLength, codec, plainLength } = copy.frame;
      const share = payloadIn(file, chunk.position, chunk.length) * (boxLength / plainLength);
      stored.set(codec, (stored.get(codec) ?? 0) + share);
    }
    // One file may name a blob of its skeleton many times.
    for (const id of fresh) seen.add(id);
  }
  return payloads;
}

/** Bytes of tensors among those of a chunk. */
function payloadIn({ tensors }: WeightFile, position: number, length: number): number {
  const end = position + length;
  return tensors.reduce(
    (sum, tensor) =>
      sum + Math.max(0, Math.min(end, tensor.offset + tensor.length) - Math.max(position, tensor.offset)),
    0,
  );
}
