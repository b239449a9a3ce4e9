/** A plugin as a host gets it: what it says of itself, where its code is, and the options that hold for it. */
import { type Contribution, type JsonObject, type Manifest, magicSpan } from '@mbk/plugin-sdk';

export interface PluginSource {
  /** With `contributes`: what is not listed is never asked for. */
  readonly manifest: Manifest;
  /** URL of the module that exports it as `plugin`, or a function `makePlugin` of `argument` that gives it. */
  readonly module: string;
  readonly argument?: JsonObject | undefined;
  /** Checked against the manifest's schema, defaults filled in. */
  readonly options: JsonObject;
}

/** How many leading bytes of a file matching wants to see. */
export function headBytesOf(sources: readonly Pick<PluginSource, 'manifest'>[]): number {
  return Math.max(0, ...sources.map(({ manifest }) => magicSpan(manifest.match)));
}

export function has({ manifest }: Pick<PluginSource, 'manifest'>, part: Contribution): boolean {
  return manifest.contributes?.includes(part) === true;
}
