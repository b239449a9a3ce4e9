/** What the plugin says of itself, without its code: a host matches files by it before it loads anything else. */

import type { Manifest } from '@mbk/plugin-sdk';
import { optionsSchema } from './options.ts';

export const manifest: Manifest = {
  apiVersion: 1,
  name: 'config',
  version: '1.0.0',
  description:
    'Configurations: parse errors with their place, duplicate keys, secrets, your JSON Schemas, changes by path.',
  match: [
    { kind: 'config/yaml', extensions: ['.yaml', '.yml'] },
    {
      kind: 'config/jsonc',
      globs: ['tsconfig*.json', '.vscode/*.json', '**/.vscode/*.json'],
      extensions: ['.jsonc', '.code-workspace'],
    },
    { kind: 'config/json5', extensions: ['.json5'] },
    { kind: 'config/json', extensions: ['.json'] },
    { kind: 'config/toml', extensions: ['.toml'] },
    { kind: 'config/ini', extensions: ['.ini', '.cfg'] },
    { kind: 'config/dotenv', globs: ['.env', '.env.*', '*.env'] },
  ],
  options: optionsSchema,
  contributes: ['inspect', 'validate', 'diff'],
};
