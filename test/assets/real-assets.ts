/** Finds weights that other people trained, where the machine has them: the folder that MBK_TEST_ASSETS names. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** The folder, or undefined: tests that need it are then skipped under a name that says so. */
export const realAssets: string | undefined = process.env['MBK_TEST_ASSETS'] || undefined;

export interface RealAsset {
  /** Relative to the folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The files whose name ends so, by path; none without the folder. */
export function readRealAssets(ending: string): readonly RealAsset[] {
  if (realAssets === undefined) return [];
  const folder = realAssets;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted()
    .map((name) => ({ path: name, bytes: new Uint8Array(readFileSync(path.join(folder, name))) }));
}
