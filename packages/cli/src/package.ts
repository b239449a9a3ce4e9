import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The `package.json` of this package; it lies one folder above sources, emitted files and bundle alike. */
export function readPackage(): { readonly name: string; readonly version: string } {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return JSON.parse(text) as { readonly name: string; readonly version: string };
}

/** Absolute path of the launcher, which any Node can start. */
export function launcherPath(): string {
  return fileURLToPath(new URL('../bin/mbk.js', import.meta.url));
}
