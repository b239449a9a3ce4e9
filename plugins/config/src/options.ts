/** What `plugins.config.options` of mbk.yaml may say. */

import { type JsonObject, type JsonSchema, severities, type Severity } from '@mbk/plugin-sdk';

export interface ConfigOptions extends JsonObject {
  /** How grave a secret is; `off` looks for none. */
  readonly secrets: Severity | 'off';
  /** Secrets that are meant: globs of files, compared with the path. */
  readonly allowSecretsIn: readonly string[];
  /** JSON Schemas by glob; the first that holds for a path is used. */
  readonly schemas: readonly SchemaRule[];
}

export interface SchemaRule extends JsonObject {
  readonly match: string;
  /** Path of the schema from the root of the project. */
  readonly schema: string;
}

export const optionsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    secrets: {
      description: 'How grave a value that looks like a secret is; off looks for none.',
      enum: [...severities, 'off'],
      default: 'warning',
    },
    allowSecretsIn: {
      description: 'Globs of files in which secrets are meant to be.',
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
    },
    schemas: {
      description: 'JSON Schemas (drafts 7, 2019-09, 2020-12) for files by glob; the first that holds is used.',
      type: 'array',
      items: {
        type: 'object',
        required: ['match', 'schema'],
        additionalProperties: false,
        properties: {
          match: { type: 'string', minLength: 1, description: 'Glob: configs/training/*.yaml' },
          schema: { type: 'string', minLength: 1, description: 'Path of the schema from the root of the project.' },
        },
      },
      default: [],
    },
  },
};
