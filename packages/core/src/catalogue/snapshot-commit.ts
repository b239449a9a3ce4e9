/**
 * Making a snapshot's Git objects: commit, tree, snapshot.json, assets.jsonl and, if asked, an annotated tag.
 *
 * `prepareSnapshot` makes what does not depend on the parent; `commitSnapshot` adds commit and tag, and is all that is
 * repeated after a lost race whose new head changed nothing in the manifest.
 */
import { sha256Hex } from '../crypto/hash.ts';
import { encodeAssetLines, type AssetLine } from '../format/asset-line.ts';
import type { GitObject } from '../format/catalogue-bundle.ts';
import { asCommitId, type CommitId, type GitObjectId } from '../format/ids.ts';
import {
  decodeManifest,
  encodeManifest,
  manifestLimits,
  type SnapshotManifest,
  type SnapshotNote,
} from '../format/snapshot-manifest.ts';
import { calendarOf } from './calendar.ts';
import { loadSchemaCheck, type SchemaCheck } from './catalogue-schemas.ts';
import { cleanMessage, cleanPerson, composeMessage, summaryOf } from './commit-message.ts';
import type { Person } from './git-objects.ts';
import { checkTagName } from './names.ts';
import { writeGitObjects, type GitWriter } from './write-git-objects.ts';

/** What a caller says of a snapshot: an empty `message` is replaced by a summary, `notes` of any number are cut. */
export type ManifestInput = Omit<SnapshotManifest, 'format' | 'version' | 'assetsSha256' | 'notesOmitted'>;

export interface PrepareOptions {
  readonly assets: readonly AssetLine[];
  /** From `loadSchemaCheck`, so that a run over several domains compiles the schemas once; loaded here when left out. */
  readonly check?: SchemaCheck | undefined;
}

export interface PreparedSnapshot {
  readonly manifest: SnapshotManifest;
  readonly manifestSha256: string;
  readonly tree: GitObjectId;
  /** Tree, snapshot.json and assets.jsonl. */
  readonly objects: readonly GitObject[];
}

export interface CommitOptions {
  /** The domain's head and the content of its commit object; undefined for a first snapshot. */
  readonly parent: { readonly id: CommitId; readonly content: Uint8Array } | undefined;
  readonly author: Person;
  /** Milliseconds since 1970; Git keeps whole seconds. */
  readonly at: number;
  /** IANA name: the offset that the commit shows its time in. */
  readonly timezone: string;
  /** Full name of the tag to make (`healthcare/2025-01-01`). */
  readonly tag?: string | undefined;
}

export interface SnapshotCommit {
  readonly commit: CommitId;
  /** Content of the commit object: what the next snapshot needs of its parent. */
  readonly content: Uint8Array;
  readonly tagObject: GitObjectId | undefined;
  /** Text of the commit message without trailers. */
  readonly message: string;
  /** All objects of the snapshot, for `encodeBundle` or `sealBundle`. */
  readonly objects: readonly GitObject[];
}

/**
 * Tree and files of a snapshot. assets.jsonl gets as many of `assets` as it may hold; `totals.assets` counts them all.
 *
 * Errors: `value-invalid` if the manifest or an asset breaks its schema.
 */
export async function prepareSnapshot(
  input: ManifestInput,
  { assets, check: loaded }: PrepareOptions,
): Promise<PreparedSnapshot> {
  const assetBytes = encodeAssetLines(assets);
  const manifest: SnapshotManifest = {
    ...input,
    format: 'mbk snapshot',
    version: 1,
    message: cleanMessage(input.message) || summaryOf(input),
    assetsSha256: sha256Hex(assetBytes),
    ...boundNotes(input.notes),
  };
  const manifestBytes = encodeManifest(manifest);
  decodeManifest(manifestBytes, 'snapshot.json');
  const check = loaded ?? (await loadSchemaCheck());
  check.manifest(manifestBytes, 'snapshot.json');
  check.assets(assetBytes, 'assets.jsonl');

  const { result: tree, objects } = await writeGitObjects(async (git) =>
    git.tree([
      { mode: '100644', type: 'blob', path: 'assets.jsonl', oid: await git.blob(assetBytes) },
      { mode: '100644', type: 'blob', path: 'snapshot.json', oid: await git.blob(manifestBytes) },
    ]),
  );
  return { manifest, manifestSha256: sha256Hex(manifestBytes), tree, objects };
}

/** The commit of a prepared snapshot on top of `parent`, and its tag. Errors: `name-invalid` (the tag). */
export async function commitSnapshot(prepared: PreparedSnapshot, options: CommitOptions): Promise<SnapshotCommit> {
  const { parent, tag } = options;
  const { domain, message } = prepared.manifest;
  const signature = signatureOf(options);
  const trailers = {
    manifestSha256: prepared.manifestSha256,
    parentSha256: parent === undefined ? undefined : sha256Hex(parent.content),
  };
  const { result, objects } = await writeGitObjects(async (git) => {
    const commit = asCommitId(
      await git.commit({
        tree: prepared.tree,
        parent: parent === undefined ? [] : [parent.id],
        author: signature,
        committer: signature,
        message: composeMessage(message, trailers),
      }),
    );
    const tagObject =
      tag === undefined ? undefined : await writeTag(git, checkTagName(domain, tag), { commit, signature, message });
    return { commit, tagObject };
  });
  const content = objects.find(({ id }) => id === result.commit)?.content;
  if (content === undefined)
    throw new TypeError(`expected commit ${result.commit} among the objects that were written`);
  return { ...result, content, message, objects: [...objects, ...prepared.objects] };
}

/** Prepares and commits in one step. */
export async function writeSnapshotCommit(
  input: ManifestInput,
  options: CommitOptions & PrepareOptions,
): Promise<SnapshotCommit & { readonly prepared: PreparedSnapshot }> {
  const prepared = await prepareSnapshot(input, options);
  return { ...(await commitSnapshot(prepared, options)), prepared };
}

export interface TagOptions {
  readonly domain: string;
  /** `v2` or `healthcare/v2`. */
  readonly name: string;
  readonly commit: CommitId;
  readonly author: Person;
  readonly at: number;
  readonly timezone: string;
  /** The tag's name when empty. */
  readonly message: string;
}

/** An annotated tag for a commit that exists already. Errors: `name-invalid`. */
export async function writeTagObject(
  options: TagOptions,
): Promise<{ readonly name: string; readonly object: GitObjectId; readonly objects: readonly GitObject[] }> {
  const name = checkTagName(options.domain, options.name);
  const message = cleanMessage(options.message) || name;
  const { result, objects } = await writeGitObjects((git) =>
    writeTag(git, name, { commit: options.commit, signature: signatureOf(options), message }),
  );
  return { name, object: result, objects };
}

/** As many notes as a manifest may hold, so that a folder full of trouble does not keep its snapshot from being made. */
function boundNotes(notes: readonly SnapshotNote[]): Pick<SnapshotManifest, 'notes' | 'notesOmitted'> {
  const kept: SnapshotNote[] = [];
  let bytes = 0;
  for (const { path, problem } of notes) {
    const note = { path, problem: problem.slice(0, manifestLimits.name).toWellFormed() };
    bytes += JSON.stringify(note).length;
    if (kept.length === manifestLimits.notes || bytes > manifestLimits.noteBytes) break;
    kept.push(note);
  }
  return { notes: kept, notesOmitted: notes.length - kept.length };
}

type Signature = ReturnType<typeof signatureOf>;

function writeTag(
  git: GitWriter,
  name: string,
  {
    commit,
    signature,
    message,
  }: { readonly commit: CommitId; readonly signature: Signature; readonly message: string },
): Promise<GitObjectId> {
  return git.tag({ object: commit, type: 'commit', tag: name, tagger: signature, message });
}

function signatureOf({
  author,
  at,
  timezone,
}: {
  readonly author: Person;
  readonly at: number;
  readonly timezone: string;
}) {
  // Git's library counts minutes as Date does: positive west of Greenwich.
  const timezoneOffset = -calendarOf(timezone).offsetMinutes(at);
  return {
    ...cleanPerson(author),
    timestamp: Math.floor(at / 1000),
    timezoneOffset: timezoneOffset === 0 ? 0 : timezoneOffset,
  };
}
