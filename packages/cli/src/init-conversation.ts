/**
 * `mbk init` as a short conversation. It asks only for what flags and environment have not said, and everything before
 * anything is made: whoever leaves in the middle leaves nothing behind.
 */

import { isDomainName } from '@mbk/core';
import { askNewPassphrase } from './ask-new-passphrase.ts';
import { escapeForTerminal } from './escape.ts';
import { makePassphrase } from './passphrase.ts';
import type { ProjectGuess } from './project/guess-project.ts';
import type { Prompts } from './prompts.ts';
import { formatCount } from './quantities.ts';

/** What was said already. */
export interface InitGiven {
  /** Where the repository goes, if somebody named a place. */
  readonly folder: string | undefined;
  /** What was found in the project; undefined where no mbk.yaml is to be written. */
  readonly guess: ProjectGuess | undefined;
  /** Whether domains were named. */
  readonly hasDomains: boolean;
  /** Whether a key file or a passphrase is named. */
  readonly hasSecret: boolean;
  /** Whether it was said what becomes of the recovery key. */
  readonly hasRecovery: boolean;
}

export interface InitSurroundings {
  readonly random: (length: number) => Uint8Array;
  /** Where a repository goes that nobody named a place for. */
  readonly defaultFolder: string;
  /** What is wrong with a place for the repository. */
  readonly checkFolder: (text: string) => string | undefined;
  /** Whether it is on the file system of the project. */
  readonly isSameDisk: (text: string) => boolean;
  /** What is wrong with a place for a file that does not exist yet. */
  readonly checkNewFile: (text: string) => string | undefined;
}

/** What the conversation came to; undefined where it was given. */
export interface InitAnswers {
  readonly folder?: string;
  readonly domains?: readonly string[];
  readonly passphrase?: string;
  readonly keyFile?: string;
  readonly recovery?: { readonly kind: 'show' | 'none' } | { readonly kind: 'file'; readonly path: string };
  /** Whether to go on. */
  readonly isAgreed: boolean;
}

/** Asks. Errors: `interrupted`. */
export async function converse(prompts: Prompts, given: InitGiven, around: InitSurroundings): Promise<InitAnswers> {
  const { guess } = given;
  if (guess !== undefined) await prompts.say(foundText(guess));
  const domains = guess === undefined || given.hasDomains ? undefined : await askDomains(prompts, guess);
  const folder = given.folder === undefined ? await askFolder(prompts, around) : undefined;
  const place = folder ?? given.folder ?? around.defaultFolder;
  if (around.isSameDisk(place))
    await prompts.warn('This is the disk of the project itself: a copy elsewhere is needed against its loss.');
  const secret = given.hasSecret ? {} : await askSecret(prompts, around);
  const recovery = given.hasRecovery ? undefined : await askRecovery(prompts, around);
  const what = guess === undefined ? 'the repository' : 'the repository and mbk.yaml';
  const isAgreed = await prompts.confirm(`Make ${what} now, in ${escapeForTerminal(place)}?`, true);
  return {
    ...(folder !== undefined && { folder }),
    ...(domains !== undefined && { domains }),
    ...secret,
    ...(recovery !== undefined && { recovery }),
    isAgreed,
  };
}

function foundText({ assets, found }: ProjectGuess): string {
  if (assets === 0) return 'Found no models, checkpoints, datasets or configurations here yet.';
  const parts = found.map(({ collection, files }) => `${formatCount(files, 'file')} of ${collection}`);
  return `Found here: ${parts.join(', ')}.`;
}

async function askDomains(prompts: Prompts, guess: ProjectGuess): Promise<readonly string[]> {
  const answer = await prompts.text('Which domains are there? Each has a history of its own; none is fine too.', {
    initial: guess.domains.join(', '),
    check(text) {
      const wrong = domainsOf(text).find((name) => !isDomainName(name));
      return wrong === undefined
        ? undefined
        : `${escapeForTerminal(wrong)} cannot be a domain: small letters, digits, '.', '_' and '-', with commas between.`;
    },
  });
  return domainsOf(answer);
}

/** Names with commas or spaces between them, each once. */
export function domainsOf(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((name) => name !== ''))];
}

async function askFolder(prompts: Prompts, { defaultFolder, checkFolder }: InitSurroundings): Promise<string> {
  return prompts.text('In which folder shall the repository be?', { initial: defaultFolder, check: checkFolder });
}

async function askSecret(
  prompts: Prompts,
  around: InitSurroundings,
): Promise<{ readonly passphrase: string } | { readonly keyFile: string }> {
  const kind = await prompts.select('What shall open it?', [
    { value: 'typed', label: 'A passphrase of your own' },
    { value: 'made', label: 'A passphrase made by mbk', hint: '25 letters and digits for a password manager' },
    { value: 'file', label: 'A key file', hint: 'for machines that run without people' },
  ]);
  if (kind === 'typed') return { passphrase: await askNewPassphrase(prompts) };
  if (kind === 'file') {
    return { keyFile: await prompts.text('Where shall the key file be?', { check: around.checkNewFile }) };
  }
  const passphrase = makePassphrase(around.random);
  await prompts.say(`The passphrase is\n\n    ${passphrase}\n\nStore it now; it is not shown again.`);
  await prompts.password('Paste or type it, to show that you have it', {
    check: (text) => (text.trim() === passphrase ? undefined : 'That is not the passphrase above.'),
  });
  return { passphrase };
}

async function askRecovery(prompts: Prompts, around: InitSurroundings): Promise<NonNullable<InitAnswers['recovery']>> {
  const kind = await prompts.select('A recovery key opens everything when the first key is lost. Where shall it go?', [
    { value: 'show', label: 'Show it here, once', hint: 'to be written down' },
    { value: 'file', label: 'Into a new file', hint: 'on a medium that is kept elsewhere' },
    { value: 'none', label: 'Make none', hint: 'whoever loses the first key then has lost the backups' },
  ]);
  if (kind !== 'file') return { kind };
  return { kind, path: await prompts.text('Into which file?', { check: around.checkNewFile }) };
}
