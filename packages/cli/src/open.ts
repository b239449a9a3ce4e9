/** From what the user named to an open repository: flag, environment or `mbk.yaml`; then the secret; then the keys. */

import { isMbkError, localBackend, MbkError, openRepository, readRepositoryId, retrying } from '@mbk/core';
import type { Backend, Repository } from '@mbk/core';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from './environment.ts';
import { rememberNames } from './known-names.ts';
import type { Output } from './output.ts';
import { readPackage } from './package.ts';
import { findConfig, readConfig } from './project/config.ts';
import type { ProjectConfig } from './project/config.ts';
import { needsPerson, readSecret } from './secret.ts';

export interface OpenContext {
  /** What `--repo` says. */
  readonly repo: string | undefined;
  readonly environment: Environment;
  /** The whole environment, for a child that gives the passphrase. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly out: Output;
  readonly signal: AbortSignal;
}

export interface OpenedForCommand {
  /** Closing it also tells what was found wrong since it was opened. */
  readonly repository: Repository;
  /** Absolute path of the repository. */
  readonly folder: string;
  /** The configuration that counts here, also where the repository was named otherwise. */
  readonly config: ProjectConfig | undefined;
}

/** What is known before the repository is open. */
export type FoundForCommand = Omit<OpenedForCommand, 'repository'>;

/**
 * Opens the repository that is named and reads the project's configuration; the caller closes the repository.
 * `meanwhile` is begun while the key is derived, which leaves this thread idle, or after.
 *
 * Errors: as `withRepository`, `config-invalid`, and those of `meanwhile`.
 */
export async function openForCommand<T = undefined>(
  context: OpenContext,
  meanwhile?: (found: FoundForCommand) => Promise<T>,
): Promise<OpenedForCommand & { readonly prepared: T | undefined }> {
  const config = await findProject(context.environment, context.cwd);
  const folder = await findRepository(context);
  let preparing: Promise<T> | undefined;
  const begin = (): void => {
    preparing ??= meanwhile?.({ folder, config });
    preparing?.catch(() => undefined); // told below, unless opening fails first
  };
  const repository = await openFolder(folder, context, begin);
  try {
    begin();
    return { repository, folder, config, prepared: await preparing };
  } catch (error) {
    await repository.close();
    throw error;
  }
}

/**
 * Opens the repository that is named, tells what was wrong with it, runs `work`, and closes it whatever happens.
 * `onDeriving` is called when the key is derived, if it is, which leaves this thread idle.
 *
 * Errors: `repository-unnamed`, `usage-invalid`, `repository-absent`, those of the secret and of opening, those of `work`.
 */
export async function withRepository<Result>(
  context: OpenContext,
  work: (repository: Repository) => Promise<Result> | Result,
  onDeriving?: () => void,
): Promise<Result> {
  const repository = await openFolder(await findRepository(context), context, onDeriving);
  try {
    return await work(repository);
  } finally {
    await repository.close();
  }
}

async function openFolder(folder: string, context: OpenContext, onDeriving?: () => void): Promise<Repository> {
  const { out } = context;
  const backend = makeBackend(folder);
  // Before a passphrase is asked for: without a repository there is nothing that it could open.
  await readRepositoryId(backend);
  const repository = await unlock(backend, context, onDeriving);
  rememberNames(repository);
  let told = 0;
  const tell = (): void => {
    for (; told < repository.notices.length; told += 1) out.notice(repository.notices[told] ?? '');
  };
  tell();
  const close = async (): Promise<void> => {
    tell();
    rememberNames(repository);
    await repository.close();
  };
  return { ...repository, close };
}

/** The repository in `backend`, opened with the secret that is given, or with one that a person types right at last. */
async function unlock(
  backend: Backend,
  { environment, env, out, signal }: OpenContext,
  onDeriving?: () => void,
): Promise<Repository> {
  const { cacheFolder, expectHead, secrets: sources, stateFolder } = environment;
  const prompt = `Passphrase of ${backend.name}`;
  const open = async (isFirst: boolean): Promise<Repository> =>
    openRepository({
      backend,
      secret: await readSecret({ sources, env, prompt, signal }),
      cacheFolder,
      stateFolder,
      now: Date.now,
      random,
      tool: toolName(),
      processes: { self: process.pid, isRunning },
      expectHead,
      // What was begun while the first key was derived goes on.
      onDeriving: isFirst ? onDeriving : undefined,
      signal,
    });
  return needsPerson(sources) ? tryKeys(open, (error) => out.notice(`${error.message}; try again`)) : open(true);
}

/** A person who mistypes is asked so many times. */
const attempts = 3;

/** What `open` gives once the key is right; its error when that is another one, or the last attempt fails. */
export async function tryKeys<Opened>(
  open: (isFirst: boolean) => Promise<Opened>,
  onWrong: (error: MbkError) => void,
): Promise<Opened> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open(attempt === 1);
    } catch (error) {
      if (attempt === attempts || !isMbkError(error, 'secret-wrong')) throw error;
      onWrong(error);
    }
  }
}

/** The repository that is named: an absolute path. Errors: `repository-unnamed`, `usage-invalid`, `config-invalid`. */
export async function findRepository(context: Pick<OpenContext, 'repo' | 'environment' | 'cwd'>): Promise<string> {
  const { repo, environment, cwd } = context;
  const named = repo ?? environment.repository;
  if (named !== undefined) return repositoryFolder(named, cwd);
  const project = await findProject(environment, cwd);
  if (project?.repository !== undefined) return repositoryFolder(project.repository, project.root);
  const file = project?.file;
  const more =
    file === undefined ? {} : { details: { file }, remedy: `Add \`repository:\` to ${file}, or pass --repo.` };
  throw new MbkError('repository-unnamed', 'no repository is named', more);
}

/** The configuration that counts here: that of MBK_CONFIG, else the nearest at or above `cwd`. Errors: `config-invalid`. */
export async function findProject(
  { config }: Pick<Environment, 'config'>,
  cwd: string,
): Promise<ProjectConfig | undefined> {
  const file = config === undefined ? findConfig(cwd) : resolve(cwd, config);
  return file === undefined ? undefined : readConfig(file);
}

/** The folder that `text` names, seen from `base`. Errors: `usage-invalid` for anything that is no folder. */
export function repositoryFolder(text: string, base: string): string {
  // One letter before the colon may be a drive; more are a scheme, whatever follows.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1];
  if (scheme !== undefined) {
    throw new MbkError('usage-invalid', `${text} is on a storage of the kind ${scheme}, which this mbk does not know`, {
      details: { repository: text },
      remedy: 'Name a folder; one whose name has a colon is written with ./ before it.',
    });
  }
  if (text === '') throw new MbkError('usage-invalid', 'the repository has an empty name');
  return resolve(base, text);
}

/** The storage in a folder: an absolute path. */
export function makeBackend(folder: string): Backend {
  return retrying(localBackend(folder), {
    attempts: 5,
    // 50 ms to 800 ms, with full jitter, so that many hosts do not come back together.
    delay: (attempt) => Math.ceil(Math.random() * 50 * 2 ** attempt),
    sleep: async (ms, signal) => pause(ms, undefined, { signal }),
  });
}

/** Random bytes from the system. */
export function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}

/** Name and version of this program, as repositories keep it. */
export function toolName(): string {
  return `mbk ${readPackage().version}`;
}

/** Whether a process of that number runs on this host, also somebody else's. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
