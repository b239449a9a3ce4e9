/** The hooks of an operation around its work: `before`, then `after` or `failed`, then `finally`, which always runs. */

import { isMbkError, MbkError } from '@mbk/core';
import type { Hook } from './find-hooks.ts';
import type { HookEvent, HookOperation, HookPhase } from './hook-events.ts';
import { runHook } from './run-hook.ts';

/** What is told about a hook. */
export type HookTold =
  | { readonly what: 'started' }
  | { readonly what: 'output'; readonly line: string; readonly stream: 'stdout' | 'stderr' }
  | { readonly what: 'ended'; readonly exitCode: number | null; readonly problem: string | undefined };

export interface HookWork {
  /** What the work gives, for the document of `after`; null when there is nothing to tell. */
  readonly result: unknown;
  /** Exit code that the command will end with: 0, or 3 and the like where something is not right. */
  readonly exitCode: number;
}

export interface WithHooksOptions {
  readonly operation: HookOperation;
  /** All hooks of the project, trusted. */
  readonly hooks: readonly Hook[];
  /** Project folder: the hooks run in it. */
  readonly root: string;
  /** Environment without secrets; variables of the hook are added. */
  readonly env: NodeJS.ProcessEnv;
  /** What all documents of this run have in common: repository, request, host. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly toJson: (value: unknown) => string;
  readonly now: () => Date;
  readonly tell: (hook: Hook, told: HookTold) => void;
  readonly signal: AbortSignal;
}

interface Ending {
  readonly outcome: 'done' | 'incomplete' | 'failed' | null;
  readonly exitCode: number | null;
  readonly result: unknown;
  readonly error: MbkError | undefined;
}

const notYet: Ending = { outcome: null, exitCode: null, result: null, error: undefined };

/**
 * Runs `work` between its hooks. Errors: `hook-refused` when a `before` hook with the policy `error` fails (nothing was
 * done), `hook-failed` when a later one does, those of `work`.
 */
export async function withHooks(options: WithHooksOptions, work: () => Promise<HookWork>): Promise<void> {
  const { signal } = options;
  let ending = notYet;
  let thrown: { readonly error: unknown } | undefined;
  const keepFirst = (error: unknown): void => void (thrown ??= { error });
  try {
    await runPhase('before', notYet, options, signal);
    const { exitCode, result } = await work();
    ending = { outcome: exitCode === 0 ? 'done' : 'incomplete', exitCode, result, error: undefined };
  } catch (error) {
    keepFirst(error);
    const known = isMbkError(error) ? error : new MbkError('internal', String(error), { cause: error });
    ending = { outcome: 'failed', exitCode: known.exitCode, result: null, error: known };
  }
  // From here on an interruption does not keep a hook from running: it has its time, and a second one ends mbk at once.
  const last = ending;
  await runPhase(last.error === undefined ? 'after' : 'failed', last, options).catch(keepFirst);
  await runPhase('finally', last, options).catch(keepFirst);
  if (thrown !== undefined) throw thrown.error;
}

/** Errors: of the first hook with the policy `error` that fails; after the work, the others run all the same. */
async function runPhase(
  phase: HookPhase,
  ending: Ending,
  options: WithHooksOptions,
  signal?: AbortSignal,
): Promise<void> {
  const event: HookEvent = `${phase}-${options.operation}`;
  let failure: MbkError | undefined;
  for (const hook of options.hooks.filter((one) => one.event === event)) {
    const problem = await runOne(hook, ending, options, signal);
    if (problem === undefined || hook.policy !== 'error') continue;
    failure ??= failureOf(phase, hook, problem, options.operation);
    if (phase === 'before') break;
  }
  if (failure !== undefined) throw failure;
}

async function runOne(
  hook: Hook,
  ending: Ending,
  { env, facts, now, operation, root, tell, toJson }: WithHooksOptions,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { error, exitCode, outcome, result } = ending;
  const document = {
    schema: 1,
    event: hook.event,
    operation,
    time: now().toISOString(),
    project: root,
    ...facts,
    outcome,
    exitCode,
    result,
    error: error === undefined ? null : { code: error.code, message: error.message, remedy: error.remedy },
  };
  const variables = {
    MBK_HOOK: hook.event,
    MBK_HOOK_OPERATION: operation,
    MBK_HOOK_PROJECT: root,
    ...(outcome === null ? {} : { MBK_HOOK_OUTCOME: outcome }),
    ...(exitCode === null ? {} : { MBK_HOOK_EXIT_CODE: String(exitCode) }),
    ...(error === undefined ? {} : { MBK_HOOK_ERROR: error.code }),
  };
  tell(hook, { what: 'started' });
  const ended = await runHook(hook, {
    root,
    env: { ...env, ...variables },
    input: `${toJson(document)}\n`,
    onLine: (line, stream) => tell(hook, { what: 'output', line, stream }),
    signal,
  });
  tell(hook, { what: 'ended', exitCode: ended.exitCode, problem: ended.problem });
  return ended.problem;
}

function failureOf(phase: HookPhase, hook: Hook, problem: string, operation: HookOperation): MbkError {
  const details = { event: hook.event, program: hook.program };
  const text = `the ${hook.event} hook ${hook.name} ${problem}`;
  return phase === 'before'
    ? new MbkError('hook-refused', `${text}: no ${operation} was made`, { details })
    : new MbkError('hook-failed', text, { details });
}
