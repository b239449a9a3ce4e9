/** The environment variables of mbk: read and checked in one place, and kept from children where they are secret. */

import { isMbkError, MbkError, parsePlace } from '@mbk/core';
import { hostname } from 'node:os';
import { isAbsolute } from 'node:path';
import { defaultCacheFolder, defaultStateFolder } from './folders.ts';

/** How the repository may be unlocked without asking; at most one of the passphrase's three sources is set. */
export interface SecretSources {
  readonly passphrase?: string;
  /** Path of a file whose first line is the passphrase. */
  readonly passphraseFile?: string;
  /** Command whose first line of output is the passphrase. */
  readonly passphraseCommand?: string;
  /** Path of a key file. */
  readonly keyFile?: string;
  /** Path of a file whose first line is the passphrase of a slot that `mbk key add` makes. */
  readonly newPassphraseFile?: string;
}

export interface Environment {
  readonly repository?: string;
  /** Path of the configuration file, instead of the nearest `mbk.yaml`. */
  readonly config?: string;
  readonly secrets: SecretSources;
  /** Absolute path. */
  readonly cacheFolder: string;
  /** Absolute path. */
  readonly stateFolder: string;
  /** Name of this host in snapshots. */
  readonly host: string;
  /** A place that the log must have: for hosts whose state folder does not last. */
  readonly expectHead?: ReturnType<typeof parsePlace>;
}

/** Checks every MBK_ variable that mbk knows; throws `environment-invalid`, naming the variable, never its secret. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  return {
    ...optional('repository', readText(env, 'MBK_REPOSITORY')),
    ...optional('config', readText(env, 'MBK_CONFIG')),
    secrets: readSecretSources(env),
    cacheFolder: readFolder(env, 'MBK_CACHE_DIR') ?? defaultCacheFolder(env),
    stateFolder: readFolder(env, 'MBK_STATE_DIR') ?? defaultStateFolder(env),
    host: readHost(env) ?? hostname(),
    ...optional('expectHead', readPlace(env)),
  };
}

/** The environment for every child process: all that is not a secret of mbk. */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^MBK_(NEW_)?(PASSPHRASE|KEY)/i.test(name)));
}

function readSecretSources(env: NodeJS.ProcessEnv): SecretSources {
  const sources = {
    ...optional('passphrase', readText(env, 'MBK_PASSPHRASE')),
    ...optional('passphraseFile', readText(env, 'MBK_PASSPHRASE_FILE')),
    ...optional('passphraseCommand', readText(env, 'MBK_PASSPHRASE_COMMAND')),
  };
  if (Object.keys(sources).length > 1) {
    const names = ['MBK_PASSPHRASE', 'MBK_PASSPHRASE_FILE', 'MBK_PASSPHRASE_COMMAND'];
    const set = names.filter((name) => env[name] !== undefined);
    throw invalid(set.join(', '), 'are set together', 'Keep the one that is meant and unset the others.');
  }
  return {
    ...sources,
    ...optional('keyFile', readText(env, 'MBK_KEY_FILE')),
    ...optional('newPassphraseFile', readText(env, 'MBK_NEW_PASSPHRASE_FILE')),
  };
}

function readText(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  if (value === '') throw invalid(name, 'is set but empty', `Give ${name} a value, or unset it.`);
  return value;
}

function readFolder(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = readText(env, name);
  if (value !== undefined && !isAbsolute(value)) {
    throw invalid(
      name,
      `is ${JSON.stringify(value)}, which is not an absolute path`,
      `Write ${name} with a leading /.`,
    );
  }
  return value;
}

/** Longest host name that a snapshot may carry, in UTF-8 bytes. */
const maximumHostLength = 255;

function readHost(env: NodeJS.ProcessEnv): string | undefined {
  const value = readText(env, 'MBK_HOST');
  if (value !== undefined && !isHostName(value)) {
    throw invalid(
      'MBK_HOST',
      `holds control characters or more than ${maximumHostLength} bytes`,
      'Shorten or mend it.',
    );
  }
  return value;
}

/** Whether a snapshot may carry `text` as the name of its host. */
export function isHostName(text: string): boolean {
  return text !== '' && !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= maximumHostLength;
}

function readPlace(env: NodeJS.ProcessEnv): Environment['expectHead'] {
  const value = readText(env, 'MBK_EXPECT_HEAD');
  try {
    return value === undefined ? undefined : parsePlace(value);
  } catch (error) {
    if (!isMbkError(error, 'usage-invalid')) throw error;
    throw invalid('MBK_EXPECT_HEAD', 'is no place in a log', 'Write it as n:hash, from `head` of `mbk verify --json`.');
  }
}

function invalid(variable: string, problem: string, remedy: string): MbkError {
  return new MbkError('environment-invalid', `${variable} ${problem}`, { details: { variable }, remedy });
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> | Record<string, never> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}
