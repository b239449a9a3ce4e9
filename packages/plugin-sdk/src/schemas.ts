/**
 * JSON Schemas (draft 2020-12) of what a plugin says of itself and of what it answers, for programs in any language.
 * `checkManifest` and `check-answer.ts` hold plugins to the same rules without a validator; tests hold them equal.
 */

import { changeKinds } from './difference.ts';
import { severities } from './finding.ts';
import type { JsonSchema } from './json.ts';
import { defaultLimits } from './limits.ts';
import { contributions } from './plugin.ts';

const draft = 'https://json-schema.org/draft/2020-12/schema';
const text = (maxLength: number): JsonSchema => ({ type: 'string', maxLength });
const whole: JsonSchema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const some = (items: JsonSchema): JsonSchema => ({ type: 'array', minItems: 1, items });
const kind: JsonSchema = { type: 'string', pattern: '^[a-z0-9-]{1,32}/[a-z0-9-]{1,32}$' };

/** Schema of a plugin's data, and of a program's answer to `describe`. */
export const manifestSchema: JsonSchema = {
  $schema: draft,
  title: 'Manifest of an mbk plugin',
  type: 'object',
  required: ['apiVersion', 'name', 'version', 'match'],
  properties: {
    apiVersion: { const: 1 },
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,63}$' },
    version: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+(?:[-+][0-9A-Za-z.+-]{1,64})?$' },
    description: text(1000),
    match: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kind'],
        additionalProperties: false,
        anyOf: [{ required: ['extensions'] }, { required: ['globs'] }, { required: ['magic'] }],
        properties: {
          kind,
          extensions: some({ type: 'string', pattern: '^\\.[^/\\s]{1,63}$' }),
          globs: some({ type: 'string', pattern: '^[^/].{0,255}$' }),
          magic: some({
            type: 'object',
            required: ['offset', 'bytes'],
            properties: {
              offset: { type: 'integer', minimum: 0, maximum: 4096 },
              bytes: { type: 'string', pattern: '^(?:[0-9a-f]{2}){1,64}$' },
            },
          }),
          reads: { enum: ['random', 'stream'] },
        },
      },
    },
    folders: some({
      type: 'object',
      required: ['kind', 'markers'],
      properties: { kind, markers: some({ type: 'string', pattern: '^[^/]{1,255}$' }) },
    }),
    contributes: { type: 'array', items: { enum: contributions } },
    options: { type: 'object', required: ['type'], properties: { type: { const: 'object' } } },
  },
  if: { required: ['folders'] },
  else: { properties: { match: { minItems: 1 } } },
};

/** Schema of one finding. */
export const findingSchema: JsonSchema = {
  type: 'object',
  required: ['code', 'severity', 'message'],
  properties: {
    code: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,63}/[a-z0-9][a-z0-9-]{0,63}$' },
    severity: { enum: severities },
    message: text(defaultLimits.messageLength),
    remedy: text(defaultLimits.messageLength),
    offset: whole,
    pointer: text(defaultLimits.messageLength),
    line: whole,
    column: whole,
    path: text(4096),
    count: whole,
  },
};

/** Schema of facts and findings: what `inspect` and `validate` say together, or `scan`. */
export const reportSchema: JsonSchema = {
  $schema: draft,
  title: 'What an mbk plugin says of an asset',
  type: 'object',
  required: ['findings'],
  properties: {
    inspection: {
      type: 'object',
      required: ['summary', 'facts'],
      properties: {
        summary: text(defaultLimits.summaryLength),
        facts: { type: 'object', description: `At most ${defaultLimits.factsBytes} bytes.` },
      },
    },
    findings: { type: 'array', maxItems: defaultLimits.findings, items: findingSchema },
  },
};

/** Schema of what `diff` answers. */
export const differenceSchema: JsonSchema = {
  $schema: draft,
  title: 'What changed between two versions of an asset',
  type: 'object',
  required: ['changes', 'lines'],
  properties: {
    changes: {
      type: 'array',
      maxItems: defaultLimits.changes,
      items: {
        type: 'object',
        required: ['what', 'name', 'change'],
        properties: {
          what: text(64),
          name: text(65_536),
          change: { enum: changeKinds },
          before: {},
          after: {},
        },
      },
    },
    omitted: whole,
    lines: { type: 'array', maxItems: defaultLimits.changes, items: text(defaultLimits.messageLength) },
    patch: { description: 'A JSON Patch (RFC 6902).' },
  },
};
