/** Writes docs/bench/README.md: `node test/bench/make-page.ts`. */

import { writePage } from './page-file.ts';

writePage();
