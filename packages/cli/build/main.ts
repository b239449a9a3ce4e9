/** Writes what the package ships beside its code: the manual page. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { manPage } from './man-page.ts';

const folder = new URL('../man/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('mbk.1', folder), await manPage());
