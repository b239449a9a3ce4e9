/** A plugin as a host gets it: what it says of itself, where its code is, and the options that hold for it. */
import {
  type Contribution,
  type JsonObject,
  type Manifest,
  magicSpan,
  matchingRule,
  type Match,
} from '@mbk/plugin-sdk';

export interface PluginSource {
  /** With `contributes`: what is not listed is never asked for. */
  readonly manifest: Manifest;
  /** URL of the module that exports it as `plugin`, or a function `makePlugin` of `argument` that gives it. */
  readonly module: string;
  readonly argument?: JsonObject | undefined;
  /** Checked against the manifest's schema, defaults filled in. */
  readonly options: JsonObject;
}

/** A plugin and its rule for a file. */
export interface KnownKind {
  /** Place of the plugin among the sources. */
  readonly plugin: number;
  readonly rule: Match;
}

/** The first plugin with a rule that holds for the file at `path` (display text) with these first bytes. */
export function knownKind(
  sources: readonly Pick<PluginSource, 'manifest'>[],
  path: string,
  head: Uint8Array,
): KnownKind | undefined {
  for (const [plugin, { manifest }] of sources.entries()) {
    const rule = matchingRule(manifest.match, { path, head });
    if (rule !== undefined) return { plugin, rule };
  }
  return undefined;
}

/** How many leading bytes of a file `knownKind` wants to see. */
export function headBytesOf(sources: readonly Pick<PluginSource, 'manifest'>[]): number {
  return Math.max(0, ...sources.map(({ manifest }) => magicSpan(manifest.match)));
}

export function has({ manifest }: Pick<PluginSource, 'manifest'>, part: Contribution): boolean {
  return manifest.contributes?.includes(part) === true;
}

/** Whether files of a rule are examined. */
export function examines(source: Pick<PluginSource, 'manifest'>, { reads }: Match): boolean {
  return reads === 'stream' ? has(source, 'scan') : has(source, 'inspect') || has(source, 'validate');
}
