/**
 * The folded state of the log: JSON ⇄ rows (docs/format.md, State).
 *
 * One state, one byte sequence: maps are arrays of rows sorted by their first fields, lines and findings stand in log
 * order.
 */
import { MbkError } from '../errors.ts';
import { encodeCanonical, parseJson } from './canonical-json.ts';
import { readFields, type Fields } from './fields.ts';
import {
  asActorId,
  asCommitId,
  asEntryId,
  asGitObjectId,
  asPackId,
  isHex,
  type ActorId,
  type CommitId,
  type EntryId,
  type GitObjectId,
  type PackId,
} from './ids.ts';
import { formatVersion } from './limits.ts';
import {
  readFeaturesRow,
  type Actor,
  type AuditPin,
  type Capture,
  type FeaturesOperation,
  type GrantOperation,
  type HeadLine,
  type KeysetOperation,
  type Redaction,
  type SegmentRow,
} from './log-operations.ts';
import {
  readActor,
  readAuditPin,
  readCapture,
  readCaptureFields,
  readDomain,
  readGrantRow,
  readHeadLine,
  readKeysetRow,
  readRedaction,
  readSegmentRow,
} from './log-rows.ts';
import { isSoundLine, isSoundTagRow } from './sound-line.ts';

export type Features = Omit<FeaturesOperation, 'op'>;
export type KeysetRow = Omit<KeysetOperation, 'op'>;
export type GrantRow = Omit<GrantOperation, 'op'>;
/** `addedAt` and `removedAt`: times of the entries that first set and that removed it. */
export type ActorRow = Actor & { readonly addedAt: number; readonly removedAt?: number | undefined };
/** A head line with the entry that carried it. */
export type Line = HeadLine & { readonly n: number; readonly at: number; readonly actor: ActorId };
export type TagRow = {
  readonly domain: string;
  readonly name: string;
  readonly commit: CommitId;
  readonly object: GitObjectId;
  readonly bundle: EntryId;
  readonly n: number;
  readonly at: number;
};
/** `actor` is who named it: its rows are as good as their word. */
export type LiveSegment = SegmentRow & { readonly n: number; readonly actor: ActorId };
export type ExpiredRow = Capture & { readonly n: number; readonly reason?: string | undefined };
export type LiftedRow = Capture & { readonly n: number };
export type HoldRow = {
  readonly name: string;
  readonly captures: readonly Capture[];
  readonly reason: string;
  readonly n: number;
};
/** An entry of the storage and the n that says something of it. */
export type EntryMark = readonly [id: EntryId, n: number];
export type PackMark = readonly [pack: PackId, n: number];
export type VoidedRow = readonly [n: number, hash: string];
export type ClockRow = { readonly at: number; readonly n: number };

/** Something an entry carried that had no effect, or that a reader should know. */
export type LogFinding = {
  readonly n: number;
  readonly actor: ActorId | null;
  /** Name of the operation, or `entry`. */
  readonly op: string;
  /** See `log/fold.ts`. */
  readonly code: string;
  readonly text: string;
};

/** The fold through entry n. */
export type LogState = {
  readonly n: number;
  /** SHA-256 of the bytes of entry n. */
  readonly hash: string;
  /** `at` of entry n. */
  readonly at: number;
  readonly features: Features;
  readonly keysets: readonly KeysetRow[];
  readonly actors: readonly ActorRow[];
  readonly grants: readonly GrantRow[];
  readonly lines: readonly Line[];
  readonly tags: readonly TagRow[];
  readonly segments: readonly LiveSegment[];
  readonly expired: readonly ExpiredRow[];
  /** Captures that were expired and are not any more, with the n of that expiry. */
  readonly lifted: readonly LiftedRow[];
  readonly holds: readonly HoldRow[];
  /** Packs, segments and bundles. */
  readonly condemned: readonly EntryMark[];
  readonly deleted: readonly EntryMark[];
  readonly lost: readonly PackMark[];
  readonly trusted: readonly PackId[];
  readonly redacted: readonly Redaction[];
  readonly audit: readonly AuditPin[];
  readonly clock: ClockRow | null;
  readonly voided: readonly VoidedRow[];
  readonly findings: readonly LogFinding[];
};

/** Body of the state entry; the arrays are sorted here. */
export function encodeLogState(state: LogState): Uint8Array {
  return encodeCanonical({
    ...state,
    version: formatVersion,
    keysets: sortedBy(state.keysets, (row) => row.id),
    actors: sortedBy(state.actors, (row) => row.signing),
    grants: sortedBy(state.grants, (row) => row.grant),
    tags: sortedBy(state.tags, (row) => row.name),
    segments: sortedBy(state.segments, (row) => row.id),
    expired: sortedBy(state.expired, (row) => `${row.commit} ${row.collection}`),
    lifted: sortedBy(state.lifted, (row) => `${row.commit} ${row.collection}`),
    holds: sortedBy(state.holds, (row) => row.name),
    condemned: sortedBy(state.condemned, ([id]) => id),
    deleted: sortedBy(state.deleted, ([id]) => id),
    lost: sortedBy(state.lost, ([pack]) => pack),
    trusted: sortedBy(state.trusted, (pack) => pack),
    redacted: sortedBy(state.redacted, (row) => row.object),
    audit: sortedBy(state.audit, (row) => row.chain),
    voided: state.voided.toSorted(([a], [b]) => a - b),
  });
}

/** The state in a body; `value-invalid` naming `what`. */
export function decodeLogState(body: Uint8Array, what: string): LogState {
  return readLogState(parseJson(body, what), what);
}

/** The state that a value of JSON is; `value-invalid` naming `what`. */
export function readLogState(value: unknown, what: string): LogState {
  const fields = readFields(value, what);
  fields.literal('version', formatVersion);
  const rows = <T>(name: string, read: (row: Fields) => T): T[] =>
    fields.array(name, (value, where) => read(readFields(value, where)), { max: maxRows });
  const marks = (name: string): EntryMark[] => fields.array(name, readMark, { max: maxRows });
  return {
    n: fields.int('n', { min: 1 }),
    hash: fields.hex('hash', 32),
    at: fields.int('at'),
    features: readFeaturesRow(fields.object('features')),
    keysets: rows('keysets', readKeysetRow),
    actors: rows('actors', readActorRow),
    grants: rows('grants', readGrantRow),
    lines: fields.array('lines', readLine, { max: maxRows }),
    tags: fields.array('tags', readTagRow, { max: maxRows }),
    segments: rows('segments', readLiveSegment),
    expired: rows('expired', readExpiredRow),
    lifted: rows('lifted', (row) => ({ ...readCaptureFields(row), n: readNumber(row) })),
    holds: rows('holds', readHoldRow),
    condemned: marks('condemned'),
    deleted: marks('deleted'),
    lost: marks('lost').map(([id, n]) => [asPackId(id), n]),
    trusted: fields.array('trusted', asPackId, { max: maxRows }),
    redacted: fields.array('redacted', readRedaction, { max: maxRows }),
    audit: fields.array('audit', readAuditPin, { max: maxRows }),
    clock: fields.nullable('clock', (here) => {
      const clock = here.object('clock');
      return { at: clock.int('at'), n: readNumber(clock) };
    }),
    voided: fields.array('voided', readVoided, { max: maxRows }),
    findings: rows('findings', readFinding),
  };
}

/** Rows of one array: more do not fit a document of 256 MiB. */
const maxRows = 8_388_608;

function readNumber(row: Fields): number {
  return row.int('n', { min: 1 });
}

function readLiveSegment(row: Fields): LiveSegment {
  return { ...readSegmentRow(row), n: readNumber(row), actor: asActorId(row.hex('actor', 32)) };
}

function readActorRow(row: Fields): ActorRow {
  const removedAt = row.optional('removedAt', (here) => here.int('removedAt'));
  return { ...readActor(row), addedAt: row.int('addedAt'), ...(removedAt === undefined ? {} : { removedAt }) };
}

function readLine(value: unknown, what: string): Line {
  if (isSoundLine(value)) return value;
  const row = readFields(value, what);
  return { ...readHeadLine(row), n: readNumber(row), at: row.int('at'), actor: asActorId(row.hex('actor', 32)) };
}

function readTagRow(value: unknown, what: string): TagRow {
  if (isSoundTagRow(value)) return value;
  const row = readFields(value, what);
  return {
    domain: readDomain(row),
    name: row.string('name', { max: 200 }),
    commit: asCommitId(row.hex('commit', 20)),
    object: asGitObjectId(row.hex('object', 20)),
    bundle: asEntryId(row.hex('bundle', 32)),
    n: readNumber(row),
    at: row.int('at'),
  };
}

function readExpiredRow(row: Fields): ExpiredRow {
  const reason = row.optional('reason', (here) => here.string('reason'));
  return { ...readCaptureFields(row), n: readNumber(row), ...(reason === undefined ? {} : { reason }) };
}

function readHoldRow(row: Fields): HoldRow {
  return {
    name: row.string('name', { max: 200 }),
    captures: row.array('captures', readCapture),
    reason: row.string('reason'),
    n: readNumber(row),
  };
}

function readFinding(row: Fields): LogFinding {
  return {
    n: readNumber(row),
    actor: row.nullable('actor', (here) => asActorId(here.hex('actor', 32))),
    op: row.string('op', { max: 100 }),
    code: row.string('code', { max: 100 }),
    text: row.string('text'),
  };
}

function readMark(value: unknown, what: string): EntryMark {
  const [id, n] = readPair(value, what);
  return [asEntryId(id), checkNumber(n, what)];
}

function readVoided(value: unknown, what: string): VoidedRow {
  const [n, hash] = readPair(value, what);
  if (!isHex(hash, 32)) throw new MbkError('value-invalid', `${what}: expected a number and a hash`);
  return [checkNumber(n, what), hash];
}

function readPair(value: unknown, what: string): readonly [unknown, unknown] {
  if (Array.isArray(value) && value.length === 2) return [value[0] as unknown, value[1] as unknown];
  throw new MbkError('value-invalid', `${what}: expected an array of two`);
}

function checkNumber(value: unknown, what: string): number {
  return readFields({ n: value }, what).int('n', { min: 1 });
}

function sortedBy<T>(rows: readonly T[], keyOf: (row: T) => string): T[] {
  return rows
    .map((row) => ({ key: keyOf(row), row }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ row }) => row);
}
