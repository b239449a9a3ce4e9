/** Everything that can be thrown, as the one error that a user meets. */

import { Errors } from './oclif.ts';
import { isMbkError, MbkError } from '@mbk/core';
import { nearest } from './nearest.ts';

/** The MbkError behind `thrown`: itself, a usage error of the parser, the reason of an abort, or `internal`. */
export function toMbkError(thrown: unknown, verb: string, flagNames: readonly string[], signal: AbortSignal): MbkError {
  if (isMbkError(thrown)) return thrown;
  if (signal.aborted && isMbkError(signal.reason)) return signal.reason;
  if (thrown instanceof Errors.CLIError) return usageError(thrown, verb, flagNames);
  if (thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'uv_cwd') return workingFolderGone(thrown);
  return new MbkError('internal', `unexpected failure in \`mbk ${verb}\``, {
    cause: thrown,
    details: { stack: thrown instanceof Error ? thrown.stack : String(thrown) },
  });
}

/** Somebody removed the folder that the shell is in. */
function workingFolderGone(cause: Error): MbkError {
  return new MbkError('source-absent', 'the working folder does not exist any more', {
    cause,
    remedy: 'Go to a folder that is there, then run the command again.',
  });
}

/** The parser's message without its hint, and, for an unknown flag, the flag that was probably meant. */
function usageError(error: Errors.CLIError, verb: string, flagNames: readonly string[]): MbkError {
  const message = error.message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^Nonexistent flag/, 'unknown flag')
    .replace(/^Parsing (--\S+)\s+Expected/, '$1: expected');
  const unknown = 'flags' in error && Array.isArray(error.flags) ? String(error.flags[0]) : undefined;
  const meant = unknown === undefined ? undefined : nearest(unknown.replace(/^-+|=.*$/g, ''), flagNames);
  const hint = meant === undefined ? '' : `Did you mean --${meant}? `;
  return new MbkError('usage-invalid', message.charAt(0).toLowerCase() + message.slice(1), {
    remedy: `${hint}See \`mbk ${verb} --help\`.`,
  });
}
