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
  init: {
    group: 'Back up and restore',
    summary: 'Make a repository, and an mbk.yaml for the project',
    load: () => import('./commands/init.ts'),
  },
  snapshot: {
    group: 'Back up and restore',
    summary: 'Take a snapshot of a project or of paths',
    load: () => import('./commands/snapshot.ts'),
  },
  validate: {
    group: 'Back up and restore',
    summary: 'Check models, checkpoints, datasets and configurations',
    load: () => import('./commands/validate.ts'),
  },
  checkout: {
    group: 'Back up and restore',
    summary: 'Write the files of a snapshot into a folder',
    load: () => import('./commands/checkout.ts'),
  },
  log: {
    group: 'Look',
    summary: 'List snapshots, newest first',
    load: () => import('./commands/log.ts'),
  },
  show: {
    group: 'Look',
    summary: 'Show one snapshot: its collections, totals and source',
    load: () => import('./commands/show.ts'),
  },
  ls: {
    group: 'Look',
    summary: 'List the files of a snapshot',
    load: () => import('./commands/ls.ts'),
  },
  cat: {
    group: 'Look',
    summary: 'Write one file of a snapshot to standard output',
    load: () => import('./commands/cat.ts'),
  },
  diff: {
    group: 'Look',
    summary: 'Tell what differs between two snapshots, or since one',
    load: () => import('./commands/diff.ts'),
  },
  find: {
    group: 'Look',
    summary: 'Tell which snapshots hold a path',
    load: () => import('./commands/find.ts'),
  },
  usage: {
    group: 'Look',
    summary: 'Tell how much is kept, and what it takes',
    load: () => import('./commands/usage.ts'),
  },
  tag: {
    group: 'Protect and repair',
    summary: 'Name a snapshot, list tags, or remove one',
    load: () => import('./commands/tag.ts'),
  },
  verify: {
    group: 'Protect and repair',
    summary: 'Check the repository: its structure, or every byte',
    load: () => import('./commands/verify.ts'),
  },
  'repair index': {
    group: 'Protect and repair',
    summary: 'Make the index again from the packs, and say what is lost',
    load: () => import('./commands/repair-index.ts'),
  },
  'repair log': {
    group: 'Protect and repair',
    summary: 'Mend damaged entries of the log',
    load: () => import('./commands/repair-log.ts'),
  },
  'key add': {
    group: 'Manage',
    summary: 'Add a passphrase, key file or recovery key',
    load: () => import('./commands/key-add.ts'),
  },
  'key list': {
    group: 'Manage',
    summary: 'List the keys that open the repository',
    load: () => import('./commands/key-list.ts'),
  },
  'key remove': {
    group: 'Manage',
    summary: 'Remove a key',
    load: () => import('./commands/key-remove.ts'),
  },
  'hook install': {
    group: 'Manage',
    summary: 'Install a Git hook that takes a snapshot',
    load: () => import('./commands/hook-install.ts'),
  },
  'hook list': {
    group: 'Manage',
    summary: 'List the Git hooks of mbk',
    load: () => import('./commands/hook-list.ts'),
  },
  'hook uninstall': {
    group: 'Manage',
    summary: 'Take a Git hook away, and put back what was there before',
    load: () => import('./commands/hook-uninstall.ts'),
  },
  'hook run': {
    group: 'Under the floor',
    summary: 'Take the snapshot of a Git hook',
    load: () => import('./commands/hook-run.ts'),
  },
  'plugins create': {
    group: 'Manage',
    summary: 'Write a plugin to start from, with tests',
    load: () => import('./commands/plugins-create.ts'),
  },
  'plugins install': {
    group: 'Manage',
    summary: 'Install a plugin',
    load: () => import('./commands/plugins-install.ts'),
  },
  'plugins list': {
    group: 'Manage',
    summary: 'List the plugins that are installed',
    load: () => import('./commands/plugins-list.ts'),
  },
  'plugins remove': {
    group: 'Manage',
    summary: 'Remove an installed plugin',
    load: () => import('./commands/plugins-remove.ts'),
  },
  'plugins check': {
    group: 'Manage',
    summary: 'Run the conformance suite on a plugin',
    load: () => import('./commands/plugins-check.ts'),
  },
  trust: {
    group: 'Manage',
    summary: 'Let the hooks of a project run',
    load: () => import('./commands/trust.ts'),
  },
  completion: {
    group: 'Manage',
    summary: 'Print the completion of commands for a shell',
    load: () => import('./commands/completion.ts'),
  },
  'catalogue export': {
    group: 'Under the floor',
    summary: 'Write the history as a plain Git repository',
    load: () => import('./commands/catalogue-export.ts'),
  },
  'cat-object': {
    group: 'Under the floor',
    summary: 'Write a Git object of the catalogue, or a blob, to standard output',
    load: () => import('./commands/cat-object.ts'),
  },
  'cat-log': {
    group: 'Under the floor',
    summary: 'Print an entry of the log',
    load: () => import('./commands/cat-log.ts'),
  },
  status: {
    group: 'Look',
    summary: 'Show what has changed since the newest snapshots',
    load: () => import('./commands/status.ts'),
  },
  'self-test': {
    group: 'Under the floor',
    summary: 'Try the hashes, ciphers and codecs of this machine against published answers',
    load: () => import('./commands/self-test.ts'),
  },
};
