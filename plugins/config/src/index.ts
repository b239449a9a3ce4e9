/** Configurations: YAML, JSON, JSONC, JSON5, TOML, INI and dotenv files. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { diff } from './difference.ts';
import { inspect, validate } from './examine.ts';
import { manifest } from './manifest.ts';
import type { ConfigOptions } from './options.ts';

export const plugin: Plugin = definePlugin<ConfigOptions>({
  ...manifest,
  inspect,
  validate,
  diff,
});

export { type ConfigCode, codes } from './codes.ts';
export type { ConfigOptions, SchemaRule } from './options.ts';
