/** A folder as one asset: a dataset of many files. What each file is was found out before; here they are put together. */

import type { JsonObject } from './json.ts';
import type { Reader, ReadOptions } from './reader.ts';

export interface FolderFile {
  /** Relative to the folder, `/` between names. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of the file, 64 lower-case hexadecimal digits: from the one read of the snapshot. */
  readonly sha256: string;
  /** Where a match rule of this plugin holds for the file. */
  readonly kind?: string;
  /** What this plugin's `inspect` or `scan` said of the file. */
  readonly facts?: JsonObject;
}

export interface Folder {
  /** Relative to the snapshot's root, `/` between names; empty for the root itself. */
  readonly path: string;
  /** All regular files below the folder, by path (UTF-16 order); any number of them. */
  files(): AsyncIterable<FolderFile>;
  /** A file below the folder, by its relative path; undefined when there is none. */
  open(path: string, options?: ReadOptions): Promise<Reader | undefined>;
}

/** A file that a plugin wants beside an exported folder: a manifest with checksums. */
export interface ExportedFile {
  /** Relative to the folder. */
  readonly path: string;
  readonly text: string;
}
