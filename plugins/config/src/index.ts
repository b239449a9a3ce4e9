/** Configurations: YAML, JSON, JSONC, JSON5, TOML, INI and dotenv files. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { diff } from './difference.ts';
import { inspect, validate } from './examine.ts';
import { manifest } from './manifest.ts';
import type { ConfigOptions } from './options.ts';
import { rememberingReadConfig } from './parse-document.ts';

const readConfig = rememberingReadConfig();

export const plugin: Plugin = definePlugin<ConfigOptions>({
  ...manifest,
  inspect: (reader, context) => inspect(reader, context, readConfig),
  validate: (reader, context) => validate(reader, context, readConfig),
  diff: (before, after, context) => diff(before, after, context, readConfig),
});

export { type ConfigCode, codes } from './codes.ts';
export type { ConfigOptions, SchemaRule } from './options.ts';
