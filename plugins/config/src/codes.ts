/** Every finding that this plugin can make. docs/plugins/config.md lists them; a test holds the two together. */

import type { CodeMeaning } from '@mbk/plugin-sdk';

export type ConfigCode =
  | 'config/ambiguous-scalar'
  | 'config/byte-order-mark'
  | 'config/duplicate-key'
  | 'config/encoding'
  | 'config/expands'
  | 'config/number-range'
  | 'config/schema'
  | 'config/schema-unreadable'
  | 'config/secret'
  | 'config/syntax'
  | 'config/too-deep'
  | 'config/too-large'
  | 'config/unknown-tag';

export const codes: Readonly<Record<ConfigCode, CodeMeaning>> = {
  'config/ambiguous-scalar': {
    severity: 'info',
    meaning: 'a plain YAML scalar that YAML 1.1 (PyYAML) and YAML 1.2 read differently: `2e-5`, `yes`, `0777`, `12:30`',
  },
  'config/byte-order-mark': { severity: 'info', meaning: 'the file begins with a byte order mark' },
  'config/duplicate-key': {
    severity: 'error',
    meaning: 'a key stands twice in one mapping, table or section: readers keep the first, the last, or refuse',
  },
  'config/encoding': { severity: 'error', meaning: 'the bytes are not UTF-8' },
  'config/expands': { severity: 'error', meaning: 'YAML aliases that expand to far more than the file holds' },
  'config/number-range': {
    severity: 'warning',
    meaning: 'an integer beyond 2^53, which many readers round',
  },
  'config/schema': { severity: 'error', meaning: 'a value that the schema of `options.schemas` does not allow' },
  'config/schema-unreadable': {
    severity: 'warning',
    meaning: 'a schema that `options.schemas` names is missing, no JSON, or no JSON Schema',
  },
  'config/secret': {
    severity: 'warning',
    meaning: 'a value that looks like a password, a key or a token; shown masked; severity by `options.secrets`',
  },
  'config/syntax': { severity: 'error', meaning: 'the file does not follow its format; line and column say where' },
  'config/too-deep': { severity: 'error', meaning: 'values nested more than 100 deep' },
  'config/too-large': {
    severity: 'info',
    meaning: 'too large for a configuration: it is kept like any other, and not looked into',
  },
  'config/unknown-tag': {
    severity: 'warning',
    meaning: 'a YAML tag that only one program knows, like `!!python/name`',
  },
};
