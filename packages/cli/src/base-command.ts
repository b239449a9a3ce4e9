/** The base of every command: global flags, environment, interruption, renderer, and errors with their exit codes. */

import { Command, Flags } from './oclif.ts';
import type { Interfaces } from '@oclif/core';
import type { MbkError, PluginHost, Repository, Threads } from '@mbk/core';
import { readEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import { toMbkError } from './failure.ts';
import { adviseOn, watchInterruption } from './interruption.ts';
import type { Interruption, InterruptionAdvice } from './interruption.ts';
import type { HookOperation } from './hooks/hook-events.ts';
import type { OpenContext } from './open.ts';
import { makeOutput } from './output.ts';
import type { Output, OutputOptions } from './output.ts';
import type { OpenPluginsOptions } from './plugins/open-plugins.ts';

type OutputFlags = Interfaces.OutputFlags<Interfaces.FlagInput>;
type OutputArgs = Interfaces.OutputArgs<Interfaces.ArgInput>;

/** A call of a command that has hooks. */
export interface HookedCall {
  /** What `--repo` says. */
  readonly repo: string | undefined;
  /** What the user asked for, for the hooks. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly without: boolean;
}

export abstract class MbkCommand extends Command {
  static override baseFlags = {
    repo: Flags.string({
      char: 'r',
      description: 'The repository: a folder. Else MBK_REPOSITORY, else what mbk.yaml names.',
      helpGroup: 'global',
      helpValue: 'REPO',
    }),
    json: Flags.boolean({ description: 'Print JSON for programs.', helpGroup: 'global' }),
    quiet: Flags.boolean({
      char: 'q',
      description: 'No progress, notes and summaries: only errors, findings and what was asked for.',
      helpGroup: 'global',
    }),
  };

  /** The renderer, for text or JSON. */
  protected out: Output = makeOutput(outputOptions(this.argv, process.env), process);
  #interruption: Interruption | undefined;
  #environment: Environment | undefined;
  #advice: InterruptionAdvice | (() => InterruptionAdvice) | undefined;

  /** Aborts with the error `interrupted` when the user or the system asks to stop. */
  protected get signal(): AbortSignal {
    this.#interruption ??= watchInterruption(process, {
      onLong: () => this.out.notice('stopping; a second time stops at once'),
      onSecond: () => this.out.clear(),
    });
    return this.#interruption.signal;
  }

  /** The checked MBK_ variables. */
  protected get environment(): Environment {
    this.#environment ??= readEnvironment(process.env);
    return this.#environment;
  }

  /** Opens the repository that `repo` (the flag), the environment or `mbk.yaml` names, runs `work`, and closes it. */
  protected async withRepository<Result>(
    repo: string | undefined,
    work: (repository: Repository) => Promise<Result> | Result,
  ): Promise<Result> {
    const { withRepository } = await import('./open.ts');
    return withRepository(this.context(repo), work);
  }

  /** The same for work that uses threads, which are started while the key is derived. */
  protected async withThreads<Result>(
    { repo, jobs }: { readonly repo: string | undefined; readonly jobs: number | undefined },
    operation: 'verify' | 'checkout',
    work: (repository: Repository, threads: Threads | undefined) => Promise<Result>,
  ): Promise<Result> {
    const [{ withRepository }, { prepareThreads }] = await Promise.all([import('./open.ts'), import('@mbk/core')]);
    let threads: Threads | undefined;
    const start = (): void => void (threads = prepareThreads(operation, jobs));
    try {
      return await withRepository(this.context(repo), (repository) => work(repository, threads), start);
    } finally {
      await threads?.close();
    }
  }

  /**
   * Runs `work` between the hooks of the project, unless `without` them; what it gives is told to `after` hooks, with the exit
   * code that it set. Errors: those of the hooks, which come first, and of `work`.
   */
  protected async withHooks(
    operation: HookOperation,
    { repo, request, without }: HookedCall,
    work: () => Promise<unknown>,
  ): Promise<void> {
    if (without) return void (await work());
    const { runHooked } = await import('./hooks/hooked-command.ts');
    await runHooked(this.context(repo), { operation, request }, async () => {
      const result = (await work()) ?? null;
      return { result, exitCode: typeof process.exitCode === 'number' ? process.exitCode : 0 };
    });
  }

  /** The plugins that hold in the working folder; the caller closes the host. Errors: those of `openPlugins`. */
  protected async openPlugins(
    options: Pick<OpenPluginsOptions, 'config' | 'handlers' | 'isStrict' | 'isUrgent' | 'onUnusable' | 'root'>,
  ): Promise<PluginHost> {
    const { openPlugins } = await import('./plugins/open-plugins.ts');
    const { environment, out, signal } = this;
    const { stateFolder } = environment;
    return openPlugins({ ...options, cwd: process.cwd(), path: process.env['PATH'], out, stateFolder, signal });
  }

  /** What `open.ts` needs to know; `repo` is the flag. */
  protected context(repo: string | undefined): OpenContext {
    const { environment, out, signal } = this;
    return { repo, environment, env: process.env, cwd: process.cwd(), out, signal };
  }

  /** Says in the error of an interruption what of the work is kept and how to go on. */
  protected adviseOnInterruption(advice: InterruptionAdvice | (() => InterruptionAdvice) | undefined): void {
    this.#advice = advice;
  }

  /** Ends with this exit code though nothing was thrown, such as `exitCodes.incomplete`. */
  protected endWith(code: number): void {
    process.exitCode = code;
  }

  /** Standard input is never taken for an argument, as oclif would where one is missing: it may be data, or a job's. */
  protected override async parse<F extends OutputFlags, B extends OutputFlags, A extends OutputArgs>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    for (const arg of Object.values<{ ignoreStdin?: boolean }>(options?.args ?? {})) arg.ignoreStdin = true;
    return super.parse(options, argv);
  }

  protected override async init(): Promise<void> {
    // Interruption is watched, and the environment checked, before a command does anything.
    void this.signal;
    void this.environment;
    await super.init();
  }

  protected override async catch(thrown: Error): Promise<void> {
    this.parsed = true; // or oclif warns developers, who are told the error already
    const error = this.withAdvice(this.toError(thrown));
    this.out.error(error);
    process.exitCode = error.exitCode;
  }

  protected override async finally(): Promise<void> {
    this.#interruption?.stop();
  }

  private withAdvice(error: MbkError): MbkError {
    const advice = typeof this.#advice === 'function' ? this.#advice() : this.#advice;
    return error.code === 'interrupted' && advice !== undefined ? adviseOn(error, advice, this.signal) : error;
  }

  private toError(thrown: unknown): MbkError {
    const flagNames = Object.keys({ ...this.ctor.baseFlags, ...this.ctor.flags });
    return toMbkError(thrown, (this.id ?? '').replaceAll(':', ' '), flagNames, this.signal);
  }
}

/** `--json` and `--quiet` before any `--`; known before parsing, so that a usage error is JSON too. */
export function outputOptions(argv: readonly string[], env: NodeJS.ProcessEnv): OutputOptions {
  const end = argv.indexOf('--');
  const flags = argv.slice(0, end === -1 ? argv.length : end);
  const quiet = flags.includes('--quiet') || flags.includes('-q');
  return { json: flags.includes('--json'), quiet, term: env['TERM'] };
}
