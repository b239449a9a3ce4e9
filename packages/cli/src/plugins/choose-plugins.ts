/** Which plugins hold for a project, with their options: the built-in ones, and those that `mbk.yaml` names. */
import { MbkError } from '@mbk/core';
import type { PluginSource } from '@mbk/core';
import { defaultOptions, type JsonObject, type JsonSchema, type Manifest } from '@mbk/plugin-sdk';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PluginSetting, ProjectConfig } from '../project/config.ts';
import { builtInPlugins } from './built-in.ts';

/** A plugin that is no built-in one, before its manifest is known. */
export interface NamedPlugin {
  readonly name: string;
  /** URL of its code. */
  readonly module: string;
  readonly argument?: JsonObject | undefined;
  readonly setting: Exclude<PluginSetting, boolean>;
}

/** Asks a plugin for its manifest, in a thread of its own. */
export type Describe = (plugin: Pick<NamedPlugin, 'module' | 'argument'>) => Promise<Manifest>;

/**
 * The plugins in the order in which they are asked: those that the project names come before the built-in ones.
 * Errors: `config-invalid` for options that break a plugin's schema, `plugin-unusable` for one that cannot be loaded.
 */
export async function choosePlugins(
  config: ProjectConfig | undefined,
  describe: Describe,
): Promise<readonly PluginSource[]> {
  const settings = config?.plugins ?? {};
  const builtIn = await builtInPlugins();
  const own: PluginSource[] = [];
  for (const [name, setting] of Object.entries(settings)) {
    if (setting === false || builtIn.some(({ manifest }) => manifest.name === name)) continue;
    const named = namedPlugin(name, setting, config);
    const manifest = await describe(named);
    if (manifest.name !== name) {
      throw new MbkError('plugin-unusable', `${named.module} calls itself ${manifest.name}, not ${name}`, {
        details: { plugin: name },
      });
    }
    const { argument, module } = named;
    own.push({ manifest, module, argument, options: await optionsOf(manifest, named.setting, config) });
  }
  for (const { manifest, module } of builtIn) {
    const setting = settings[manifest.name] ?? true;
    if (setting === false) continue;
    own.push({ manifest, module, options: await optionsOf(manifest, setting === true ? {} : setting, config) });
  }
  return own;
}

function namedPlugin(
  name: string,
  setting: Exclude<PluginSetting, false>,
  config: ProjectConfig | undefined,
): NamedPlugin {
  const root = config?.root ?? '.';
  const own = setting === true ? {} : setting;
  if (own.program !== undefined) {
    const program = own.program.includes('/') ? resolve(root, own.program) : own.program;
    const argument = { name, program };
    return { name, module: import.meta.resolve('@mbk/cli/program-plugin'), argument, setting: own };
  }
  if (own.module === undefined) {
    throw new MbkError('config-invalid', `plugins.${name}: no plugin of that name is built in`, {
      details: { plugin: name },
      remedy: 'Say where it is with `module:` (a path or a package) or `program:`.',
    });
  }
  return { name, module: moduleUrl(own.module, root, name), setting: own };
}

function moduleUrl(module: string, root: string, name: string): string {
  if (module.startsWith('.') || isAbsolute(module)) return pathToFileURL(resolve(root, module)).href;
  try {
    return pathToFileURL(createRequire(join(root, 'mbk.yaml')).resolve(module)).href;
  } catch (cause) {
    throw new MbkError('plugin-unusable', `the package ${module} of plugin ${name} is not installed`, {
      details: { plugin: name, module },
      cause,
    });
  }
}

/** Options with the defaults of the schema, checked against it. */
async function optionsOf(
  { name, options: schema }: Manifest,
  { options: given }: Exclude<PluginSetting, boolean>,
  config: ProjectConfig | undefined,
): Promise<JsonObject> {
  const options = { ...defaultOptions(schema), ...given };
  if (given === undefined) return options;
  const refuse = (problem: string): never => {
    throw new MbkError('config-invalid', `${config?.file ?? 'mbk.yaml'}: plugins.${name}.options ${problem}`, {
      details: { plugin: name },
    });
  };
  if (schema === undefined) return refuse('are given, and the plugin has none');
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const ajv = new Ajv2020({ allErrors: true, strict: false, useDefaults: true });
  const validate = ajv.compile({ additionalProperties: false, ...(schema as JsonSchema) });
  if (!validate(options)) return refuse(ajv.errorsText(validate.errors, { dataVar: 'options' }));
  return options;
}
