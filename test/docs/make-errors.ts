/** Writes docs/errors.md: `node --conditions=@mbk/source test/docs/make-errors.ts`. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorsPage } from './errors-page.ts';
import { root } from './markdown.ts';

writeFileSync(join(root, 'docs/errors.md'), errorsPage());
