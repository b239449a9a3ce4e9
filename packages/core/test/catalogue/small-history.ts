import { createHash } from 'node:crypto';
import { memoryBackend } from '../../src/backend/memory.ts';
import type { Backend } from '../../src/backend/backend.ts';
import type { CatalogueLine, CatalogueTag } from '../../src/catalogue/catalogue-view.ts';
import { nextTag } from '../../src/catalogue/next-tag.ts';
import { openCatalogue, type Catalogue } from '../../src/catalogue/open-catalogue.ts';
import { sealBundle } from '../../src/catalogue/seal-bundle.ts';
import {
  commitSnapshot,
  prepareSnapshot,
  writeTagObject,
  type ManifestInput,
} from '../../src/catalogue/snapshot-commit.ts';
import { deriveKeyset, sharedScope, type Keys } from '../../src/crypto/keyset.ts';
import type { AssetLine } from '../../src/format/asset-line.ts';
import { asActorId, asBlobId, asKeysetId, asRepositoryId, type CommitId } from '../../src/format/ids.ts';
import { timeText, type CollectionState } from '../../src/format/snapshot-manifest.ts';

export const author = { name: 'Ada', email: 'ada@lab.example' };
export const repository = asRepositoryId('0f'.repeat(16));

/** Repeatable bytes: SHA-256 of a counter. */
export function seededRandom(seed: string): (length: number) => Uint8Array {
  let counter = 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += 32) {
      counter += 1;
      const block = createHash('sha256').update(`${seed} ${counter}`).digest();
      bytes.set(block.subarray(0, Math.min(32, length - offset)), offset);
    }
    return bytes;
  };
}

export function testKeys(): Keys {
  const id = asKeysetId('ab'.repeat(16));
  const shared = deriveKeyset(new Uint8Array(32).fill(7), { id, scope: sharedScope, generation: 1 });
  const actor = { id: asActorId('cd'.repeat(32)), seed: new Uint8Array(32).fill(9) };
  return { repository, actor, keysets: new Map([[id, shared]]), shared };
}

export function collection(name: string, changes: Partial<CollectionState> = {}): CollectionState {
  return {
    name,
    takenAt: '2025-01-01T02:00:00.000Z',
    commit: null,
    tree: asBlobId('11'.repeat(32)),
    links: null,
    assets: null,
    files: 3,
    directories: 1,
    symlinks: 0,
    bytes: 4096,
    retention: { rule: 'models/checkpoint', lifetime: 'short' },
    flags: [],
    ...changes,
  };
}

export function manifestInput(changes: Partial<ManifestInput> = {}): ManifestInput {
  return {
    domain: 'healthcare',
    run: '5a'.repeat(16),
    plan: 'daily',
    host: 'trainer-1',
    actor: { id: asActorId('cd'.repeat(32)), name: 'Ada' },
    tool: 'mbk 0.1.0',
    startedAt: '2025-01-01T02:00:00.000Z',
    finishedAt: '2025-01-01T02:00:05.250Z',
    message: '',
    source: { root: '/srv/lab', git: { commit: '12'.repeat(20), branch: 'main', dirty: true } },
    collections: [collection('models/checkpoint')],
    totals: { files: 3, directories: 1, symlinks: 0, bytes: 4096, assets: 1, added: 4096, stored: 1234 },
    notes: [{ path: { hex: 'ff00' }, problem: 'changed while it was read' }],
    ...changes,
  };
}

export const asset: AssetLine = {
  path: 'checkpoints/healthcare_checkpoint_846.pth',
  collection: 'models/checkpoint',
  kind: 'checkpoint',
  size: 4096,
  sha256: '22'.repeat(32),
  tensors: 12,
};

export interface SmallHistory {
  readonly backend: Backend;
  readonly keys: Keys;
  readonly lines: CatalogueLine[];
  readonly tags: CatalogueTag[];
  /** Adds a snapshot, as a run does: bundle first, then the line. */
  snapshot(domain: string, at: number, changes?: Partial<ManifestInput>): Promise<CommitId>;
  tag(domain: string, name: string, commit: CommitId, at: number): Promise<void>;
  open(): Catalogue;
}

/** Histories over a memory backend, with a plain list in the place of the log. */
export function smallHistory({ timezone = 'UTC', tagged = true } = {}): SmallHistory {
  const backend = memoryBackend();
  const keys = testKeys();
  const random = seededRandom('history');
  const lines: CatalogueLine[] = [];
  const tags: CatalogueTag[] = [];
  const open = (): Catalogue => openCatalogue({ get: (key) => backend.get(key), keys, view: { lines, tags } });

  return {
    backend,
    keys,
    lines,
    tags,
    open,
    async snapshot(domain, at, changes = {}) {
      const input = manifestInput({ domain, startedAt: timeText(at), finishedAt: timeText(at), ...changes });
      const prepared = await prepareSnapshot(input, { assets: [asset] });
      const head = lines.findLast((line) => line.domain === domain);
      const parent = head === undefined ? undefined : await open().readCommit(head.to);
      const tag = tagged ? nextTag({ lines, tags }, domain, { at, timezone }) : undefined;
      const made = await commitSnapshot(prepared, { parent, author, at, timezone, tag });
      const sealed = sealBundle(made.objects, { keys, random });
      await backend.put(sealed.key, [sealed.bytes]);
      lines.push({
        domain,
        from: head?.to ?? null,
        to: made.commit,
        bundle: sealed.id,
        tag: tag ?? null,
        tagObject: made.tagObject ?? null,
        line: { takenAt: at },
      });
      if (tag !== undefined && made.tagObject !== undefined) {
        tags.push({ domain, name: tag, commit: made.commit, object: made.tagObject, bundle: sealed.id });
      }
      return made.commit;
    },
    async tag(domain, name, commit, at) {
      const made = await writeTagObject({ domain, name, commit, author, at, timezone, message: '' });
      const sealed = sealBundle(made.objects, { keys, random });
      await backend.put(sealed.key, [sealed.bytes]);
      tags.push({ domain, name: made.name, commit, object: made.object, bundle: sealed.id });
    },
  };
}
