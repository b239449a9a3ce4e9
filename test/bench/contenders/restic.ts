/** restic with its defaults. */

import { askProgram, type Command } from '../measure-command.ts';
import type { Contender, Site } from './contender.ts';

/** undefined when it is not on PATH. */
export function findRestic(): Contender | undefined {
  const version = askProgram('restic', ['version']);
  if (version === undefined) return undefined;
  const run = (site: Site, args: readonly string[], cwd = site.home): Command => ({
    program: 'restic',
    args,
    cwd,
    env: {
      HOME: site.home,
      TMPDIR: site.temporary,
      RESTIC_REPOSITORY: site.repository,
      RESTIC_PASSWORD_FILE: site.passphraseFile,
      RESTIC_CACHE_DIR: site.cache,
    },
  });
  return {
    name: 'restic',
    version: /\d+\.\d+\.\d+/.exec(version)?.[0] ?? version,
    isEncrypted: true,
    init: (site) => [run(site, ['init'])],
    backup: (site, { label, source }) => run(site, ['backup', '--host', 'bench', '--tag', label, '.'], source),
    // What was backed up as `.` has no path above it.
    restore: (site, { label }, target) => run(site, ['restore', 'latest', '--tag', label, '--target', target]),
    checkAll: (site) => run(site, ['check', '--read-data']),
    list: (site) => run(site, ['snapshots']),
    showVersion: (site) => run(site, ['version']),
  };
}
