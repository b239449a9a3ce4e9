/** mbk as a user runs it: the launcher and the bundle that `pnpm build` makes. */

import { join } from 'node:path';
import { askProgram, type Command } from '../measure-command.ts';
import type { Contender, Site } from './contender.ts';

const program = join(import.meta.dirname, '../../../node_modules/.bin/mbk');

/** undefined before a build. `flags` go with each backup. */
export function findMbk(name = 'mbk', flags: readonly string[] = []): Contender | undefined {
  const version = askProgram(program, ['--version']);
  if (version === undefined) return undefined;
  const run = (site: Site, args: readonly string[], cwd = site.home): Command => ({
    program,
    args,
    cwd,
    env: environment(site),
  });
  return {
    name,
    version: [version.replace(/^mbk /, ''), ...commitOf()].join(' '),
    isEncrypted: true,
    init: (site) => [run(site, ['init', '--no-config', '--no-recovery-key'])],
    backup: (site, { label, series, source }) =>
      run(site, ['snapshot', '--domain', series, '--tag', label, ...flags, '.'], source),
    restore: (site, { label, series }, target) => run(site, ['checkout', `${series}/${label}`, '--to', target]),
    checkAll: (site) => run(site, ['verify', '--data']),
    list: (site) => run(site, ['log']),
    listWithKeyFile: {
      prepare: (site) => [run(site, ['key', 'add', '--key-file', keyFile(site)])],
      list: (site) => ({ ...run(site, ['log']), env: { ...environment(site), MBK_KEY_FILE: keyFile(site) } }),
    },
    showVersion: (site) => run(site, ['--version']),
  };
}

/** The commit that was built, as far as Git knows: versions change too seldom to tell measurements apart. */
function commitOf(): readonly string[] {
  const commit = askProgram('git', ['-C', import.meta.dirname, 'describe', '--always', '--dirty', '--exclude', '*']);
  return commit === undefined ? [] : [`(${commit})`];
}

function keyFile(site: Site): string {
  return join(site.folder, 'key-file');
}

function environment(site: Site): Record<string, string> {
  return {
    HOME: site.home,
    TMPDIR: site.temporary,
    MBK_REPOSITORY: site.repository,
    MBK_PASSPHRASE_FILE: site.passphraseFile,
    MBK_CACHE_DIR: join(site.cache, 'mbk'),
    MBK_STATE_DIR: join(site.folder, 'state'),
    MBK_HOST: 'bench',
  };
}
