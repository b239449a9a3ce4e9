/** One of every record of the format, with every field that it can have: for vectors and for the tests of the document. */

import { asActorId, asBlobId, asCommitId, asEntryId, asGitObjectId, asKeysetId, asPackId, asSegmentId } from '../../packages/core/src/format/ids.ts';
import { parameters } from '../../packages/core/src/format/limits.ts';
import type { HeadLine, KnownOperation } from '../../packages/core/src/format/log-operations.ts';
import type { LogState } from '../../packages/core/src/format/log-state.ts';
import { emptySha256, type TreeEntry } from '../../packages/core/src/format/tree.ts';

const hex = (byte: number, bytes: number): string => byte.toString(16).padStart(2, '0').repeat(bytes);
const [signing, agreement] = [asActorId(hex(0xa1, 32)), hex(0xa2, 32)];
const [from, commit, tag] = [asCommitId(hex(0xc0, 20)), asCommitId(hex(0xc1, 20)), asGitObjectId(hex(0xc2, 20))];
const [bundle, grant, state] = [asEntryId(hex(0xe1, 32)), asEntryId(hex(0xe2, 32)), asEntryId(hex(0xe3, 32))];
const [pack, segment, keyset] = [asPackId(hex(0xd1, 32)), asSegmentId(hex(0xd2, 32)), asKeysetId(hex(0xd3, 16))];
const hash = hex(0x5a, 32);
const at = Date.UTC(2025, 0, 31, 22, 30);
const captures = [{ commit, collection: 'models/checkpoint' }];

// As in the repositories that the first version made.
const features = { format: 1, required: [], parameters: { ...parameters, smallTensorBytes: 65_536 }, timezone: 'Europe/Berlin' };
const keysetRow = { id: keyset, scope: 'shared', generation: 1 };
const actor = { signing, agreement, name: 'Ada', role: 'writer', kind: 'key-file', domains: ['healthcare'], trusted: true } as const;
const grantRow = { grant, actor: signing, keysets: [keyset] };
const head: HeadLine = {
  domain: 'healthcare',
  from,
  to: commit,
  bundle,
  tag: 'healthcare/2025-01-31',
  tagObject: tag,
  line: {
    takenAt: at,
    message: 'Nightly ☤',
    host: 'lab-1',
    plan: 'nightly',
    run: hex(0x77, 16),
    files: 3,
    bytes: 123_456,
    added: 3456,
    stored: 2048,
    flags: ['changed-while-read'],
    captures: [{ collection: 'models/checkpoint', tree: asBlobId(hex(0xb1, 32)), files: 2, bytes: 123_000 }],
    carried: [{ collection: 'data/training', commit: from }],
  },
};
const tagFields = { domain: 'healthcare', name: 'healthcare/v2', commit, object: tag, bundle };
const discarded = { packs: [pack], segments: [segment], bundles: [bundle] };
const redaction = { object: tag, replacement: asGitObjectId(hex(0xc3, 20)) };
/** What an entry says of an audit chain. */
export const auditPin = { chain: hex(0xf1, 32), hash, n: 4 };

/** Every operation, the two forms of `tag` and `hold` each. */
export const sampleOperations: readonly KnownOperation[] = [
  { op: 'features', ...features },
  { op: 'keyset', ...keysetRow },
  { op: 'actors', set: [actor], remove: [asActorId(hex(0xa3, 32))] },
  { op: 'grant', ...grantRow },
  { op: 'advance', heads: [head] },
  { op: 'tag', ...tagFields },
  { op: 'tag', domain: 'healthcare', name: 'healthcare/v2', deleted: true },
  { op: 'index', add: [{ id: segment, blobs: 12, bytes: 3048 }], drop: [asSegmentId(hex(0xd4, 32))] },
  { op: 'expire', captures, reason: 'policy' },
  { op: 'unexpire', captures, reason: 'needed' },
  { op: 'hold', name: 'audit-2025', captures, reason: 'an audit' },
  { op: 'hold', name: 'audit-2025', removed: true },
  { op: 'condemn', ...discarded },
  { op: 'delete', ...discarded, spared: [asEntryId(hex(0xe4, 32))], condemned: 7 },
  { op: 'lost', packs: [pack] },
  { op: 'trust', packs: [pack] },
  { op: 'redact', objects: [redaction] },
  { op: 'clock', at },
  { op: 'state', id: state, through: 255 },
  { op: 'void', n: 9, hash },
];

export const sampleState: LogState = {
  n: 255,
  hash,
  at,
  features,
  keysets: [keysetRow],
  actors: [{ ...actor, addedAt: at, removedAt: at + 1 }],
  grants: [grantRow],
  lines: [{ ...head, n: 3, at, actor: signing }],
  tags: [{ ...tagFields, n: 4, at }],
  segments: [{ id: segment, blobs: 12, bytes: 3048, n: 3, actor: signing }],
  expired: [{ commit, collection: 'models/checkpoint', n: 5, reason: 'policy' }],
  lifted: [{ commit: from, collection: 'data/training', n: 5 }],
  holds: [{ name: 'audit-2025', captures, reason: 'an audit', n: 6 }],
  condemned: [[pack, 7]],
  deleted: [[bundle, 8]],
  lost: [[pack, 9]],
  trusted: [pack],
  redacted: [redaction],
  audit: [auditPin],
  clock: { at, n: 10 },
  voided: [[9, hash]],
  findings: [{ n: 11, actor: signing, op: 'advance', code: 'head-moved', text: 'a sentence' }],
};

/** Every kind of entry of a tree, sorted; names and a target that are text, and such that are not. */
export const sampleEntries: readonly TreeEntry[] = [
  entryOf({ type: 'file', name: '%41', size: 0, sha256: emptySha256 }),
  entryOf({ type: 'file', name: 'big.gguf', size: 70_000, sha256: asBlobId(hex(0xb2, 32)), chunks: asBlobId(hex(0xb3, 32)), layout: asBlobId(hex(0xb4, 32)), sparse: true, changed: true }),
  entryOf({ type: 'directory', name: 'deeper', tree: asBlobId(hex(0xb5, 32)) }),
  entryOf({ type: 'symlink', name: 'link', target: '../elsewhere' }),
  entryOf({ type: 'symlink', name: 'link\xff', target: 'latin1-\xe9' }),
  entryOf({ type: 'file', name: 'z\xc3\xa9', size: 5, sha256: asBlobId(hex(0xb6, 32)) }),
];

type Bare<Entry> = Entry extends TreeEntry ? Omit<Entry, 'mode' | 'mtime' | 'owner'> : never;

function entryOf(entry: Bare<TreeEntry>): TreeEntry {
  return { ...entry, mode: entry.type === 'file' ? 0o644 : 0o755, mtime: [-1, 999_999_999], owner: [1000, 65_534] } as TreeEntry;
}
