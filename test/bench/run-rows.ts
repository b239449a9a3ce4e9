/** Runs rows: every contender once, then every contender again, so that a slow minute of the machine meets them all. */

import type { Contender } from './contenders/contender.ts';
import type { FolderFacts } from './folder-facts.ts';
import type { Lab } from './lab.ts';
import type { Command } from './measure-command.ts';
import type { Machine, Result, RowReport, Run } from './report.ts';

/** Where rows are measured; what else a row needs, it says. */
export interface Place {
  readonly lab: Lab;
}

/** One piece of work that a user waits for, the same for every contender that can do it. */
export interface Row<Where extends Place> {
  readonly id: string;
  readonly title: string;
  /** What was warm, and what else the numbers rest on. */
  readonly conditions: string;
  /** Runs for each that was asked for: short commands are measured more often. */
  readonly repeats: number;
  canRun(contender: Contender): boolean;
  /** Ways to run a contender that the row compares with each other; the contender as it is unless given. */
  readonly variants?: (contender: Contender) => readonly Contender[];
  /** Source bytes and files. */
  measureSource(place: Where): FolderFacts;
  prepare(place: Where, contender: Contender): Promise<RowSteps>;
}

/** One contender, ready. */
export interface RowSteps {
  /** Makes everything as it must be before each run. */
  readonly before?: () => Promise<void> | void;
  /** The command whose time counts. */
  command(): Command;
  /** Looks at what the run left behind, and throws when it is wrong; the bytes that it stored. */
  readonly after?: () => number | undefined;
  readonly end?: () => void;
}

export interface RunOptions {
  readonly contenders: readonly Contender[];
  readonly runs: number;
  readonly seed: number;
  readonly scale: number;
  readonly note: string;
  readonly machine: () => Machine;
  readonly now: () => Date;
  readonly report: (text: string) => void;
}

export async function runRow<Where extends Place>(
  place: Where,
  row: Row<Where>,
  options: RunOptions,
): Promise<RowReport> {
  const { machine, note, now, report, scale, seed } = options;
  const measuredAt = now().toISOString();
  const machineNow = machine();
  const source = row.measureSource(place);
  report(`${row.id}: getting ready`);
  const entries: Entry[] = [];
  const contenders = options.contenders.filter((one) => row.canRun(one));
  for (const contender of contenders.flatMap((one) => row.variants?.(one) ?? [one]))
    entries.push({ contender, steps: await row.prepare(place, contender), runs: [] });
  for (let turn = 0; turn < options.runs * row.repeats; turn += 1) {
    for (const { contender, runs, steps } of entries) {
      const run = await runOnce(place, steps);
      runs.push(run);
      report(`${row.id}: ${contender.name} ${run.seconds.toFixed(2)} s`);
    }
  }
  const results = entries.map(({ contender, runs, steps }): Result => {
    const command = place.lab.shown(steps.command());
    return { contender: contender.name, version: contender.version, command, runs };
  });
  for (const { steps } of entries) steps.end?.();
  return {
    id: row.id,
    title: row.title,
    conditions: row.conditions,
    measuredAt,
    machine: machineNow,
    seed,
    scale,
    note,
    sourceBytes: source.bytes,
    sourceFiles: source.files,
    results,
  };
}

interface Entry {
  readonly contender: Contender;
  readonly steps: RowSteps;
  readonly runs: Run[];
}

async function runOnce({ lab }: Place, steps: RowSteps): Promise<Run> {
  await steps.before?.();
  const { output: _, ...run } = await lab.measure(steps.command());
  const storedBytes = steps.after?.();
  return storedBytes === undefined ? run : { ...run, storedBytes };
}
