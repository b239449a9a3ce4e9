/**
 * mbk.json: magic, format version and repository id (docs/format.md, mbk.json).
 */
import { createHash } from 'node:crypto';
import { MbkError } from '../errors.ts';
import { concatBytes, utf8 } from './bytes.ts';
import { encodeCanonical, parseJson } from './canonical-json.ts';
import { readFields } from './fields.ts';
import { asRepositoryId, type RepositoryId } from './ids.ts';
import { formatVersion } from './limits.ts';

export const repositoryFileKey = 'mbk.json';
/** Where second copies of mbk.json, slots and grants stand. */
export const copyPrefix = 'copy/';

function checkOf(repository: RepositoryId): string {
  const body = encodeCanonical({ format: 'mbk repository', repository, version: formatVersion });
  return createHash('sha256').update(body).digest('hex');
}

/** Bytes of mbk.json. */
export function encodeRepositoryFile(repository: RepositoryId): Uint8Array {
  const record = { check: checkOf(repository), format: 'mbk repository', repository, version: formatVersion };
  return concatBytes([encodeCanonical(record), utf8('\n')]);
}

/** The repository id in bytes of mbk.json. Errors: `value-invalid`, `entry-damaged`, `format-unsupported`. */
export function decodeRepositoryFile(bytes: Uint8Array, what: string): RepositoryId {
  const fields = readFields(parseJson(bytes, what), what);
  fields.literal('format', 'mbk repository');
  const version = fields.int('version');
  if (version !== formatVersion)
    throw new MbkError('format-unsupported', `${what} has format version ${version}; this mbk knows ${formatVersion}`);
  const repository = asRepositoryId(fields.hex('repository', 16));
  if (fields.hex('check', 32) !== checkOf(repository))
    throw new MbkError('entry-damaged', `${what} does not match its own check`);
  return repository;
}
