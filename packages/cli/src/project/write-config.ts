/** Writes the first `mbk.yaml` of a project. */

import { MbkError } from '@mbk/core';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { configName } from './config.ts';
import { renderConfig } from './config-template.ts';
import { findAssets } from './find-assets.ts';
import { guessProject } from './guess-project.ts';
import type { ProjectGuess } from './guess-project.ts';

export interface WrittenConfig {
  /** Absolute path. */
  readonly file: string;
  readonly domains: readonly string[];
  readonly collections: readonly string[];
  /** Assets that were found. */
  readonly assets: number;
}

/** Looks through `folder`, without the folders in `never`, and guesses; `domains` are those that a person named. */
export function guessFolder(
  folder: string,
  { never, domains }: { readonly never: readonly string[]; readonly domains?: readonly string[] | undefined },
): ProjectGuess {
  return guessProject(findAssets(folder, { never }), basename(folder), domains);
}

/** Writes `mbk.yaml` in `folder`, with `repository` as it shall stand there; never over one that is there. Errors: `target-failed`. */
export function writeNewConfig(
  folder: string,
  { guess, repository }: { readonly guess: ProjectGuess; readonly repository: string },
): WrittenConfig {
  const file = join(folder, configName);
  try {
    writeFileSync(file, renderConfig(guess, { repository }), { flag: 'wx' });
  } catch (cause) {
    throw new MbkError('target-failed', `${file} cannot be written`, { cause, details: { file } });
  }
  const { domains, collections, assets } = guess;
  return { file, domains, collections, assets };
}
