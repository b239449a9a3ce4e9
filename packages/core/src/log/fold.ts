/**
 * The fold: what the entries of the log say, taken together (docs/format.md, Operations).
 *
 * An immutable value; `applyEntry` makes the next one. Everything in a repository means what the fold says it means:
 * heads, tags, which index segments are live, what was expired, deleted, lost, and who may do what.
 */
import { noPrevious } from '../format/log-entry.ts';
import type { AuditPin, Capture, Role } from '../format/log-operations.ts';
import type {
  ActorRow,
  ClockRow,
  ExpiredRow,
  Features,
  GrantRow,
  HoldRow,
  KeysetRow,
  LiftedRow,
  Line,
  LiveSegment,
  LogFinding,
  TagRow,
} from '../format/log-state.ts';
import type { ActorId, CommitId, EntryId, GitObjectId, KeysetId, PackId, SegmentId } from '../format/ids.ts';
import { PersistentList, PersistentMap } from './persistent-map.ts';

export interface Fold {
  /** Number of the newest entry that is folded; 0 before the first. */
  readonly n: number;
  /** SHA-256 of the bytes of entry n. */
  readonly hash: string;
  /** `at` of entry n, milliseconds since 1970. */
  readonly at: number;
  /** Undefined only before entry 1. */
  readonly features: Features | undefined;
  readonly keysets: PersistentMap<KeysetId, KeysetRow>;
  /** Also those that were removed, with `removedAt`. */
  readonly actors: PersistentMap<ActorId, ActorRow>;
  readonly grants: PersistentMap<EntryId, GrantRow>;
  /** Every head line that had effect, in log order. */
  readonly lines: PersistentList<Line>;
  readonly lineOfCommit: PersistentMap<CommitId, Line>;
  /** Newest line of each domain. */
  readonly heads: PersistentMap<string, Line>;
  readonly tags: PersistentMap<string, TagRow>;
  readonly segments: PersistentMap<SegmentId, LiveSegment>;
  /** By `captureKey`. */
  readonly expired: PersistentMap<string, ExpiredRow>;
  readonly holds: PersistentMap<string, HoldRow>;
  /** By `captureKey`: captures that were expired and are not any more → n of that expiry. */
  readonly lifted: PersistentMap<string, LiftedRow>;
  /** Packs, segments and bundles → n of the newest condemn; not those that were deleted or spared since. */
  readonly condemned: PersistentMap<EntryId, number>;
  /** Packs, segments and bundles → n of the delete; never forgotten. */
  readonly deleted: PersistentMap<EntryId, number>;
  readonly lost: PersistentMap<PackId, number>;
  readonly trusted: PersistentMap<PackId, true>;
  readonly redacted: PersistentMap<GitObjectId, GitObjectId>;
  readonly audit: PersistentMap<string, AuditPin>;
  readonly clock: ClockRow | undefined;
  /** Entries that an owner declared void → the hash that the chain has for them. */
  readonly voided: PersistentMap<number, string>;
  /** Entries that could not be read and are not void: what they said is unknown. */
  readonly gaps: readonly number[];
  readonly findings: PersistentList<LogFinding>;
}

/** Codes of `LogFinding`. */
export type FindingCode =
  /** The signer is no actor of this repository, or was removed. No effect. */
  | 'actor-unknown'
  /** The signer's role or domains do not allow it. No effect. */
  | 'role-denied'
  /** An operation on a domain outside the isolated scope whose section carries it. No effect. */
  | 'scope-wrong'
  /** An advance whose `from` is not the domain's head. No effect. */
  | 'advance-stale'
  /** A tag whose name exists, or the removal of one that does not. No effect. */
  | 'tag-exists'
  | 'tag-absent'
  /** An audit pin that goes backwards. No effect. */
  | 'audit-backwards'
  /** A state that does not fold the entry before it, or a void that names no earlier entry. No effect. */
  | 'reference-wrong'
  /** An advance that was taken although its `from` is unknown here, because an entry before it could not be read. */
  | 'advance-over-gap'
  /**
   * An index operation that adds a deleted segment, drops one that is not live or, unless an owner does it, adds one
   * that another actor added. No effect.
   */
  | 'index-stale'
  /** An advance or a tag that names a deleted bundle. No effect. */
  | 'bundle-deleted'
  /** A delete of entries that its condemn entry did not name. It has effect: the bytes may be gone. */
  | 'delete-uncondemned'
  /** Since the entry before it the storage's clock went back, or leapt: see `log/check-clock.ts`. */
  | 'time-went-back'
  | 'time-leapt'
  /** An entry was declared void. */
  | 'entry-voided'
  /** More findings of the same entry than are kept. */
  | 'more';

const notes: readonly string[] = [
  'advance-over-gap',
  'delete-uncondemned',
  'time-went-back',
  'time-leapt',
  'entry-voided',
] satisfies FindingCode[];

/** Whether what the finding is about was passed over; the others are notes beside something that did happen. */
export function hasNoEffect(finding: LogFinding): boolean {
  return !notes.includes(finding.code);
}

/** The fold before entry 1. */
export const emptyFold: Fold = {
  n: 0,
  hash: noPrevious,
  at: 0,
  features: undefined,
  keysets: PersistentMap.of(),
  actors: PersistentMap.of(),
  grants: PersistentMap.of(),
  lines: PersistentList.of(),
  lineOfCommit: PersistentMap.of(),
  heads: PersistentMap.of(),
  tags: PersistentMap.of(),
  segments: PersistentMap.of(),
  expired: PersistentMap.of(),
  lifted: PersistentMap.of(),
  holds: PersistentMap.of(),
  condemned: PersistentMap.of(),
  deleted: PersistentMap.of(),
  lost: PersistentMap.of(),
  trusted: PersistentMap.of(),
  redacted: PersistentMap.of(),
  audit: PersistentMap.of(),
  clock: undefined,
  voided: PersistentMap.of(),
  gaps: [],
  findings: PersistentList.of(),
};

/** Newest commit of each domain, by domain name. */
export function headsOf(fold: Fold): ReadonlyMap<string, CommitId> {
  return new Map(
    [...fold.heads.entries()].map(([domain, line]) => [domain, line.to] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Newest commit of `domain`, null before its first. */
export function headOf(fold: Fold, domain: string): CommitId | null {
  return fold.heads.get(domain)?.to ?? null;
}

/** The head line that brought `commit` in. */
export function lineOf(fold: Fold, commit: CommitId): Line | undefined {
  return fold.lineOfCommit.get(commit);
}

/** Head lines in log order, of one domain or of all. */
export function linesOf(fold: Fold, domain?: string): Line[] {
  const lines: Line[] = [];
  for (const line of fold.lines.values()) if (domain === undefined || line.domain === domain) lines.push(line);
  return lines;
}

/** Tags by name, sorted. */
export function tagsOf(fold: Fold): ReadonlyMap<string, TagRow> {
  return new Map([...fold.tags.entries()].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Live index segments, oldest first. */
export function liveSegments(fold: Fold): LiveSegment[] {
  return [...fold.segments.values()].sort((a, b) => a.n - b.n || (a.id < b.id ? -1 : 1));
}

/** Whether a pack, segment or bundle was deleted. */
export function isDeleted(fold: Fold, id: EntryId): boolean {
  return fold.deleted.has(id);
}

/** Whether a pack, segment or bundle is condemned. */
export function isCondemned(fold: Fold, id: EntryId): boolean {
  return fold.condemned.has(id);
}

export function isLost(fold: Fold, pack: PackId): boolean {
  return fold.lost.has(pack);
}

/** Packs that an entry after n declared lost. */
export function lostAfter(fold: Fold, n: number): PackId[] {
  return [...fold.lost.entries()].filter(([, lostIn]) => lostIn > n).map(([pack]) => pack);
}

/** Whether the files of `collection` as the run of `commit` took them were given up. */
export function isExpired(fold: Fold, commit: CommitId, collection: string): boolean {
  return fold.expired.size > 0 && fold.expired.has(captureKey({ commit, collection }));
}

/** Role of an actor; undefined for a stranger and for one that was removed. */
export function roleOf(fold: Fold, actor: ActorId): Role | undefined {
  const row = fold.actors.get(actor);
  return row === undefined || row.removedAt !== undefined ? undefined : row.role;
}

/** Whether an actor is an owner or was one when removed: whose signature on a grant counts. */
export function wasOwner(fold: Fold, actor: ActorId): boolean {
  return fold.actors.get(actor)?.role === 'owner';
}

/**
 * Whether blobs in packs that `actor` signed count as known to `self`.
 *
 * A removed owner stays trusted unless `trusted` is false: changing a passphrase removes an actor, and must not make
 * every pack unknown. What a thief signs with a removed key never comes in: no index segment of his has effect.
 */
export function isTrustedActor(fold: Fold, actor: ActorId, self: ActorId): boolean {
  if (actor === self) return true;
  const row = fold.actors.get(actor);
  if (row === undefined) return false;
  return row.trusted ?? row.role === 'owner';
}

/** Whether blobs in `pack`, signed by `actor`, count as known to `self`. */
export function isTrustedPack(fold: Fold, pack: PackId, actor: ActorId, self: ActorId): boolean {
  return fold.trusted.has(pack) || isTrustedActor(fold, actor, self);
}

/** Key of a capture in `expired`. */
export function captureKey({ commit, collection }: Capture): string {
  return `${commit} ${collection}`;
}
