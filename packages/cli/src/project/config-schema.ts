/** JSON Schema of `mbk.yaml`; `docs/schemas/mbk-yaml.schema.json` is its published copy, which a test holds equal. */

import { compressions } from '@mbk/core';
import { hookOperations, hookPhases, hookPolicies } from '../hooks/hook-events.ts';

const domainName = '^[a-z0-9][a-z0-9._-]{0,62}$';
const collectionName = '^[a-z0-9][a-z0-9._-]{0,62}/[a-z0-9][a-z0-9._-]{0,62}$';
const collectionPattern = '^(\\*|[a-z0-9][a-z0-9._-]{0,62}/(\\*|[a-z0-9][a-z0-9._-]{0,62}))$';

const hookSetting = {
  oneOf: [
    { type: 'string', minLength: 1 },
    {
      type: 'object',
      additionalProperties: false,
      required: ['program'],
      properties: {
        program: { type: 'string', minLength: 1, description: 'A path relative to this file, or a name on the PATH.' },
        args: { type: 'array', items: { type: 'string' } },
        timeout: {
          type: 'string',
          pattern: '^[1-9][0-9]{0,4}[smh]$',
          description: 'As 30s, 5m or 1h; 5m unless given.',
        },
        policy: { enum: hookPolicies, description: 'What its failure does to the command.' },
      },
    },
  ],
} as const;

const hooksOfEvent = { anyOf: [hookSetting, { type: 'array', items: hookSetting }] } as const;

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'mbk.yaml',
  description: 'What a project backs up, into which repository, and for how long.',
  type: 'object',
  additionalProperties: false,
  properties: {
    repository: { type: 'string', minLength: 1, description: 'Folder of the repository, relative to this file.' },
    domains: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', pattern: domainName },
      description: 'Names that {domain} in a rule may stand for.',
    },
    timezone: {
      type: 'string',
      minLength: 1,
      description: 'IANA time zone of dates in tags; only read by `mbk init`.',
    },
    compression: {
      enum: compressions,
      description: 'How hard content that is new is compressed: off, fast (unless given), or best, for archives.',
    },
    rules: {
      type: 'array',
      description: 'Which files belong to which collection; the first rule that matches decides.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['match', 'collection'],
        properties: {
          match: {
            type: 'string',
            minLength: 1,
            description: 'Pattern with *, **, ? and {name}; relative to this file.',
          },
          collection: { type: 'string', pattern: collectionName, description: 'category/class.' },
          domain: {
            type: 'string',
            pattern: domainName,
            description: 'Domain of what matches, when {domain} does not say.',
          },
        },
      },
    },
    exclude: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Patterns in .gitignore syntax; .mbkignore files are read too.',
    },
    plans: {
      type: 'object',
      propertyNames: { pattern: '^[a-z0-9][a-z0-9-]{0,62}$' },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['collections'],
        properties: {
          collections: { type: 'array', minItems: 1, items: { type: 'string', pattern: collectionPattern } },
          at: { type: 'string', minLength: 1, description: 'When a schedule runs it.' },
        },
      },
    },
    retention: {
      type: 'object',
      propertyNames: { pattern: collectionPattern },
      additionalProperties: {
        oneOf: [
          {
            type: 'object',
            additionalProperties: false,
            required: ['within'],
            properties: { within: { type: 'string', pattern: '^[1-9][0-9]{0,4}[dwmy]$' } },
          },
          {
            type: 'object',
            additionalProperties: false,
            required: ['forever'],
            properties: { forever: { const: true } },
          },
        ],
      },
    },
    plugins: {
      type: 'object',
      description: 'Plugins by name: false turns one off; others than the built-in ones say where they are.',
      propertyNames: { pattern: '^[a-z0-9][a-z0-9-]{0,63}$' },
      additionalProperties: {
        oneOf: [
          { type: 'boolean' },
          {
            type: 'object',
            additionalProperties: false,
            properties: {
              options: { type: 'object', description: 'As the plugin documents them.' },
              module: {
                type: 'string',
                minLength: 1,
                description: 'Where its code is: a path relative to this file, or a package.',
              },
              program: {
                type: 'string',
                minLength: 1,
                description: 'A program that speaks the contract: a path relative to this file, or a name on the PATH.',
              },
            },
          },
        ],
      },
    },
    hooks: {
      type: 'object',
      additionalProperties: false,
      description: 'Programs to run around snapshots and checkouts, once `mbk trust` was said.',
      patternProperties: { [`^(${hookPhases.join('|')})-(${hookOperations.join('|')})$`]: hooksOfEvent },
    },
  },
} as const;
