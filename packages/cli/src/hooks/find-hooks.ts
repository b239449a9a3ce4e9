/** The hooks of a project: those that `mbk.yaml` names, then the programs in `.mbk/hooks`. Nothing is run here. */

import { MbkError } from '@mbk/core';
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findOnPath } from '../on-path.ts';
import type { HookSetting, HooksConfig } from '../project/config.ts';
import { hookEvents, usualPolicy } from './hook-events.ts';
import type { HookEvent, HookPolicy } from './hook-events.ts';

export interface Hook {
  readonly event: HookEvent;
  /** As it was named, for people. */
  readonly name: string;
  /** Absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly policy: HookPolicy;
}

export interface FindHooksOptions {
  /** Absolute path of the project folder: that of `mbk.yaml`. Hooks run in it. */
  readonly root: string;
  /** `hooks:` of `mbk.yaml`. */
  readonly config: HooksConfig | undefined;
  /** The PATH variable, for programs that are named without a slash. */
  readonly path: string | undefined;
}

/** Below the project folder. */
export const hooksFolder = '.mbk/hooks';

/** How long a hook may take unless its `timeout` says otherwise. */
const usualTimeoutMs = 5 * 60_000;

/** All hooks of the project, in the order in which they run. Errors: `hook-invalid` for a program that cannot be run. */
export function findHooks({ config, path, root }: FindHooksOptions): readonly Hook[] {
  const inFolder = programsIn(root);
  return hookEvents.flatMap((event) => [
    ...settingsOf(config?.[event]).map((setting) => configuredHook(event, setting, { root, path })),
    ...(inFolder.includes(event) ? [folderHook(event, root)] : []),
  ]);
}

function settingsOf(value: HooksConfig[HookEvent]): readonly Exclude<HookSetting, string>[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? (value as readonly HookSetting[]) : [value as HookSetting];
  return list.map((one) => (typeof one === 'string' ? { program: one } : one));
}

function configuredHook(
  event: HookEvent,
  { args = [], policy, program, timeout }: Exclude<HookSetting, string>,
  { path, root }: Pick<FindHooksOptions, 'path' | 'root'>,
): Hook {
  const file = program.includes('/') ? resolve(root, program) : findOnPath(program, path);
  if (file === undefined) throw notRunnable(event, program, 'is not on the PATH');
  checkRunnable(event, program, file);
  return {
    event,
    name: [program, ...args].join(' '),
    program: file,
    args,
    timeoutMs: timeout === undefined ? usualTimeoutMs : parseTimeout(timeout),
    policy: policy ?? usualPolicy(event),
  };
}

function folderHook(event: HookEvent, root: string): Hook {
  const name = `${hooksFolder}/${event}`;
  const program = join(root, name);
  checkRunnable(event, name, program);
  return { event, name, program, args: [], timeoutMs: usualTimeoutMs, policy: usualPolicy(event) };
}

/** Names in `.mbk/hooks`; a name with a dot (a README.md, a `.sample`) is no hook, any other must be an event. */
function programsIn(root: string): readonly string[] {
  const folder = join(root, hooksFolder);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return [];
    throw new MbkError('hook-invalid', `${folder} cannot be read`, { cause, details: { path: folder } });
  }
  const hooks = names.filter((name) => !name.includes('.'));
  const odd = hooks.find((name) => !(hookEvents as readonly string[]).includes(name));
  if (odd === undefined) return hooks;
  throw new MbkError('hook-invalid', `${join(folder, odd)} is named after no event`, {
    details: { path: join(folder, odd) },
    remedy: `Name it ${hookEvents.join(', ')}; or give it a name with a dot, which is never run.`,
  });
}

function checkRunnable(event: HookEvent, name: string, file: string): void {
  try {
    if (!statSync(file).isFile()) throw notRunnable(event, name, 'is no file');
    accessSync(file, constants.X_OK);
  } catch (cause) {
    if (cause instanceof MbkError) throw cause;
    throw notRunnable(event, name, 'is absent or may not be run', cause);
  }
}

function notRunnable(event: HookEvent, program: string, problem: string, cause?: unknown): MbkError {
  return new MbkError('hook-invalid', `the ${event} hook ${program} ${problem}`, {
    details: { event, program },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `30s`, `5m`, `1h`, as the schema of `mbk.yaml` admits them, in milliseconds. */
function parseTimeout(text: string): number {
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000 }[text.slice(-1)] ?? 1000;
  return Number(text.slice(0, -1)) * unitMs;
}
