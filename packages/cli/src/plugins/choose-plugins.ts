/**
 * Which plugins hold for a project, with their options: those that `mbk.yaml` brings along, those that were installed, and the
 * built-in ones.
 */
import { MbkError } from '@mbk/core';
import type { PluginSource } from '@mbk/core';
import { defaultOptions, type JsonObject, type JsonSchema, type Manifest } from '@mbk/plugin-sdk';
import { pathToFileURL } from 'node:url';
import type { PluginSetting, ProjectConfig } from '../project/config.ts';
import { builtInPlugins } from './built-in.ts';
import { codeSettings, refuseUnusable } from './project-plugins.ts';
import type { OnUnusable, ProjectPlugin } from './project-plugins.ts';

/** Code that is a plugin, before its manifest is known. */
export interface PluginCode {
  /** URL of its module. */
  readonly module: string;
  readonly argument?: JsonObject | undefined;
}

/** Asks plugins for their manifests, in a thread of their own; in their order. Or why one has none. */
export type Describe = (
  plugins: readonly PluginCode[],
) => Promise<readonly (Manifest | { readonly problem: string })[]>;

export interface ChoosePluginsOptions {
  readonly config: Pick<ProjectConfig, 'file' | 'plugins'> | undefined;
  /** What the project brings along and is trusted. */
  readonly own: readonly ProjectPlugin[];
  /** Absolute paths of modules that the user installed, those for this project before those for all. */
  readonly installed: readonly string[];
  readonly describe: Describe;
  /** Told of those that are left out because they cannot be loaded; unless given, the first of them is an error. */
  readonly onUnusable?: OnUnusable | undefined;
}

type Found = Omit<PluginSource, 'options'>;

/**
 * The plugins in the order in which they are asked: those of the project, installed ones, built-in ones. Of several with
 * one name the first counts. Errors: `config-invalid` for options that break a plugin's schema and for a plugin that is not
 * there, those of `onUnusable`.
 */
export async function choosePlugins({
  config,
  describe,
  installed,
  onUnusable = refuseUnusable,
  own,
}: ChoosePluginsOptions): Promise<readonly PluginSource[]> {
  const settings = config?.plugins ?? {};
  const brought = codeSettings(config);
  const isTrusted = (name: string): boolean => own.some((one) => one.name === name);
  let hasUnusable = false;
  const leaveOut: OnUnusable = (error) => {
    hasUnusable = true;
    onUnusable(error);
  };
  const found = await describeAll(own, installed, describe, leaveOut);
  found.push(...(await builtInPlugins()));

  const chosen: PluginSource[] = [];
  for (const { argument, manifest, module } of found) {
    const { name } = manifest;
    const setting = settings[name] ?? true;
    if (setting === false || chosen.some((one) => one.manifest.name === name)) continue;
    // Options are for the code beside them, and not for a namesake that stands in for it.
    const given = setting === true || (Object.hasOwn(brought, name) && !isTrusted(name)) ? undefined : setting.options;
    chosen.push({ manifest, module, argument, options: await optionsOf(manifest, given, config) });
  }
  for (const [name, setting] of Object.entries(settings)) {
    // The options of one that was left out are here without it.
    const isKnown = setting === false || Object.hasOwn(brought, name) || hasUnusable;
    if (isKnown || chosen.some(({ manifest }) => manifest.name === name)) continue;
    throw new MbkError('config-invalid', `plugins.${name}: no plugin of that name is built in or installed`, {
      details: { plugin: name },
      remedy:
        'Install it with `mbk plugins install`, or say where it is with `module:` (a path or a package) or `program:`.',
    });
  }
  return chosen;
}

async function describeAll(
  own: readonly ProjectPlugin[],
  installed: readonly string[],
  describe: Describe,
  onUnusable: OnUnusable,
): Promise<Found[]> {
  const code: readonly PluginCode[] = [...own, ...installed.map((path) => ({ module: pathToFileURL(path).href }))];
  if (code.length === 0) return [];
  const manifests = await describe(code);
  return code.flatMap(({ argument, module }, i) => {
    const manifest = manifests[i];
    if (manifest === undefined) throw new RangeError(`expected ${code.length} manifests, got ${manifests.length}`);
    const place = own[i]?.place ?? module;
    const leaveOut = (problem: string, details: Readonly<Record<string, string>>): [] => {
      onUnusable(new MbkError('plugin-unusable', `${place} ${problem}`, { details }));
      return [];
    };
    if ('problem' in manifest) return leaveOut(`cannot be used: ${manifest.problem}`, { module });
    const name = own[i]?.name ?? manifest.name;
    if (manifest.name === name) return [{ manifest, module, argument }];
    return leaveOut(`calls itself ${manifest.name}, not ${name}`, { plugin: name });
  });
}

/** Options with the defaults of the schema, checked against it. */
async function optionsOf(
  { name, options: schema }: Manifest,
  given: Exclude<PluginSetting, boolean>['options'],
  config: ChoosePluginsOptions['config'],
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
