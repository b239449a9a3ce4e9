/** What people do without a backup program. Nothing is encrypted, nothing is kept once. */

import { join } from 'node:path';
import { askProgram, type Command } from '../measure-command.ts';
import type { Contender, Site } from './contender.ts';

const run = (site: Site, program: string, args: readonly string[], cwd = site.home): Command => ({
  program,
  args,
  cwd,
  env: { HOME: site.home, TMPDIR: site.temporary },
});

/** `cp -a` into a folder. */
export function findCopy(): Contender | undefined {
  const version = askProgram('cp', ['--version']);
  if (version === undefined) return undefined;
  return {
    name: 'cp -a',
    version: /\d+\.\d+/.exec(version)?.[0] ?? version,
    isEncrypted: false,
    isPlain: true,
    init: (site) => [run(site, 'mkdir', [site.repository])],
    backup: (site, { label, source }) => run(site, 'cp', ['-a', source, join(site.repository, label)]),
    restore: (site, { label }, target) => run(site, 'cp', ['-a', `${join(site.repository, label)}/.`, target]),
  };
}

/** `tar | zstd -1` into a file, or with other flags. */
export function findTarZstd(flags = '-1'): Contender | undefined {
  const version = askProgram('zstd', ['--version']);
  if (version === undefined || askProgram('tar', ['--version']) === undefined) return undefined;
  const archive = (site: Site, label: string): string => join(site.repository, `${label}.tar.zst`);
  return {
    name: `tar | zstd ${flags}`,
    version: `zstd ${/\d+\.\d+\.\d+/.exec(version)?.[0] ?? version}`,
    isEncrypted: false,
    isPlain: true,
    init: (site) => [run(site, 'mkdir', [site.repository])],
    backup: (site, { label, source }) =>
      run(site, 'sh', ['-c', `tar -cf - . | zstd -q ${flags} -o ${archive(site, label)}`], source),
    restore: (site, { label }, target) =>
      run(site, 'sh', ['-c', `zstd -q -d --long=31 -c ${archive(site, label)} | tar -xf -`], target),
  };
}
