/** Configurations: YAML, JSON, JSONC, JSON5, TOML, INI and dotenv files. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { diff } from './difference.ts';
import { inspect, validate } from './examine.ts';
import { type ConfigOptions, optionsSchema } from './options.ts';

export const plugin: Plugin = definePlugin<ConfigOptions>({
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
  inspect,
  validate,
  diff,
});

export { type ConfigCode, codes } from './codes.ts';
export type { ConfigOptions, SchemaRule } from './options.ts';
