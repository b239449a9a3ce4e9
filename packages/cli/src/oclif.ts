/**
 * What commands use of oclif, from its parts: its entry loads all of it, and reads a package.json to compare versions of
 * Node, which the launcher has done; together 20 ms of every command.
 */
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export * as Errors from '@oclif/core/errors';
export * as Flags from '@oclif/core/flags';
export { settings } from '@oclif/core/settings';
