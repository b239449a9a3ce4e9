/**
 * The published JSON Schemas (draft 2020-12) of what a commit's tree holds, and checking against them with ajv.
 *
 * docs/schemas/*.schema.json are these values; a test writes and compares them. Reading a snapshot goes through the
 * codecs of `format/`, which need no ajv; writers and `verify` check here as well, and a test holds that both agree.
 */
import { defaultLimits, findingSchema } from '@mbk/plugin-sdk';
import { MbkError } from '../errors.ts';
import { assetLimits, jsonLines } from '../format/asset-line.ts';
import { parseJson } from '../format/canonical-json.ts';
import { lifetimes } from '../format/ids.ts';
import { manifestLimits } from '../format/snapshot-manifest.ts';

type Schema = Readonly<Record<string, unknown>>;

const hex = (bytes: number): Schema => ({ type: 'string', pattern: `^[0-9a-f]{${bytes * 2}}$` });
const text = (maxLength: number): Schema => ({ type: 'string', maxLength });
const count: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const time: Schema = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' };
const orNull = (schema: Schema): Schema => ({ anyOf: [{ type: 'null' }, schema] });
const record = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
const described = (description: string, schema: Schema): Schema => ({ description, ...schema });

const namePart = '[a-z0-9][a-z0-9._-]{0,62}';
const path: Schema = {
  description: 'A path below the source root, or the hex of its bytes where they are not UTF-8 or hold a zero byte.',
  anyOf: [
    text(assetLimits.pathBytes),
    record({ hex: { type: 'string', maxLength: 2 * assetLimits.pathBytes, pattern: '^(?:[0-9a-f]{2})+$' } }),
  ],
};

const collection: Schema = record({
  name: described('category/class', { type: 'string', pattern: `^${namePart}/${namePart}$` }),
  takenAt: time,
  commit: described('The commit whose run took it; null for this one.', orNull(hex(20))),
  tree: described('Blob id of the root tree.', hex(32)),
  links: described('Blob id of the hard links.', orNull(hex(32))),
  assets: described('Blob id of the full table of its assets.', orNull(hex(32))),
  files: count,
  directories: count,
  symlinks: count,
  bytes: described('Plain bytes of its files.', count),
  retention: orNull(record({ rule: orNull(text(manifestLimits.name)), lifetime: { enum: lifetimes } })),
  flags: {
    description: 'changed-while-read, unreadable, findings, and what later versions add.',
    type: 'array',
    maxItems: manifestLimits.flags,
    items: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}$' },
  },
});

/** Schema of snapshot.json. */
export const snapshotSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'snapshot.json of an mbk catalogue',
  description: 'What a snapshot holds and where it came from. Fields are only ever added. Times are RFC 3339 in UTC.',
  ...record({
    format: { const: 'mbk snapshot' },
    version: { const: 1 },
    domain: { type: 'string', pattern: `^${namePart}$` },
    run: described('The snapshots that one run makes of several domains share it.', hex(16)),
    plan: described('Plan that asked for the run; null when a person did.', orNull(text(manifestLimits.name))),
    host: text(manifestLimits.name),
    actor: record({ id: described('Ed25519 public key.', hex(32)), name: text(manifestLimits.name) }),
    tool: text(manifestLimits.name),
    startedAt: time,
    finishedAt: time,
    message: text(manifestLimits.message),
    source: record({
      root: described('For people only.', text(32_768)),
      git: orNull(
        record({
          commit: orNull({ type: 'string', pattern: '^(?:[0-9a-f]{40}|[0-9a-f]{64})$' }),
          branch: orNull(text(manifestLimits.name)),
          dirty: { type: 'boolean' },
        }),
      ),
    }),
    collections: described('The state of the whole domain, sorted by name.', {
      type: 'array',
      maxItems: manifestLimits.collections,
      items: collection,
    }),
    totals: record({
      files: count,
      directories: count,
      symlinks: count,
      bytes: count,
      assets: count,
      added: described('Plain bytes that were new to the repository.', count),
      stored: described('Bytes that were written for them.', count),
    }),
    assetsSha256: described('SHA-256 of the bytes of assets.jsonl.', hex(32)),
    notes: {
      type: 'array',
      maxItems: manifestLimits.notes,
      items: record({ path, problem: text(manifestLimits.name) }),
    },
    notesOmitted: count,
  }),
};

/** Schema of one line of assets.jsonl. */
export const assetsSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A line of assets.jsonl of an mbk catalogue',
  description: `One recognised asset; at most ${assetLimits.lines} lines and ${assetLimits.bytes} bytes a snapshot.`,
  ...record(
    {
      path,
      collection: text(127),
      kind: text(100),
      size: count,
      sha256: described('SHA-256 of the file; null for a folder.', orNull(hex(32))),
      tensors: count,
      plugin: described('Name and version of the plugin that examined it.', text(200)),
      summary: text(defaultLimits.summaryLength),
      facts: described('What the plugin says of it; the table of the collection has those that are left out here.', {
        type: 'object',
      }),
      findings: { type: 'array', maxItems: defaultLimits.findings, items: findingSchema },
    },
    ['tensors', 'plugin', 'summary', 'facts', 'findings'],
  ),
};

/** Checks bytes against the schemas; each throws `value-invalid` with the place and the rule that was broken. */
export interface SchemaCheck {
  manifest(bytes: Uint8Array, what: string): void;
  assets(bytes: Uint8Array, what: string): void;
}

/**
 * Our own schemas are checked against theirs by tests, not by every command, and what is compiled for a handful of
 * documents is not worth optimising: 40 ms in place of 160.
 */
const quickStart = { meta: false, validateSchema: false, code: { optimize: false } } as const;

/** Compiles both schemas: about 80 ms, once a process that writes or verifies. */
export async function loadSchemaCheck(): Promise<SchemaCheck> {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, ...quickStart });
  const manifest = ajv.compile(snapshotSchema);
  const asset = ajv.compile(assetsSchema);

  const check = (validate: typeof manifest, value: unknown, what: string): void => {
    if (validate(value)) return;
    const details = { errors: validate.errors ?? [] };
    throw new MbkError('value-invalid', `${what} breaks its schema: ${ajv.errorsText(validate.errors)}`, { details });
  };
  return {
    manifest: (bytes, what) => check(manifest, parseJson(bytes, what), what),
    assets(bytes, what) {
      for (const line of jsonLines(bytes, what)) check(asset, parseJson(line.bytes, line.what), line.what);
    },
  };
}
