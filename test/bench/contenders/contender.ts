/** What every program that is measured can be asked for, each in its own words. */

import type { Command } from '../measure-command.ts';

/** A repository and all that a program keeps beside it. All of it is this contender's alone, in one folder. */
export interface Site {
  readonly folder: string;
  readonly repository: string;
  readonly home: string;
  readonly cache: string;
  readonly temporary: string;
  readonly passphraseFile: string;
  readonly passphrase: string;
}

export interface Backup {
  /** Backups of the same folder at different times have one series. */
  readonly series: string;
  /** One backup: letters, digits and dashes. */
  readonly label: string;
  /** The folder that is backed up, absolute. */
  readonly source: string;
}

export interface Contender {
  readonly name: string;
  readonly version: string;
  /** Whether bytes are encrypted with a key that a passphrase unlocks. */
  readonly isEncrypted: boolean;
  /** Makes an empty repository. */
  init(site: Site): readonly Command[];
  backup(site: Site, backup: Backup): Command;
  /** Writes the files of the backup into `target`, an empty folder. */
  restore(site: Site, backup: Backup, target: string): Command;
  /** Reads and checks every byte that is stored. */
  readonly checkAll?: (site: Site) => Command;
  /** Lists what was backed up. */
  readonly list?: (site: Site) => Command;
  /** The same with a key file; what makes the key file comes first. */
  readonly listWithKeyFile?: { prepare(site: Site): readonly Command[]; list(site: Site): Command };
  /** Says its version. */
  readonly showVersion?: (site: Site) => Command;
  /** Keeps nothing between backups, so that a further one costs as much as the first. */
  readonly isPlain?: true;
}
