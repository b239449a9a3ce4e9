/**
 * `mbk catalogue export`: the history as a plain bare Git repository that stock Git reads.
 *
 * Objects go into one new pack, commit by commit, then `packed-refs` is replaced: whatever interrupts it, the target
 * holds the state before or the state after. What an earlier export holds is not read again.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfInterrupted } from '../backend/interrupted.ts';
import { errnoOf } from '../backend/local-file-system.ts';
import type { CatalogueLine, CatalogueTag, CatalogueView } from '../catalogue/catalogue-view.ts';
import { gitPackWriter } from '../catalogue/git-pack-writer.ts';
import {
  decodeReferences,
  encodeReferences,
  exportableView,
  referencesOf,
  type GitReferences,
} from '../catalogue/git-references.ts';
import { decodeTag, objectOf, type Catalogue } from '../catalogue/open-catalogue.ts';
import { syncFolder, writeFileDurably } from '../catalogue/write-file-durably.ts';
import { MbkError } from '../errors.ts';
import { concatBytes, utf8 } from '../format/bytes.ts';
import { encodeCanonical, parseJson } from '../format/canonical-json.ts';
import type { GitObject } from '../format/catalogue-bundle.ts';
import type { CommitId, EntryId, GitObjectId, RepositoryId } from '../format/ids.ts';

export interface ExportOptions {
  /** A folder that is absent, empty, or an earlier export of this repository. */
  readonly target: string;
  readonly repository: RepositoryId;
  readonly signal?: AbortSignal | undefined;
}

export interface ExportReport {
  readonly target: string;
  /** What is new in the target. */
  readonly commits: number;
  readonly tags: number;
  readonly objects: number;
  /** Branches of the target. */
  readonly domains: readonly string[];
  /** Domains and tags of the log that no Git repository could hold; none unless a faulty program wrote them. */
  readonly skipped: readonly string[];
}

/**
 * Writes or updates the Git repository at `target`; every snapshot is checked as on any other read.
 *
 * Errors: `target-not-empty`, `target-failed`, `interrupted`, and those of reading the catalogue.
 */
export async function exportCatalogue(catalogue: Catalogue, options: ExportOptions): Promise<ExportReport> {
  const { target } = options;
  const { view, skipped } = exportableView(catalogue.view);
  const references = referencesOf(view);
  const earlier = await atTarget(target, () => prepareTarget(options));
  const plan = planExport(view, earlier);

  const objects = await writePack(catalogue, plan, options);
  await atTarget(target, () => writeReferences(target, references));
  return {
    target,
    commits: plan.lines.length,
    tags: plan.tags.length,
    objects,
    domains: [...references.branches.keys()],
    skipped,
  };
}

interface ExportPlan {
  readonly lines: readonly CatalogueLine[];
  readonly tags: readonly CatalogueTag[];
}

/** What the log has and the earlier export has not: the lines after each exported head, and tags by object. */
function planExport(view: CatalogueView, earlier: GitReferences): ExportPlan {
  const exported = new Set<CommitId>();
  const heads = new Set(earlier.branches.values());
  const pending = new Map<string, CommitId[]>();
  for (const { domain, to } of view.lines) {
    const chain = pending.get(domain) ?? [];
    chain.push(to);
    pending.set(domain, chain);
    if (!heads.has(to)) continue;
    for (const commit of chain) exported.add(commit);
    pending.delete(domain);
  }
  return {
    lines: view.lines.filter(({ to }) => !exported.has(to)),
    tags: [...view.tags].filter(({ name, object }) => earlier.tags.get(name)?.object !== object),
  };
}

/** Copies the objects of the plan, bundle by bundle; gives their number. */
async function writePack(catalogue: Catalogue, plan: ExportPlan, { target, signal }: ExportOptions): Promise<number> {
  const pack = await atTarget(target, () => gitPackWriter(join(target, 'objects', 'pack')));
  const add = (object: GitObject): Promise<void> => atTarget(target, () => pack.add(object));
  const waiting = Map.groupBy(plan.tags, ({ bundle }) => bundle);
  const addTags = async (id: EntryId, bundle: ReadonlyMap<GitObjectId, GitObject>): Promise<void> => {
    for (const tag of waiting.get(id) ?? []) {
      const object = objectOf(bundle, tag.object, 'tag');
      decodeTag(object.content, tag);
      await add(object);
    }
    waiting.delete(id);
  };
  try {
    for (const line of plan.lines) {
      throwIfInterrupted(signal, 'exporting the catalogue');
      const { gitObjects, bundle } = await catalogue.readSnapshot(line.to, { signal });
      for (const object of gitObjects) await add(object);
      await addTags(line.bundle, bundle);
    }
    for (const id of waiting.keys()) {
      throwIfInterrupted(signal, 'exporting the catalogue');
      await addTags(id, await catalogue.readBundle(id, { signal }));
    }
    return await atTarget(target, () => pack.finish());
  } catch (error) {
    await pack.abandon();
    throw error;
  }
}

const markerName = 'mbk-export.json';

/** Makes the folder a bare repository without references, or finds the earlier export in it; gives what that names. */
async function prepareTarget({ target, repository }: ExportOptions): Promise<GitReferences> {
  // It names everything in the clear: nobody else's to read unless somebody says so.
  await mkdir(target, { recursive: true, mode: 0o700 });
  const names = new Set(await readdir(target));
  const refused = (what: string): MbkError =>
    new MbkError('target-not-empty', `${target} ${what}`, {
      details: { target },
      remedy: 'Name a new or empty folder, or an earlier export of this repository.',
    });
  if (names.size > 0) {
    if (!names.has(markerName)) throw refused('is not empty and no earlier export');
    const marker = parseJson(await readFile(join(target, markerName)), markerName) as {
      readonly repository?: unknown;
    } | null;
    if (marker?.repository !== repository) throw refused('is the export of another repository');
  }
  // First, so that an export that is interrupted at once can be taken up again.
  const marker = encodeCanonical({ format: 'mbk catalogue export', repository, version: 1 });
  await writeFileDurably(join(target, markerName), concatBytes([marker, utf8('\n')]));
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags']) {
    await mkdir(join(target, folder), { recursive: true });
  }
  await writeFileDurably(
    join(target, 'config'),
    utf8('[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n'),
  );
  await syncFolder(join(target, 'objects'));
  return decodeReferences((await readTextIfPresent(join(target, 'packed-refs'))) ?? '');
}

/** Branches and tags in one step; HEAD stays where it is as long as its branch exists. */
async function writeReferences(target: string, references: GitReferences): Promise<void> {
  await writeFileDurably(join(target, 'packed-refs'), encodeReferences(references));
  const head = /^ref: refs\/heads\/(.+)\n$/.exec((await readTextIfPresent(join(target, 'HEAD'))) ?? '')?.[1];
  if (head !== undefined && references.branches.has(head)) return;
  const [first = 'main'] = references.branches.keys();
  await writeFileDurably(join(target, 'HEAD'), utf8(`ref: refs/heads/${first}\n`));
}

async function readTextIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Failures of the target's filesystem, as the error of the target. */
async function atTarget<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new MbkError('target-failed', `Writing the Git repository in ${target} failed: ${errno}`, {
      cause: error,
      details: { target, errno },
      remedy: 'Check room and permissions, then export again.',
    });
  }
}
