/** The folders that a benchmark works in, and what is done there outside of the time that counts. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender, Site } from './contenders/contender.ts';
import { type Command, type Meter, shellText } from './measure-command.ts';
import type { Run } from './report.ts';

export interface Lab {
  readonly folder: string;
  /** A site of this name with an empty repository, whatever was there before. */
  freshSite(contender: Contender, name: string): Promise<Site>;
  removeSite(site: Site): void;
  /** Puts a copy of the site aside. */
  saveSite(site: Site): void;
  /** Makes the site again what it was when it was put aside. */
  recallSite(site: Site): void;
  /** An empty folder of this name, whatever was there before. */
  freshFolder(name: string): string;
  copyFolder(from: string, to: string): void;
  /** Runs a command whose time does not count. */
  run(command: Command): Promise<void>;
  /** Runs a command whose time counts, once nothing waits to be written any more. */
  measure(command: Command): Promise<Run & { readonly output: string }>;
  /** The command as a report tells it. */
  shown(command: Command): string;
}

const passphrase = 'correct horse battery staple';
const projectFolder = join(import.meta.dirname, '../..');

export interface LabOptions {
  readonly meter: Meter;
  /** Folders by the names that reports give them, the inner ones first. */
  readonly folderNames: readonly (readonly [folder: string, name: string])[];
}

/** Works in `folder`, which it makes. */
export function openLab(folder: string, { folderNames, meter }: LabOptions): Lab {
  mkdirSync(folder, { recursive: true });
  const run = async (command: Command): Promise<void> => void (await meter.measure(command));
  const copyFolder = (from: string, to: string): void => {
    const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`cp -a ${from} ${to} ended with ${status}: ${stderr}`);
  };
  const remove = (path: string): void => rmSync(path, { recursive: true, force: true });
  return {
    folder,
    async freshSite(contender, name) {
      const home = join(folder, 'sites', contender.name.replaceAll(/\W+/g, '-'), name);
      remove(home);
      const site: Site = {
        folder: home,
        repository: join(home, 'repository'),
        home: join(home, 'home'),
        cache: join(home, 'cache'),
        temporary: join(home, 'tmp'),
        passphraseFile: join(home, 'passphrase'),
        passphrase,
      };
      for (const path of [site.home, site.cache, site.temporary]) mkdirSync(path, { recursive: true });
      writeFileSync(site.passphraseFile, `${passphrase}\n`, { mode: 0o600 });
      for (const command of contender.init(site)) await run(command);
      return site;
    },
    removeSite(site) {
      remove(site.folder);
      remove(savedPath(site));
    },
    saveSite(site) {
      remove(savedPath(site));
      copyFolder(site.folder, savedPath(site));
    },
    recallSite(site) {
      remove(site.folder);
      copyFolder(savedPath(site), `${site.folder}.new`);
      renameSync(`${site.folder}.new`, site.folder);
    },
    freshFolder(name) {
      const path = join(folder, name);
      remove(path);
      mkdirSync(path, { recursive: true });
      return path;
    },
    copyFolder,
    run,
    async measure(command) {
      spawnSync('sync', ['-f', folder]);
      return meter.measure(command);
    },
    shown(command) {
      const isAtHome = command.cwd.endsWith('/home');
      const text = `${isAtHome ? '' : `cd ${command.cwd} && `}${shellText(command)}`;
      const names = [...folderNames, [folder, '$WORK'] as const, [projectFolder, '$PROJECT'] as const];
      return names.reduce((shown, [path, name]) => shown.replaceAll(path, name), text);
    },
  };
}

function savedPath(site: Site): string {
  return `${site.folder}.saved`;
}
