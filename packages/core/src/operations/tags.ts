/** `mbk tag`: names for snapshots. A tag never moves; one that was mistyped is removed, and the log keeps the fact. */
import { sealBundle } from '../catalogue/seal-bundle.ts';
import { writeTagObject } from '../catalogue/snapshot-commit.ts';
import { checkTagName } from '../catalogue/names.ts';
import { suggestNames } from '../catalogue/suggest-names.ts';
import { MbkError } from '../errors.ts';
import type { CommitId, GitObjectId } from '../format/ids.ts';
import { timeText } from '../format/snapshot-manifest.ts';
import { tagsOf, type Fold } from '../log/fold.ts';
import type { Repository } from '../repository.ts';

export interface TagListRow {
  /** With its domain: `healthcare/v2`. */
  readonly name: string;
  readonly domain: string;
  readonly commit: CommitId;
  /** The annotated tag object. */
  readonly object: GitObjectId;
  /** When it was made, RFC 3339. */
  readonly at: string;
  /** Whether the snapshot brought it along. */
  readonly isOfSnapshot: boolean;
  /** When the snapshot was taken, RFC 3339; null where the log does not know it. */
  readonly takenAt: string | null;
}

/** All tags, or those of a domain, by name. */
export function listTags(
  { log }: Pick<Repository, 'log'>,
  { domain }: { readonly domain?: string | undefined } = {},
): TagListRow[] {
  const { fold } = log;
  return [...tagsOf(fold).values()]
    .filter((tag) => domain === undefined || tag.domain === domain)
    .map((tag) => {
      const line = fold.lineOfCommit.get(tag.commit);
      const { name, commit, object } = tag;
      return {
        name,
        domain: tag.domain,
        commit,
        object,
        at: timeText(tag.at),
        isOfSnapshot: line?.tag === name,
        takenAt: line === undefined ? null : timeText(line.line.takenAt),
      };
    });
}

export interface AddTagRequest {
  /** `v2` or `healthcare/v2`. */
  readonly name: string;
  readonly revision: string;
  /** The tag's name when empty. */
  readonly message?: string | undefined;
  /** Host that it is made on. */
  readonly host: string;
}

/** A tag that was put or removed. */
export interface TagAdded {
  readonly name: string;
  readonly domain: string;
  readonly commit: CommitId;
  readonly object: GitObjectId;
}

/**
 * Puts an annotated tag on a snapshot.
 *
 * Errors: `revision-unknown`, `revision-ambiguous`, `name-invalid` (also the name of another domain's tag), `tag-exists`,
 * `role-denied`, those of appending to the log and of the backend.
 */
export async function addTag(repository: Repository, request: AddTagRequest): Promise<TagAdded> {
  const { backend, keys, log, random, timezone, signal } = repository;
  await log.refresh();
  const { commit, domain } = repository.resolve(request.revision);
  const name = checkTagName(domain, request.name);
  if (log.fold.tags.has(name)) throw new MbkError('tag-exists', `the tag ${name} exists`, { details: { tag: name } });

  const author = {
    name: log.fold.actors.get(keys.actor.id)?.name ?? '',
    email: `${keys.actor.id.slice(0, 16)}@${request.host}`,
  };
  const at = await backend.now({ signal });
  const message = request.message ?? '';
  const { object, objects } = await writeTagObject({ domain, name, commit, author, at, timezone, message });
  await log.append(async () => {
    // A new bundle for each try: a prune may have taken that of a lost race for a stray.
    const bundle = sealBundle(objects, { keys, random });
    await backend.put(bundle.key, [bundle.bytes], { signal });
    return { ops: [{ op: 'tag', domain, name, commit, object, bundle: bundle.id }] };
  });
  return { name, domain, commit, object };
}

/**
 * Removes a tag; its snapshot stays. Errors: `revision-unknown`, `role-denied`, those of appending to the log.
 */
export async function removeTag({ log }: Repository, name: string): Promise<TagAdded> {
  await log.refresh();
  const tag = log.fold.tags.get(name);
  if (tag === undefined) {
    const suggestions = suggestNames(name, [...log.fold.tags.keys()]);
    throw new MbkError('revision-unknown', `there is no tag ${name}`, {
      details: { revision: name, suggestions },
      remedy: suggestions.length === 0 ? 'See `mbk tag`.' : `Did you mean ${suggestions.join(' or ')}?`,
    });
  }
  const { domain, commit, object } = tag;
  // Only the tag that was looked at: another host may have removed it and given its name to another snapshot.
  const isStill = (fold: Fold): boolean => fold.tags.get(name)?.object === object;
  await log.append((fold) => (isStill(fold) ? { ops: [{ op: 'tag', domain, name, deleted: true }] } : undefined));
  return { name, domain, commit, object };
}
