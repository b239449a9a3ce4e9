/** `mbk cat-object`: a Git object of the catalogue or a blob, decrypted and proved, and otherwise as it is. */
import type { Catalogue } from '../catalogue/open-catalogue.ts';
import { isMbkError, MbkError } from '../errors.ts';
import type { GitObject } from '../format/catalogue-bundle.ts';
import { asBlobId, type BlobType, type EntryId, type GitObjectId, type PackKind } from '../format/ids.ts';
import { linesOf, tagsOf, type Fold } from '../log/fold.ts';
import type { Repository } from '../repository.ts';

export interface FoundObject {
  /** 40 hex digits of a Git object, 64 of a blob. */
  readonly id: string;
  readonly type: GitObject['type'] | BlobType;
  /** A Git object without Git's header. The caller does not change it. */
  readonly content: Uint8Array;
}

/**
 * The object that `id` names: 64 hex digits of a blob, or 4 to 40 of a Git object.
 *
 * Errors: `object-unknown`, `revision-ambiguous`, and those of reading.
 */
export async function catObject(repository: Repository, id: string): Promise<FoundObject> {
  const wanted = id.toLowerCase();
  if (/^[0-9a-f]{64}$/.test(wanted)) return findBlob(repository, wanted);
  if (/^[0-9a-f]{4,40}$/.test(wanted)) return findGitObject(repository, wanted);
  throw unknown(id, `${JSON.stringify(id)} is no id: a blob's has 64 hex digits, a Git object's 4 to 40`);
}

async function findBlob(repository: Repository, text: string): Promise<FoundObject> {
  const id = asBlobId(text);
  const index = await repository.index();
  const blobs = await repository.blobs();
  const kinds: readonly PackKind[] = ['data', 'meta'];
  for (const kind of kinds) {
    const [copy] = index.lookup(kind, id);
    if (copy === undefined) continue;
    return { id, type: copy.type, content: await blobs.readBlob(kind, id, { signal: repository.signal }) };
  }
  throw unknown(text, `no blob has the id ${text}`);
}

async function findGitObject(repository: Repository, prefix: string): Promise<FoundObject> {
  const { log, signal } = repository;
  const catalogue = repository.catalogue();
  const bundles = bundlesOf(log.fold);
  const named = namedObjects(log.fold).get(prefix);
  if (named !== undefined) {
    const object = (await catalogue.readBundle(named, { signal })).get(prefix as GitObjectId);
    if (object !== undefined) return object;
  }
  const found = new Map<GitObjectId, GitObject>();
  let problem: MbkError | undefined;
  const scan = objectsIn(catalogue, bundles, { signal, onDamaged: (error) => (problem = error) });
  for await (const object of scan) {
    if (!object.id.startsWith(prefix)) continue;
    found.set(object.id, object);
    if (prefix.length === 40) break;
  }
  const [object] = found.values();
  // It may have been in a bundle that cannot be read.
  if (object === undefined && problem !== undefined) throw problem;
  if (object === undefined) throw unknown(prefix, `no Git object of the catalogue has the id ${prefix}`);
  if (found.size === 1) return object;
  const candidates = [...found.values()].slice(0, 10).map(({ id, type }) => ({ id, type }));
  throw new MbkError('revision-ambiguous', `${prefix} is the start of ${found.size} objects`, {
    details: { object: prefix, candidates },
  });
}

/** Objects of all bundles; a damaged bundle is passed over and told. */
async function* objectsIn(
  catalogue: Catalogue,
  bundles: readonly EntryId[],
  { signal, onDamaged }: { readonly signal: AbortSignal | undefined; readonly onDamaged: (error: MbkError) => void },
): AsyncGenerator<GitObject> {
  for (const id of bundles) {
    let objects: ReadonlyMap<GitObjectId, GitObject>;
    try {
      objects = await catalogue.readBundle(id, { signal });
    } catch (error) {
      if (!isMbkError(error, 'entry-absent', 'entry-damaged', 'backend-read-short', 'value-invalid')) throw error;
      onDamaged(error);
      continue;
    }
    yield* objects.values();
  }
}

/** Newest first. */
function bundlesOf(fold: Fold): EntryId[] {
  const bundles = [...linesOf(fold), ...tagsOf(fold).values()]
    .toSorted((a, b) => b.n - a.n)
    .map(({ bundle }) => bundle);
  return [...new Set(bundles)];
}

/** Bundles of the objects that the log itself names: commits and tags. */
function namedObjects(fold: Fold): Map<string, EntryId> {
  const named = new Map<string, EntryId>();
  for (const { to, tagObject, bundle } of linesOf(fold)) {
    named.set(to, bundle);
    if (tagObject !== null) named.set(tagObject, bundle);
  }
  for (const { object, bundle } of tagsOf(fold).values()) named.set(object, bundle);
  return named;
}

function unknown(object: string, message: string): MbkError {
  return new MbkError('object-unknown', message, { details: { object } });
}
