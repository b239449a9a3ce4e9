/** Writes the first `mbk.yaml` of a project. */

import { MbkError } from '@mbk/core';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { configName } from './config.ts';
import { renderConfig } from './config-template.ts';
import { findAssets } from './find-assets.ts';
import { guessProject } from './guess-project.ts';

export interface WrittenConfig {
  /** Absolute path. */
  readonly file: string;
  readonly domains: readonly string[];
  readonly collections: readonly string[];
  /** Assets that were found. */
  readonly assets: number;
}

export interface WriteConfigOptions {
  /** Absolute; not looked into. */
  readonly repositoryFolder: string;
  /** What stands in the file for it. */
  readonly repository: string;
}

/** Guesses and writes `mbk.yaml` in `folder`; never over one that is there. Errors: `target-failed`. */
export async function writeNewConfig(
  folder: string,
  { repositoryFolder, repository }: WriteConfigOptions,
): Promise<WrittenConfig> {
  const file = join(folder, configName);
  const guess = guessProject(findAssets(folder, { never: [repositoryFolder] }), basename(folder));
  try {
    writeFileSync(file, renderConfig(guess, { repository }), { flag: 'wx' });
  } catch (cause) {
    throw new MbkError('target-failed', `${file} cannot be written`, { cause, details: { file } });
  }
  const { domains, collections, assets } = guess;
  return { file, domains, collections, assets };
}
