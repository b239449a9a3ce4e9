/** How the end-to-end tests start mbk: as it is installed, where that is what the sources say. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { WayToRun } from '../run-program.ts';

const root = join(import.meta.dirname, '..', '..');

/** The bundle when it is newer than every source (`npm test` builds first), else the sources themselves. */
export const freshWay: WayToRun = isBundleFresh() ? 'bundle' : 'source';

function isBundleFresh(): boolean {
  const bundle = join(root, 'packages', 'cli', 'dist-bundle', 'main.js');
  return existsSync(bundle) && statSync(bundle).mtimeMs > newestSource();
}

function newestSource(): number {
  const packages = ['packages', 'plugins'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(root, folder, name, 'src')),
  );
  const files = packages
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => {
      return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
    });
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
