/**
 * `snapshot.json`: what a snapshot holds and where it came from (docs/format.md, Catalogue).
 *
 * It is the state of the whole domain: every collection is listed, also those that the run did not take. Its bytes are
 * bound to the commit by the trailer `Manifest-SHA256`. Published as docs/schemas/snapshot.schema.json.
 */
import { MbkError } from '../errors.ts';
import { readPath } from './asset-line.ts';
import type { ByteText } from './byte-name.ts';
import { utf8 } from './bytes.ts';
import { canonicalText, parseJson, type JsonValue } from './canonical-json.ts';
import { readFields, type Fields } from './fields.ts';
import {
  asActorId,
  asBlobId,
  asCommitId,
  lifetimes,
  type ActorId,
  type BlobId,
  type CommitId,
  type Lifetime,
} from './ids.ts';

export interface SnapshotManifest {
  readonly format: 'mbk snapshot';
  readonly version: 1;
  readonly domain: string;
  /** Id of the run; the snapshots that one run makes of several domains share it. */
  readonly run: string;
  /** Plan that asked for the run; null when a person did. */
  readonly plan: string | null;
  readonly host: string;
  readonly actor: { readonly id: ActorId; readonly name: string };
  /** `mbk 0.1.0`. */
  readonly tool: string;
  /** RFC 3339, UTC, like every time of the manifest. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** First lines of the commit message. */
  readonly message: string;
  readonly source: SnapshotSource;
  /** Sorted by name, each name once. */
  readonly collections: readonly CollectionState[];
  readonly totals: SnapshotTotals;
  /** SHA-256 of the bytes of assets.jsonl. */
  readonly assetsSha256: string;
  /** What went wrong with single files; at most `manifestLimits.notes`. */
  readonly notes: readonly SnapshotNote[];
  /** Notes beyond that number. */
  readonly notesOmitted: number;
}

export interface SnapshotSource {
  /** The source root, for people; never used as a path. */
  readonly root: string;
  /** Where the source is a Git working folder: its commit (null before the first), its branch (null when detached). */
  readonly git: GitProvenance | null;
}

export interface GitProvenance {
  readonly commit: string | null;
  readonly branch: string | null;
  /** Whether the working folder differed from the commit. */
  readonly dirty: boolean;
}

/** One collection as of this snapshot. */
export interface CollectionState {
  readonly name: string;
  readonly takenAt: string;
  /** The commit whose run took it; null for this one's. */
  readonly commit: CommitId | null;
  /** Root tree. */
  readonly tree: BlobId;
  /** Hard links; null when there are none. */
  readonly links: BlobId | null;
  /** Full table of its assets; null when it has none. */
  readonly assets: BlobId | null;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Plain bytes of its files. */
  readonly bytes: number;
  /** The rule of retention that held when it was taken, and the lifetime of the packs it went to. */
  readonly retention: { readonly rule: string | null; readonly lifetime: Lifetime } | null;
  /** `changed-while-read`, `unreadable`, `findings`; others are passed on. */
  readonly flags: readonly string[];
}

/** Sums over all collections; `added` and `stored` are what this run brought. */
export interface SnapshotTotals {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly bytes: number;
  /** All assets; assets.jsonl lists the first of them. */
  readonly assets: number;
  /** Plain bytes that were new to the repository. */
  readonly added: number;
  /** Bytes that were written for them. */
  readonly stored: number;
}

export interface SnapshotNote {
  readonly path: ByteText;
  readonly problem: string;
}

export const manifestLimits = {
  bytes: 33_554_432,
  collections: 10_000,
  notes: 1000,
  /** What writers give all notes together. */
  noteBytes: 1_048_576,
  flags: 100,
  message: 65_536,
  name: 1000,
} as const;

/** Bytes of snapshot.json: keys sorted, two spaces, a newline; so Git shows differences by line. */
export function encodeManifest(manifest: SnapshotManifest): Uint8Array {
  const sorted: unknown = JSON.parse(canonicalText(manifest as unknown as JsonValue));
  return utf8(`${JSON.stringify(sorted, null, 2)}\n`);
}

/** The manifest in bytes of snapshot.json, unknown fields left out. Errors: `value-invalid`, `format-unsupported`. */
export function decodeManifest(bytes: Uint8Array, what: string): SnapshotManifest {
  if (bytes.byteLength > manifestLimits.bytes) {
    throw new MbkError(
      'value-invalid',
      `${what}: ${bytes.byteLength} bytes, at most ${manifestLimits.bytes} are allowed`,
    );
  }
  const fields = readFields(parseJson(bytes, what), what);
  fields.literal('format', 'mbk snapshot');
  const version = fields.int('version', { min: 1 });
  if (version !== 1) throw new MbkError('format-unsupported', `${what} has version ${version}; this mbk knows 1`);
  const collections = fields.array('collections', readCollection, { max: manifestLimits.collections });
  collections.forEach((collection, index) => {
    const previous = collections[index - 1];
    if (previous !== undefined && !(previous.name < collection.name)) {
      throw new MbkError('value-invalid', `${what}: collection ${collection.name} is out of order or occurs twice`);
    }
  });
  const actor = fields.object('actor');
  return {
    format: 'mbk snapshot',
    version: 1,
    domain: fields.string('domain', { pattern: /^[a-z0-9][a-z0-9._-]{0,62}$/ }),
    run: fields.hex('run', 16),
    plan: fields.nullable('plan', (f) => f.string('plan', { max: manifestLimits.name })),
    host: fields.string('host', { max: manifestLimits.name }),
    actor: { id: asActorId(actor.hex('id', 32)), name: actor.string('name', { max: manifestLimits.name }) },
    tool: fields.string('tool', { max: manifestLimits.name }),
    startedAt: readTime(fields, 'startedAt'),
    finishedAt: readTime(fields, 'finishedAt'),
    message: fields.string('message', { max: manifestLimits.message }),
    source: readSource(fields.object('source')),
    collections,
    totals: readTotals(fields.object('totals')),
    assetsSha256: fields.hex('assetsSha256', 32),
    notes: fields.array('notes', readNote, { max: manifestLimits.notes }),
    notesOmitted: fields.int('notesOmitted'),
  };
}

/** Milliseconds since 1970 as a manifest writes them: `2025-01-01T02:00:00.000Z`. */
export function timeText(at: number): string {
  return new Date(at).toISOString();
}

const dayMs = 86_400_000;

/**
 * `timeText` for many times: a history has thousands in a few days, and those of one day differ in what is quickly
 * written of parts that are there.
 */
export function timeTexts(): (at: number) => string {
  const pairs = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));
  const pair = (value: number): string => pairs[value] ?? '';
  let lastDay = NaN;
  let date = '';
  return (at) => {
    const day = Math.floor(at / dayMs);
    if (day !== lastDay) {
      date = timeText(at).slice(0, -'00:00:00.000Z'.length);
      lastDay = day;
    }
    const ms = at - day * dayMs;
    const seconds = Math.floor(ms / 1000);
    const minutes = Math.floor(seconds / 60);
    const clock = `${pair(Math.floor(minutes / 60))}:${pair(minutes % 60)}:${pair(seconds % 60)}`;
    return `${date}${clock}.${Math.floor((ms % 1000) / 100)}${pair(ms % 100)}Z`;
  };
}

/** Milliseconds since 1970 of a manifest's time. */
export function timeOf(text: string): number {
  return Date.parse(text);
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function readTime(fields: Fields, name: string): string {
  const text = fields.string(name, { pattern: timePattern });
  const at = Date.parse(text);
  if (Number.isNaN(at) || new Date(at).toISOString() !== text) {
    throw new MbkError('value-invalid', `${fields.what}: field ${name}: no such time: ${text}`);
  }
  return text;
}

function readSource(fields: Fields): SnapshotSource {
  const git = fields.nullable('git', (f) => f.object('git'));
  return {
    root: fields.string('root', { max: 32_768 }),
    git:
      git === null
        ? null
        : {
            commit: git.nullable('commit', (f) => f.string('commit', { pattern: /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/ })),
            branch: git.nullable('branch', (f) => f.string('branch', { max: manifestLimits.name })),
            dirty: git.bool('dirty'),
          },
  };
}

function readCollection(value: unknown, what: string): CollectionState {
  const fields = readFields(value, what);
  const blob = (name: string): BlobId | null => fields.nullable(name, (f) => asBlobId(f.hex(name, 32)));
  const retention = fields.nullable('retention', (f) => f.object('retention'));
  return {
    name: fields.string('name', { pattern: /^[a-z0-9][a-z0-9._-]{0,62}\/[a-z0-9][a-z0-9._-]{0,62}$/ }),
    takenAt: readTime(fields, 'takenAt'),
    commit: fields.nullable('commit', (f) => asCommitId(f.hex('commit', 20))),
    tree: asBlobId(fields.hex('tree', 32)),
    links: blob('links'),
    assets: blob('assets'),
    files: fields.int('files'),
    directories: fields.int('directories'),
    symlinks: fields.int('symlinks'),
    bytes: fields.int('bytes'),
    retention:
      retention === null
        ? null
        : {
            rule: retention.nullable('rule', (f) => f.string('rule', { max: manifestLimits.name })),
            lifetime: retention.literal('lifetime', ...lifetimes),
          },
    flags: fields.array('flags', readFlag, { max: manifestLimits.flags }),
  };
}

function readFlag(value: unknown, what: string): string {
  return readFields({ flag: value }, what).string('flag', { pattern: /^[a-z0-9][a-z0-9-]{0,62}$/ });
}

function readTotals(fields: Fields): SnapshotTotals {
  return {
    files: fields.int('files'),
    directories: fields.int('directories'),
    symlinks: fields.int('symlinks'),
    bytes: fields.int('bytes'),
    assets: fields.int('assets'),
    added: fields.int('added'),
    stored: fields.int('stored'),
  };
}

function readNote(value: unknown, what: string): SnapshotNote {
  const fields = readFields(value, what);
  return {
    path: readPath(fields.raw('path'), `${what}: path`),
    problem: fields.string('problem', { max: manifestLimits.name }),
  };
}
