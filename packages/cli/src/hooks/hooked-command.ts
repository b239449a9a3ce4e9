/** The hooks around a command: found, held against what is trusted, run, and told to the user. */

import { MbkError } from '@mbk/core';
import type { Environment } from '../environment.ts';
import { childEnvironment } from '../environment.ts';
import { escapeForTerminal } from '../escape.ts';
import { findProject, findRepository } from '../open.ts';
import type { OpenContext } from '../open.ts';
import { toJson } from '../output.ts';
import type { Output, Styler } from '../output.ts';
import { readPackage } from '../package.ts';
import { findHooks } from './find-hooks.ts';
import type { Hook } from './find-hooks.ts';
import type { HookOperation } from './hook-events.ts';
import { describeHooks, trustOf, untrustedParts } from './trust.ts';
import { withHooks } from './with-hooks.ts';
import type { HookTold, HookWork } from './with-hooks.ts';

export interface ProjectHooks {
  /** Project folder. */
  readonly root: string;
  readonly hooks: readonly Hook[];
}

export interface HookedOperation {
  readonly operation: HookOperation;
  /** What the user asked for, for the hooks. */
  readonly request: Readonly<Record<string, unknown>>;
}

/**
 * Runs `work` between the hooks of the project that counts here, if it has any for this operation.
 * Errors: `hooks-untrusted`, `hook-invalid`, `config-invalid`, those of `withHooks`.
 */
export async function runHooked(
  context: OpenContext,
  { operation, request }: HookedOperation,
  work: () => Promise<HookWork>,
): Promise<void> {
  const { env, environment, out, signal } = context;
  const { hooks: all, root } = await trustedHooks(context);
  const hooks = all.filter(({ event }) => event.endsWith(`-${operation}`));
  if (hooks.length === 0) return void (await work());
  const repository = await findRepository(context).catch(() => null); // the work says what is wrong with it
  await withHooks(
    {
      operation,
      hooks,
      root,
      env: childEnvironment(env),
      facts: { repository, host: environment.host, tool: `mbk ${readPackage().version}`, request },
      toJson,
      now: () => new Date(),
      tell: (hook, told) => tellHook(out, hook, told),
      signal,
    },
    work,
  );
}

/** The hooks of the project, every one of them trusted. Errors: `hooks-untrusted`, `hook-invalid`, `config-invalid`. */
async function trustedHooks({
  cwd,
  env,
  environment,
}: Pick<OpenContext, 'cwd' | 'env' | 'environment'>): Promise<ProjectHooks> {
  const config = await findProject(environment, cwd);
  const root = config?.root ?? cwd;
  const hooks = findHooks({ root, config: config?.hooks, path: env['PATH'] });
  if (hooks.length > 0) checkTrust(environment, root, describeHooks(hooks, config?.hooks, root));
  return { root, hooks };
}

function checkTrust(
  { stateFolder }: Pick<Environment, 'stateFolder'>,
  root: string,
  now: ReturnType<typeof describeHooks>,
): void {
  const parts = untrustedParts(now, trustOf(stateFolder, root));
  if (parts.length === 0) return;
  throw new MbkError('hooks-untrusted', `the hooks of ${root} are not trusted: ${parts.join('; ')}`, {
    details: { project: root, parts },
  });
}

function tellHook(out: Output, { event, name, policy }: Hook, told: HookTold): void {
  out.aside({ type: 'hook', event, program: name, ...told, problem: problemOf(told) }, (_, style) =>
    hookText(event, policy, told, style),
  );
}

function hookText(event: string, policy: Hook['policy'], told: HookTold, style: Styler): string {
  const head = style('dim', `${event}:`);
  if (told.what === 'output') return `${head} ${escapeForTerminal(told.line)}`;
  if (told.what === 'started' || told.problem === undefined) return '';
  const colour = policy === 'error' ? 'red' : 'yellow';
  return `${head} ${style(colour, `the hook ${escapeForTerminal(told.problem)}`)}${policy === 'ignore' ? ', which is ignored' : ''}`;
}

function problemOf(told: HookTold): string | null {
  return told.what === 'ended' ? (told.problem ?? null) : null;
}
