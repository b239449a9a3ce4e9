/** Writes docs/schemas/commands: `node --conditions=@mbk/source test/docs/make-command-schemas.ts`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandSchemas } from './command-schemas.ts';
import { root } from './markdown.ts';

for (const [path, schema] of Object.entries(commandSchemas)) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), `${JSON.stringify(schema, null, 2)}\n`);
}
