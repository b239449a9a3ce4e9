import { join } from 'node:path';

import type { Entry } from './backend.ts';
import { isSegment, maxKeyLength, temporariesFolder } from './key.ts';
import { orAbsent, sizeOfEntry } from './local-entry.ts';
import type { LocalFileSystem } from './local-file-system.ts';

/**
 * The entries below the folder `root` whose keys start with `prefix`, in ascending order.
 *
 * A folder is read when the first of its entries is asked for, a file looked at when it is its turn: the head of a log
 * of 10^5 entries costs one of each. Links are not followed, and keys have a greatest length: the walk ends.
 */
export function localEntries(fs: LocalFileSystem, root: string, prefix: string): Generator<Entry, void, void> {
  return under(prefix.slice(0, prefix.lastIndexOf('/') + 1));

  /** The entries below the folder that the key start `parent` names: '' or ending in a slash. */
  function* under(parent: string): Generator<Entry, void, void> {
    for (const key of keysIn(parent)) {
      if (key.endsWith('/')) {
        yield* under(key);
        continue;
      }
      const size = sizeOfEntry(fs, join(root, key));
      if (size !== undefined) yield { key, size };
    }
  }

  /** What lies in one folder: keys of files and, with a slash behind, of folders. */
  function keysIn(parent: string): string[] {
    const keys: string[] = [];
    for (const { name, kind } of orAbsent(() => fs.readdirSync(join(root, parent))) ?? []) {
      if (!isSegment(name) || (parent === '' && name === temporariesFolder)) continue;
      const key = parent + name;
      if (key.length > maxKeyLength) continue;
      // The slash takes part in the order: `a-b` < `a/b` < `a0`.
      const item = kind === 'folder' ? `${key}/` : key;
      if (item.startsWith(prefix)) keys.push(item);
    }
    return keys.sort();
  }
}
