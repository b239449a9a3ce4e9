/** What `plugins.dataset.options` of mbk.yaml may say. */

import { type JsonObject, type JsonSchema, severities, type Severity } from '@mbk/plugin-sdk';

export interface DatasetOptions extends JsonObject {
  /** How grave records are that were there before; `off` looks for none. */
  readonly duplicates: Severity | 'off';
  /** Names of fields whose values are counted, without case. */
  readonly labelFields: readonly string[];
}

export const optionsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    duplicates: {
      description: 'How grave a record is that was there before in the same file; off looks for none.',
      enum: [...severities, 'off'],
      default: 'warning',
    },
    labelFields: {
      description: 'Fields (of JSON records, columns of CSV) whose values are counted.',
      type: 'array',
      items: { type: 'string', minLength: 1 },
      maxItems: 100,
      default: [
        'label',
        'labels',
        'class',
        'category',
        'domain',
        'source',
        'lang',
        'language',
        'split',
        'subset',
        'task',
        'topic',
      ],
    },
  },
};
