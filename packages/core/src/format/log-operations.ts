/**
 * What a log entry says: JSON of its sections ⇄ typed operations (docs/format.md, Operations).
 *
 * The names of the fields are those of the document. Decoding makes new objects that hold nothing but known, checked
 * fields; what an operation does, and who may, is for `log/apply-entry.ts`.
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
  asSegmentId,
  type ActorId,
  type BlobId,
  type CommitId,
  type EntryId,
  type GitObjectId,
  type KeysetId,
  type PackId,
  type SegmentId,
} from './ids.ts';
import type { parameters as currentParameters } from './limits.ts';
import {
  readActor,
  readAuditPin,
  readCapture,
  readDomain,
  readGrantRow,
  readHeadLine,
  readKeysetRow,
  readRedaction,
  readSegmentRow,
} from './log-rows.ts';
import { isSoundHeadLine } from './sound-line.ts';

/** What section 0 of an entry holds. */
export type LogBody = {
  readonly actor: ActorId;
  /** The storage's own time, from a probe made just before the put; milliseconds since 1970. */
  readonly at: number;
  /** Heads of audit chains that moved. */
  readonly audit: readonly AuditPin[];
  readonly ops: readonly Operation[];
  readonly tool: string;
};

export type AuditPin = { readonly chain: string; readonly hash: string; readonly n: number };

export type Parameters = { readonly [Name in keyof typeof currentParameters]: number };

export type Role = 'owner' | 'writer' | 'reader' | 'auditor';

/** Who may act: a slot's keys and what they are allowed. */
export type Actor = {
  readonly signing: ActorId;
  /** X25519 public key, 64 hex digits. */
  readonly agreement: string;
  readonly name: string;
  readonly role: Role;
  /** Kind of its slot: `passphrase`, `key-file`, `recovery`. */
  readonly kind: string;
  /** Domains that it is limited to; all of them when left out. */
  readonly domains?: readonly string[] | undefined;
  /** Whether blobs in its packs count as known to others; owners' do unless this is false. */
  readonly trusted?: boolean | undefined;
};

/** A collection as one run took it. */
export type Capture = { readonly commit: CommitId; readonly collection: string };

export type LineCapture = {
  readonly collection: string;
  readonly tree: BlobId;
  readonly files: number;
  readonly bytes: number;
};

/** What `mbk log` shows of a snapshot. */
export type LogLine = {
  readonly takenAt: number;
  readonly message: string;
  readonly host: string;
  readonly plan: string | null;
  /** Run id. */
  readonly run: string;
  readonly files: number;
  readonly bytes: number;
  /** Plain bytes that were new. */
  readonly added: number;
  /** Bytes that were written to the storage. */
  readonly stored: number;
  /** `changed-while-read`, `unreadable`, `findings`; others are passed on. */
  readonly flags: readonly string[];
  /** What this run took. */
  readonly captures: readonly LineCapture[];
  /** Collections carried forward, with the commit whose run took them. */
  readonly carried: readonly Capture[];
};

/** The step of one domain's head. */
export type HeadLine = {
  readonly domain: string;
  readonly from: CommitId | null;
  readonly to: CommitId;
  readonly bundle: EntryId;
  /** Full name of the tag that the snapshot was given. */
  readonly tag: string | null;
  readonly tagObject: GitObjectId | null;
  readonly line: LogLine;
};

export type FeaturesOperation = {
  readonly op: 'features';
  readonly format: number;
  readonly required: readonly string[];
  readonly parameters: Parameters;
  /** IANA name. */
  readonly timezone: string;
};
export type KeysetOperation = {
  readonly op: 'keyset';
  readonly id: KeysetId;
  readonly scope: string;
  readonly generation: number;
};
export type ActorsOperation = {
  readonly op: 'actors';
  readonly set: readonly Actor[];
  readonly remove: readonly ActorId[];
};
export type GrantOperation = {
  readonly op: 'grant';
  readonly grant: EntryId;
  readonly actor: ActorId;
  readonly keysets: readonly KeysetId[];
};
export type AdvanceOperation = { readonly op: 'advance'; readonly heads: readonly HeadLine[] };
export type TagOperation = {
  readonly op: 'tag';
  readonly domain: string;
  /** With its domain: `healthcare/v2`. */
  readonly name: string;
  readonly commit: CommitId;
  readonly object: GitObjectId;
  readonly bundle: EntryId;
  readonly deleted?: false | undefined;
};
export type UntagOperation = {
  readonly op: 'tag';
  readonly domain: string;
  readonly name: string;
  readonly deleted: true;
};
export type SegmentRow = { readonly id: SegmentId; readonly blobs: number; readonly bytes: number };
export type IndexOperation = {
  readonly op: 'index';
  readonly add: readonly SegmentRow[];
  readonly drop: readonly SegmentId[];
};
export type ExpireOperation = {
  readonly op: 'expire' | 'unexpire';
  readonly captures: readonly Capture[];
  readonly reason?: string | undefined;
};
export type HoldOperation = {
  readonly op: 'hold';
  readonly name: string;
  readonly captures: readonly Capture[];
  readonly reason: string;
  readonly removed?: false | undefined;
};
export type ReleaseOperation = { readonly op: 'hold'; readonly name: string; readonly removed: true };
/** Entries that nothing live needs: to be deleted after the grace, if that still holds then. */
export type Discarded = {
  readonly packs: readonly PackId[];
  readonly segments: readonly SegmentId[];
  readonly bundles: readonly EntryId[];
};
export type CondemnOperation = { readonly op: 'condemn' } & Discarded;
/** `condemned` is n of the condemn entry. */
export type DeleteOperation = {
  readonly op: 'delete';
  /** What that entry condemned and is needed again: condemned no longer. */
  readonly spared: readonly EntryId[];
  readonly condemned: number;
} & Discarded;
export type LostOperation = { readonly op: 'lost'; readonly packs: readonly PackId[] };
export type TrustOperation = { readonly op: 'trust'; readonly packs: readonly PackId[] };
export type Redaction = { readonly object: GitObjectId; readonly replacement: GitObjectId };
export type RedactOperation = { readonly op: 'redact'; readonly objects: readonly Redaction[] };
export type ClockOperation = { readonly op: 'clock'; readonly at: number };
/** `through` is the n that the state folds. */
export type StateOperation = { readonly op: 'state'; readonly id: EntryId; readonly through: number };
/** `hash` is the one that the successor of entry n names as its `prev`. */
export type VoidOperation = { readonly op: 'void'; readonly n: number; readonly hash: string };
/** An operation that this version does not know and that may be passed over. */
export type UnknownOperation = { readonly op: 'unknown'; readonly name: string };

export type KnownOperation =
  | FeaturesOperation
  | KeysetOperation
  | ActorsOperation
  | GrantOperation
  | AdvanceOperation
  | TagOperation
  | UntagOperation
  | IndexOperation
  | ExpireOperation
  | HoldOperation
  | ReleaseOperation
  | CondemnOperation
  | DeleteOperation
  | LostOperation
  | TrustOperation
  | RedactOperation
  | ClockOperation
  | StateOperation
  | VoidOperation;
export type Operation = KnownOperation | UnknownOperation;

/** Plaintext of section 0. */
export function encodeLogBody(body: LogBody & { readonly ops: readonly KnownOperation[] }): Uint8Array {
  return encodeCanonical(body);
}

/** Plaintext of any other section. */
export function encodeLogSection(ops: readonly KnownOperation[]): Uint8Array {
  return encodeCanonical({ ops });
}

/**
 * Section 0 of the entry named `what`. Errors: `value-invalid`, `operation-unknown`.
 *
 * `proveActor` is called with the actor before any operation is read: it throws unless the actor signed the entry.
 */
export function decodeLogBody(bytes: Uint8Array, what: string, proveActor: (actor: ActorId) => void): LogBody {
  const fields = readFields(parseJson(bytes, what), what);
  const actor = asActorId(fields.hex('actor', 32));
  proveActor(actor);
  return {
    actor,
    at: fields.int('at'),
    audit: fields.array('audit', readAuditPin, { max: 65_536 }),
    ops: fields.array('ops', readOperation, { max: maxOperations }),
    tool: fields.string('tool', { max: 200 }),
  };
}

/** The operations of another section. Errors: `value-invalid`, `operation-unknown`. */
export function decodeLogSection(bytes: Uint8Array, what: string): readonly Operation[] {
  return readFields(parseJson(bytes, what), what).array('ops', readOperation, { max: maxOperations });
}

const maxOperations = 65_536;

/** The one reader of each operation; their names are the operations that this version knows. */
const readers: { readonly [Name in KnownOperation['op']]: (fields: Fields) => KnownOperation } = {
  features: readFeatures,
  keyset: (fields) => ({ op: 'keyset', ...readKeysetRow(fields) }),
  actors: (fields) => ({
    op: 'actors',
    set: fields.array('set', (value, what) => readActor(readFields(value, what))),
    remove: fields.array('remove', asActorId),
  }),
  grant: (fields) => ({ op: 'grant', ...readGrantRow(fields) }),
  advance: (fields) => ({
    op: 'advance',
    heads: fields.array('heads', (value, what) =>
      isSoundHeadLine(value) ? value : readHeadLine(readFields(value, what)),
    ),
  }),
  tag: readTag,
  index: (fields) => ({
    op: 'index',
    add: fields.array('add', (value, what) => readSegmentRow(readFields(value, what))),
    drop: fields.array('drop', asSegmentId),
  }),
  expire: (fields) => readExpire('expire', fields),
  unexpire: (fields) => readExpire('unexpire', fields),
  hold: readHold,
  condemn: (fields) => ({ op: 'condemn', ...readDiscarded(fields) }),
  delete: (fields) => ({
    op: 'delete',
    ...readDiscarded(fields),
    spared: readIds(fields, 'spared', asEntryId),
    condemned: fields.int('condemned', { min: 1 }),
  }),
  lost: (fields) => ({ op: 'lost', packs: readPacks(fields) }),
  trust: (fields) => ({ op: 'trust', packs: readPacks(fields) }),
  redact: (fields) => ({ op: 'redact', objects: fields.array('objects', readRedaction) }),
  clock: (fields) => ({ op: 'clock', at: fields.int('at') }),
  state: (fields) => ({ op: 'state', id: asEntryId(fields.hex('id', 32)), through: fields.int('through') }),
  void: (fields) => ({ op: 'void', n: fields.int('n', { min: 1 }), hash: fields.hex('hash', 32) }),
};

function readOperation(value: unknown, what: string): Operation {
  const fields = readFields(value, what);
  const name = fields.string('op', { max: 100 });
  if (isKnown(name)) return readers[name](fields);
  if (fields.raw('optional') === true) return { op: 'unknown', name };
  throw new MbkError(
    'operation-unknown',
    `${what} is the operation ${JSON.stringify(name)}, which this mbk does not know`,
    {
      details: { operation: name },
    },
  );
}

function isKnown(name: string): name is KnownOperation['op'] {
  return Object.hasOwn(readers, name);
}

function readFeatures(fields: Fields): FeaturesOperation {
  const format = fields.int('format', { min: 1 });
  const required = fields.array(
    'required',
    (value, what) => readFields({ value }, what).string('value', { max: 100 }),
    { max: 1000 },
  );
  const parameters = fields.object('parameters');
  // The parameters of a later format are not this version's to check: applying the operation refuses it by name.
  const read = (name: keyof Parameters): number => (format === 1 ? parameters.int(name, { min: 1 }) : 0);
  return {
    op: 'features',
    format,
    required,
    parameters: {
      averageBytes: read('averageBytes'),
      frameBytes: read('frameBytes'),
      maximumBytes: read('maximumBytes'),
      minimumBytes: read('minimumBytes'),
      packBytes: read('packBytes'),
      pieceBytes: read('pieceBytes'),
      smallTensorBytes: read('smallTensorBytes'),
      wholeFileBytes: read('wholeFileBytes'),
      zeroRunBytes: read('zeroRunBytes'),
    },
    timezone: fields.string('timezone', { pattern: /^[A-Za-z0-9_+/-]{1,64}$/ }),
  };
}

function readTag(fields: Fields): TagOperation | UntagOperation {
  const domain = readDomain(fields);
  const name = fields.string('name', { max: 200 });
  if (!name.startsWith(`${domain}/`)) {
    throw new MbkError(
      'value-invalid',
      `${fields.what}: field name: expected a tag of domain ${domain}, got ${JSON.stringify(name)}`,
    );
  }
  if (fields.optional('deleted', (here) => here.bool('deleted')) === true)
    return { op: 'tag', domain, name, deleted: true };
  return {
    op: 'tag',
    domain,
    name,
    commit: asCommitId(fields.hex('commit', 20)),
    object: asGitObjectId(fields.hex('object', 20)),
    bundle: asEntryId(fields.hex('bundle', 32)),
  };
}

function readExpire(op: 'expire' | 'unexpire', fields: Fields): ExpireOperation {
  const reason = fields.optional('reason', (here) => here.string('reason'));
  return { op, captures: fields.array('captures', readCapture), ...(reason === undefined ? {} : { reason }) };
}

function readHold(fields: Fields): HoldOperation | ReleaseOperation {
  const name = fields.string('name', { max: 200 });
  if (fields.optional('removed', (here) => here.bool('removed')) === true) return { op: 'hold', name, removed: true };
  return { op: 'hold', name, captures: fields.array('captures', readCapture), reason: fields.string('reason') };
}

/** A state holds the fields without the name of the operation. */
export function readFeaturesRow(fields: Fields): Omit<FeaturesOperation, 'op'> {
  const { format, required, parameters, timezone } = readFeatures(fields);
  return { format, required, parameters, timezone };
}

function readDiscarded(fields: Fields): Discarded {
  return {
    packs: readIds(fields, 'packs', asPackId),
    segments: readIds(fields, 'segments', asSegmentId),
    bundles: readIds(fields, 'bundles', asEntryId),
  };
}

/** Ids in a field that may be left out. */
function readIds<T>(fields: Fields, name: string, asId: (value: unknown) => T): T[] {
  return fields.optional(name, (here) => here.array(name, asId)) ?? [];
}

function readPacks(fields: Fields): PackId[] {
  return fields.array('packs', asPackId);
}
