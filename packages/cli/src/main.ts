/**
 * Entry of the program. It loads next to nothing itself: `--version` answers at once, and everything else comes from
 * the compile cache, which serves only what is imported after it was switched on.
 */

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { defaultCacheFolder } from './folders.ts';
import { readPackage } from './package.ts';
import { guardStdout } from './stdout.ts';

const argv = process.argv.slice(2);
const isVersionQuestion = argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V' || argv[0] === 'version');

if (isVersionQuestion) {
  process.stdout.write(`mbk ${readPackage().version}\n`);
} else {
  guardStdout(process);
  enableCompileCache(join(defaultCacheFolder(process.env), 'compiled'));
  const { run } = await import('./run.ts');
  process.exitCode = await run(argv);
}
