/** What a plugin is: a plain object of data and functions. `definePlugin` checks it the moment it is defined. */

import type { DiffContext, PluginContext, ReaderContext } from './context.ts';
import type { Difference } from './difference.ts';
import type { Finding } from './finding.ts';
import type { ExportedFile, Folder } from './folder.ts';
import type { Examination, Inspection } from './inspection.ts';
import type { JsonObject, JsonSchema } from './json.ts';
import type { Layout, LayoutLimits } from './layout.ts';
import type { FolderMatch, Match } from './match.ts';
import type { Reader, StreamReader } from './reader.ts';

/** The version of this contract. A host loads plugins of exactly this version. */
export const apiVersion = 1;

/** What a host hands to `layout` beside the reader. */
export interface LayoutContext {
  /** Aborted when the answer is no longer wanted; a plugin passes it to every read. */
  readonly signal: AbortSignal;
  readonly limits: LayoutLimits;
}

/** What a plugin may have beside its data. */
export const contributions = ['layout', 'inspect', 'validate', 'scan', 'drift', 'diff', 'folder'] as const;

/** The name of one of them. */
export type Contribution = (typeof contributions)[number];

/** What a plugin is, as data: what a host needs to know of it before its code is loaded. */
export interface Manifest {
  readonly apiVersion: typeof apiVersion;
  /** `[a-z0-9]` and dashes, at most 64 characters. */
  readonly name: string;
  /** Semantic version; results are cached by it, so it changes whenever they do. */
  readonly version: string;
  /** One sentence for people. */
  readonly description?: string;
  /** Which files this plugin knows, the most telling rule first; may be empty where `folders` is not. */
  readonly match: readonly Match[];
  /** Which folders are one asset of this plugin; of two nested ones the outer. */
  readonly folders?: readonly FolderMatch[];
  /** Which functions it has, for a host that knows only the manifest; `definePlugin` holds it against them. */
  readonly contributes?: readonly Contribution[];
  /** JSON Schema of `mbk.yaml`'s `plugins.<name>.options`, of type object, with a default for every option. */
  readonly options?: JsonSchema;
}

/**
 * Contributions are all optional. Each is deterministic: the same file, siblings, options and plugin version give the
 * same answer. Each may throw a LayoutError for a file that is malformed beyond going on, which becomes an error finding
 * of that code; anything else that is thrown is a fault of the plugin. None may hold more than `limits.memoryBytes`,
 * whatever the file says.
 */
export interface Plugin<Options extends object = JsonObject> extends Manifest {
  /**
   * Where the tensors of a file lie; undefined for a file that is not of this plugin's kind.
   * Throws a LayoutError for one that is and is malformed. A wrong layout costs compression, never bytes.
   */
  layout?(reader: Reader, context: LayoutContext): Promise<Layout | undefined>;
  /** Facts of a file of a `random` rule. The reader of `inspect` and `validate` of one file is the same object. */
  inspect?(reader: Reader, context: ReaderContext<Options>): Promise<Inspection | undefined>;
  /** Findings of a file of a `random` rule; an empty list for a sound one. */
  validate?(reader: Reader, context: ReaderContext<Options>): Promise<readonly Finding[]>;
  /** Facts and findings of a file of a `stream` rule, in the one pass that there is. */
  scan?(reader: StreamReader, context: PluginContext<Options>): Promise<Examination>;
  /** Findings about what became of the facts since the last snapshot of the same path: a column that is gone. */
  drift?(before: JsonObject, after: JsonObject, context: PluginContext<Options>): Promise<readonly Finding[]>;
  /** What changed between two versions of a file, in the terms of its kind. */
  diff?(before: Reader, after: Reader, context: DiffContext<Options>): Promise<Difference>;
  /** The same for whole folders, after all their files; without reading these again. */
  readonly folder?: FolderContributions<Options>;
}

export interface FolderContributions<Options extends object = JsonObject> {
  inspect?(folder: Folder, context: ReaderContext<Options>): Promise<Inspection | undefined>;
  validate?(folder: Folder, context: ReaderContext<Options>): Promise<readonly Finding[]>;
  drift?(before: JsonObject, after: JsonObject, context: PluginContext<Options>): Promise<readonly Finding[]>;
  diff?(before: Folder, after: Folder, context: DiffContext<Options>): Promise<Difference>;
  /** Manifests with checksums, to be written beside the files when the folder is exported. */
  export?(folder: Folder, context: ReaderContext<Options>): Promise<readonly ExportedFile[]>;
}
