/**
 * Readers of the rows that both operations and states hold: checked fields of JSON objects, nothing else.
 */
import { MbkError } from '../errors.ts';
import { readFields, type Fields } from './fields.ts';
import { asActorId, asBlobId, asCommitId, asEntryId, asGitObjectId, asKeysetId, asSegmentId } from './ids.ts';
import type {
  Actor,
  AuditPin,
  Capture,
  GrantOperation,
  HeadLine,
  KeysetOperation,
  LineCapture,
  LogLine,
  Redaction,
  SegmentRow,
} from './log-operations.ts';

const domainPattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const collectionPattern = /^[a-z0-9][a-z0-9._-]{0,62}\/[a-z0-9][a-z0-9._-]{0,62}$/;
const wordPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

export function readKeysetRow(fields: Fields): Omit<KeysetOperation, 'op'> {
  return {
    id: asKeysetId(fields.hex('id', 16)),
    scope: fields.string('scope', { pattern: domainPattern }),
    generation: fields.int('generation', { min: 1 }),
  };
}

export function readGrantRow(fields: Fields): Omit<GrantOperation, 'op'> {
  return {
    grant: asEntryId(fields.hex('grant', 32)),
    actor: asActorId(fields.hex('actor', 32)),
    keysets: fields.array('keysets', asKeysetId),
  };
}

export function readActor(fields: Fields): Actor {
  const domains = fields.optional('domains', (here) =>
    here.array('domains', (value, what) => readDomain(readFields({ domain: value }, what))),
  );
  const trusted = fields.optional('trusted', (here) => here.bool('trusted'));
  return {
    signing: asActorId(fields.hex('signing', 32)),
    agreement: fields.hex('agreement', 32),
    name: fields.string('name', { max: 200 }),
    role: fields.literal('role', 'owner', 'writer', 'reader', 'auditor'),
    kind: fields.string('kind', { pattern: wordPattern }),
    ...(domains === undefined ? {} : { domains }),
    ...(trusted === undefined ? {} : { trusted }),
  };
}

export function readHeadLine(fields: Fields): HeadLine {
  return {
    domain: readDomain(fields),
    from: fields.nullable('from', (here) => asCommitId(here.hex('from', 20))),
    to: asCommitId(fields.hex('to', 20)),
    bundle: asEntryId(fields.hex('bundle', 32)),
    ...readLineTag(fields),
    line: readLogLine(fields.object('line')),
  };
}

function readLineTag(fields: Fields): Pick<HeadLine, 'tag' | 'tagObject'> {
  const tag = fields.nullable('tag', (here) => here.string('tag', { max: 200 }));
  const tagObject = fields.nullable('tagObject', (here) => asGitObjectId(here.hex('tagObject', 20)));
  const domain = fields.string('domain');
  if ((tag === null) !== (tagObject === null) || (tag !== null && !tag.startsWith(`${domain}/`))) {
    throw new MbkError(
      'value-invalid',
      `${fields.what}: fields tag and tagObject: expected both null, or a tag of domain ${domain} and its object`,
    );
  }
  return { tag, tagObject };
}

function readLogLine(fields: Fields): LogLine {
  return {
    takenAt: fields.int('takenAt'),
    message: fields.string('message'),
    host: fields.string('host', { max: 1000 }),
    plan: fields.nullable('plan', (here) => here.string('plan', { max: 200 })),
    run: fields.string('run', { max: 200 }),
    files: fields.int('files'),
    bytes: fields.int('bytes'),
    added: fields.int('added'),
    stored: fields.int('stored'),
    flags: fields.array(
      'flags',
      (value, what) => readFields({ flag: value }, what).string('flag', { pattern: wordPattern }),
      { max: 100 },
    ),
    captures: fields.array('captures', readLineCapture),
    carried: fields.array('carried', readCapture),
  };
}

function readLineCapture(value: unknown, what: string): LineCapture {
  const fields = readFields(value, what);
  return {
    collection: fields.string('collection', { pattern: collectionPattern }),
    tree: asBlobId(fields.hex('tree', 32)),
    files: fields.int('files'),
    bytes: fields.int('bytes'),
  };
}

export function readCapture(value: unknown, what: string): Capture {
  return readCaptureFields(readFields(value, what));
}

export function readCaptureFields(fields: Fields): Capture {
  return {
    commit: asCommitId(fields.hex('commit', 20)),
    collection: fields.string('collection', { pattern: collectionPattern }),
  };
}

export function readSegmentRow(fields: Fields): SegmentRow {
  return { id: asSegmentId(fields.hex('id', 32)), blobs: fields.int('blobs'), bytes: fields.int('bytes') };
}

export function readRedaction(value: unknown, what: string): Redaction {
  const fields = readFields(value, what);
  return { object: asGitObjectId(fields.hex('object', 20)), replacement: asGitObjectId(fields.hex('replacement', 20)) };
}

export function readAuditPin(value: unknown, what: string): AuditPin {
  const fields = readFields(value, what);
  return {
    chain: fields.string('chain', { pattern: /^[0-9a-f]{1,128}$/ }),
    hash: fields.hex('hash', 32),
    n: fields.int('n', { min: 1 }),
  };
}

export function readDomain(fields: Fields): string {
  return fields.string('domain', { pattern: domainPattern });
}
