/**
 * The table of all commands. Only the module of the command that was called is loaded.
 *
 * To add a command:
 * 1. Write `commands/<verb>.ts` (words of a longer verb joined by `-`: `commands/key-add.ts`): a default-exported
 *    class that extends `MbkCommand`, with its static `args`, `flags`, `examples` and `run()`. Keep it thin: parse,
 *    call the core, hand the value and its text to `this.out`. Whatever takes over 15 ms to load comes from an
 *    `await import()` inside `run()`.
 * 2. Add its row here, under the words that call it. The summary stands only here.
 * 3. Describe it in `docs/cli.md`, and test it in `packages/cli/test/commands/<verb>.test.ts`.
 */

import type { Config } from '@oclif/core';
import type { MbkCommand } from './base-command.ts';

/** Headings of the overview, in their order. */
export const commandGroups = [
  'Back up and restore',
  'Look',
  'Protect and repair',
  'Manage',
  'Under the floor',
] as const;

export interface CommandRow {
  readonly group: (typeof commandGroups)[number];
  /** One line, without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly default: CommandClass }>;
}

/** A command that can be made and run; `MbkCommand` itself is abstract. */
export type CommandClass = typeof MbkCommand & (new (argv: string[], config: Config) => MbkCommand);

/** Rows by the words that call them, such as `snapshot` or `key add`. */
export const commandTable: Readonly<Record<string, CommandRow>> = {
  snapshot: {
    group: 'Back up and restore',
    summary: 'Take a snapshot of a project or of paths',
    load: () => import('./commands/snapshot.ts'),
  },
  'self-test': {
    group: 'Under the floor',
    summary: 'Try the hashes, ciphers and codecs of this machine against published answers',
    load: () => import('./commands/self-test.ts'),
  },
};
