/** Looks through a folder for what a lab keeps: enough of it to guess an `mbk.yaml`, and no more. */

import { readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';

export interface FindAssetsOptions {
  /** Absolute folders that are not looked into, such as the repository. */
  readonly never: readonly string[];
  /** Most entries that are looked at. */
  readonly maxEntries?: number;
  /** Folders in each other that are looked into; 1 is the folder itself. */
  readonly maxDepth?: number;
}

/** Folders of tools, whatever they hold. */
const skipped = new Set([
  'node_modules',
  '__pycache__',
  'venv',
  'env',
  'site-packages',
  'dist',
  'build',
  'target',
  'wandb',
]);

/**
 * Files below `folder`, as paths with `/`, breadth first and sorted by name, so that the same folder gives the same
 * answer and the bounds cut off what lies deepest. Hidden folders, folders of tools and unreadable ones are passed over.
 */
export function findAssets(
  folder: string,
  { never, maxEntries = 20_000, maxDepth = 6 }: FindAssetsOptions,
): readonly string[] {
  const files: string[] = [];
  let level = [''];
  let seen = 0;
  for (let depth = 0; depth < maxDepth && level.length > 0; depth += 1) {
    const below: string[] = [];
    for (const at of level) {
      for (const entry of readFolder(join(folder, at))) {
        seen += 1;
        if (seen > maxEntries) return files;
        const path = at === '' ? entry.name : `${at}/${entry.name}`;
        if (!isPlain(entry.name)) continue;
        if (entry.isFile()) files.push(path);
        else if (entry.isDirectory() && !skipped.has(entry.name) && !never.includes(join(folder, path)))
          below.push(path);
      }
    }
    level = below;
  }
  return files;
}

function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return []; // it cannot be read, or is gone: a guess does without it
  }
}

/** Whether a name can stand in a pattern as it is shown: visible, UTF-8, not hidden. */
function isPlain(name: string): boolean {
  return !name.startsWith('.') && !/[\p{Cc}\p{Cs}\ufffd]/u.test(name);
}
