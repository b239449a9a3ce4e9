/**
 * Ids as branded lower-case hex strings, made only here and by the hashers (docs/format.md, Ids).
 */
import { MbkError } from '../errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** SHA-256 of a blob's plaintext. */
export type BlobId = Branded<'blob'>;
/** SHA-256 of an entry's stored bytes: the last part of its key. */
export type EntryId = Branded<'entry'>;
/** SHA-256 of a pack's stored bytes. */
export type PackId = EntryId & { readonly pack?: never };
/** SHA-256 of an index segment's stored bytes. */
export type SegmentId = EntryId & { readonly segment?: never };
/** 16 random bytes. */
export type RepositoryId = Branded<'repository'>;
/** 16 random bytes. */
export type KeysetId = Branded<'keyset'>;
/** An actor's Ed25519 public key. */
export type ActorId = Branded<'actor'>;
/** SHA-1 of a Git object, 40 hex digits. */
export type GitObjectId = Branded<'git-object'>;
export type CommitId = GitObjectId & { readonly commit?: never };

/** Whether `text` is `bytes` bytes in lower-case hex. */
export function isHex(text: unknown, bytes: number): text is string {
  return typeof text === 'string' && text.length === bytes * 2 && /^[0-9a-f]*$/.test(text);
}

function asId<T extends string>(bytes: number, what: string): (text: unknown) => T {
  return (text) => {
    if (isHex(text, bytes)) return text as T;
    throw new MbkError('value-invalid', `${what}: expected ${bytes * 2} lower-case hex digits`, {
      details: { value: typeof text === 'string' ? text.slice(0, 80) : typeof text },
    });
  };
}

/** Each checks its argument and throws `value-invalid`. */
export const asBlobId: (text: unknown) => BlobId = asId<BlobId>(32, 'blob id');
export const asEntryId: (text: unknown) => EntryId = asId<EntryId>(32, 'entry id');
export const asPackId: (text: unknown) => PackId = asId<PackId>(32, 'pack id');
export const asSegmentId: (text: unknown) => SegmentId = asId<SegmentId>(32, 'segment id');
export const asRepositoryId: (text: unknown) => RepositoryId = asId<RepositoryId>(16, 'repository id');
export const asKeysetId: (text: unknown) => KeysetId = asId<KeysetId>(16, 'keyset id');
export const asActorId: (text: unknown) => ActorId = asId<ActorId>(32, 'actor id');
export const asGitObjectId: (text: unknown) => GitObjectId = asId<GitObjectId>(20, 'Git object id');
export const asCommitId: (text: unknown) => CommitId = asId<CommitId>(20, 'commit id');

/** What a blob is, in the order of its numbers 1 to 6 (docs/format.md, Packs). */
export const blobTypes = ['data', 'tree', 'chunks', 'layout', 'table', 'links'] as const;
export type BlobType = (typeof blobTypes)[number];

/** Number of a blob type in footers and segments, 1 to 6. */
export function blobTypeNumber(type: BlobType): number {
  return blobTypes.indexOf(type) + 1;
}

/** Blob type of a number; `value-invalid` for any other. */
export function blobTypeOf(number: number): BlobType {
  const type = blobTypes[number - 1];
  if (type === undefined) throw new MbkError('value-invalid', `blob type: expected 1 to 6, got ${number}`);
  return type;
}

/** Which packs hold a blob: content, or what describes it. */
export type PackKind = 'data' | 'meta';

export function packKindOf(type: BlobType): PackKind {
  return type === 'data' ? 'data' : 'meta';
}

/** How long what a pack holds is expected to be kept, in the order of its numbers 0 to 2. */
export const lifetimes = ['short', 'long', 'permanent'] as const;
/** How long the content of a pack is expected to be kept. */
export type Lifetime = (typeof lifetimes)[number];

/** Key of a pack in the backend. */
export function packKey(kind: PackKind, id: PackId): string {
  return `${kind === 'data' ? 'packs' : 'meta'}/${id.slice(0, 2)}/${id}`;
}
