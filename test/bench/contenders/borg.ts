/** borg with a key in the repository, keyed BLAKE2b and AES-CTR, and a compression. */

import { askProgram, type Command } from '../measure-command.ts';
import type { Contender, Site } from './contender.ts';

/** undefined when it is not on PATH. */
export function findBorg(name: string, compression: string): Contender | undefined {
  const version = askProgram('borg', ['--version']);
  if (version === undefined) return undefined;
  const run = (site: Site, args: readonly string[], cwd = site.home): Command => ({
    program: 'borg',
    args,
    cwd,
    env: {
      HOME: site.home,
      TMPDIR: site.temporary,
      LC_ALL: 'C.UTF-8',
      BORG_BASE_DIR: site.cache,
      BORG_REPO: site.repository,
      BORG_PASSPHRASE: site.passphrase,
      BORG_DISPLAY_PASSPHRASE: 'no',
    },
  });
  return {
    name,
    version: /\d+\.\d+\.\d+/.exec(version)?.[0] ?? version,
    isEncrypted: true,
    init: (site) => [run(site, ['init', '--encryption', 'repokey-blake2'])],
    backup: (site, { label, source }) => run(site, ['create', '--compression', compression, `::${label}`, '.'], source),
    restore: (site, { label }, target) => run(site, ['extract', `::${label}`], target),
    checkAll: (site) => run(site, ['check', '--verify-data']),
    list: (site) => run(site, ['list']),
    showVersion: (site) => run(site, ['--version']),
  };
}
