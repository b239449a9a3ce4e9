/** The secret that opens a repository: from a file, a command, the environment or a person; never from an argument. */

import { MbkError, parseKeyFile, parseRecoveryKey } from '@mbk/core';
import type { Secret } from '@mbk/core';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { childEnvironment } from './environment.ts';
import type { SecretSources } from './environment.ts';
import { canAsk, terminalPrompts } from './prompts.ts';
import type { Prompts } from './prompts.ts';

export interface AskOptions {
  readonly sources: SecretSources;
  /** The whole environment, for the child that MBK_PASSPHRASE_COMMAND starts. */
  readonly env: NodeJS.ProcessEnv;
  /** What is asked for, such as `Passphrase of ./backups`. */
  readonly prompt: string;
  readonly signal: AbortSignal;
}

/** A passphrase that is longer is taken for a mistake: a whole file, a binary. */
const maximumPassphrase = 65_536;

/** The secret to unlock with. Errors: `secret-missing`, `key-file-unsafe`. */
export async function readSecret(options: AskOptions): Promise<Secret> {
  const { keyFile } = options.sources;
  if (keyFile !== undefined) return { kind: 'key-file', key: readKeyFile(keyFile) };
  const text = (await givenPassphrase(options)) ?? (await askPassphrase(options.prompt, options.signal));
  const recovery = parseRecoveryKey(text);
  return recovery === undefined ? { kind: 'passphrase', passphrase: text } : { kind: 'recovery', key: recovery };
}

/** Whether `readSecret` asks a person, who may mistype and be asked again. */
export function needsPerson({ keyFile, passphrase, passphraseFile, passphraseCommand }: SecretSources): boolean {
  return [keyFile, passphrase, passphraseFile, passphraseCommand].every((source) => source === undefined);
}

/** A passphrase for a new repository: as `readSecret`, and typed twice by a person. Errors: `secret-missing`, `usage-invalid`. */
export async function readNewPassphrase(options: AskOptions): Promise<string> {
  return refuseRecoveryKey((await givenPassphrase(options)) ?? (await askTwice(options)));
}

/**
 * A passphrase for another slot: from MBK_NEW_PASSPHRASE_FILE, for MBK_PASSPHRASE and the like open the repository, or
 * typed twice. Errors: `secret-missing`, `usage-invalid`.
 */
export async function readFurtherPassphrase(options: Omit<AskOptions, 'env'>): Promise<string> {
  const file = options.sources.newPassphraseFile;
  const variable = 'MBK_NEW_PASSPHRASE_FILE';
  return refuseRecoveryKey(
    file === undefined
      ? await askTwice(options, furtherRemedy)
      : firstLine(readPassphraseFile(file, variable), variable),
  );
}

const furtherRemedy = 'Set MBK_NEW_PASSPHRASE_FILE, or add a key file or a recovery key: `mbk key add --help`.';

async function askTwice({ prompt, signal }: Pick<AskOptions, 'prompt' | 'signal'>, remedy?: string): Promise<string> {
  const prompts = promptsFor(signal, remedy);
  const { askNewPassphrase } = await import('./ask-new-passphrase.ts');
  return askNewPassphrase(prompts, prompt);
}

/** What looks like a recovery key is taken for one when it is typed: as a passphrase it would open nothing. Errors: `usage-invalid`. */
export function refuseRecoveryKey(passphrase: string): string {
  if (parseRecoveryKey(passphrase) === undefined) return passphrase;
  throw new MbkError('usage-invalid', 'a recovery key cannot be a passphrase', {
    remedy: 'Choose a passphrase of your own.',
  });
}

/** The key in a key file that nobody else can read. Errors: `key-file-unsafe`. */
export function readKeyFile(path: string): Uint8Array {
  let fd: number | undefined;
  try {
    // What is looked at is what is read; a pipe must not make the program wait for ever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new MbkError('key-file-unsafe', `${path} is no file`, { details: { path } });
    if ((stats.mode & 0o077) !== 0) {
      throw new MbkError('key-file-unsafe', `the key file ${path} can be read by others`, {
        details: { path },
        remedy: `Run \`chmod 600\` on it.`,
      });
    }
    if (stats.size > 4096)
      throw new MbkError('key-file-unsafe', `${path} is too large for a key file`, { details: { path } });
    return parseKeyFile(readFileSync(fd, 'utf8'));
  } catch (cause) {
    if (cause instanceof MbkError) throw cause;
    throw new MbkError('key-file-unsafe', `the key file ${path} cannot be read`, {
      cause,
      details: { path },
      remedy: 'Check MBK_KEY_FILE.',
    });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function givenPassphrase({ sources, env, signal }: AskOptions): Promise<string | undefined> {
  if (sources.passphrase !== undefined) return sources.passphrase;
  if (sources.passphraseFile !== undefined)
    return firstLine(readPassphraseFile(sources.passphraseFile, 'MBK_PASSPHRASE_FILE'), 'MBK_PASSPHRASE_FILE');
  if (sources.passphraseCommand === undefined) return undefined;
  const { execa } = await import('execa');
  try {
    const { stdout } = await execa({
      shell: true,
      env: childEnvironment(env),
      extendEnv: false,
      stdin: 'inherit',
      stderr: 'inherit',
      maxBuffer: maximumPassphrase,
      cancelSignal: signal,
    })(sources.passphraseCommand);
    return firstLine(stdout, 'MBK_PASSPHRASE_COMMAND');
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof MbkError) throw thrown;
    // The error of the child may quote its output: it is not passed on.
    throw new MbkError('secret-missing', 'the command of MBK_PASSPHRASE_COMMAND failed', {
      remedy: 'Run it by hand to see why.',
    });
  }
}

function readPassphraseFile(path: string, variable: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new MbkError('secret-missing', `the passphrase file ${path} cannot be read`, {
      cause,
      remedy: `Check ${variable}.`,
    });
  }
}

function firstLine(text: string, source: string): string {
  const line = text.split(/\r?\n/, 1)[0] ?? '';
  if (line === '' || line.length > maximumPassphrase) {
    throw new MbkError('secret-missing', `${source} gives no passphrase in its first line`);
  }
  return line;
}

async function askPassphrase(prompt: string, signal: AbortSignal): Promise<string> {
  const answer = await promptsFor(signal).password(prompt);
  if (answer === '') throw new MbkError('secret-missing', 'an empty passphrase protects nothing');
  return answer;
}

function promptsFor(signal: AbortSignal, remedy?: string): Prompts {
  if (canAsk(process)) return terminalPrompts(process, signal);
  throw new MbkError('secret-missing', 'a passphrase is needed, and there is no terminal to ask for it', {
    ...(remedy !== undefined && { remedy }),
  });
}
