/**
 * Writes vectors.json: `node --conditions=@mbk/source test/golden/make-vectors.ts`. As with the golden repository, only
 * for a format that was never released: vectors may be added, and never change.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenVectors } from './vectors.ts';

writeFileSync(join(import.meta.dirname, 'vectors.json'), `${JSON.stringify(await goldenVectors(), null, 1)}\n`);
