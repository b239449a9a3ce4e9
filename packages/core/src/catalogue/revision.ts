/**
 * The revision syntax: how a person names a snapshot, and a path in it.
 *
 *     <name> [@<moment> | @{<moment>}] [~[<n>]]… [:<path>]
 *
 * A name is a domain (its head), a tag, or a commit id or at least 4 digits of its start. A moment follows a domain
 * only, and takes its newest snapshot at or before it (moment.ts). `~n` goes n snapshots back, `~` one. The path is
 * whatever follows the first colon outside braces.
 */
import { MbkError } from '../errors.ts';

export interface Revision {
  readonly name: string;
  /** Text of the moment, not yet understood; undefined where none was given. */
  readonly moment: string | undefined;
  /** How many snapshots to go back. */
  readonly back: number;
  /** As it was written, '' for the root; undefined where no colon was. */
  readonly path: string | undefined;
}

const name = '(?<name>[A-Za-z0-9][A-Za-z0-9._/-]{0,199})';
const moment = '(?:@(?:\\{(?<braced>[^{}]{1,100})\\}|(?<bare>[^{}~:@]{1,100})))?';
const back = '(?<back>(?:~[0-9]{0,6}){0,100})';
const pattern = new RegExp(`^${name}${moment}${back}(?::(?<path>[^]*))?$`);

/** The parts of a revision; `revision-unknown` if it does not follow the syntax. */
export function parseRevision(text: string): Revision {
  const groups = pattern.exec(text)?.groups;
  if (groups?.['name'] === undefined) {
    throw new MbkError('revision-unknown', `${JSON.stringify(text)} is not a revision`, {
      details: { revision: text, suggestions: [] },
      remedy:
        'Write a domain, a tag (healthcare/2025-01-01), a domain at a time (healthcare@2025-01-01, healthcare@{3 days ago}), ' +
        'a commit id, or one of them with ~2 behind it.',
    });
  }
  const steps = (groups['back'] ?? '').split('~').slice(1);
  return {
    name: groups['name'],
    moment: groups['braced'] ?? groups['bare'],
    back: steps.reduce((sum, step) => sum + (step === '' ? 1 : Number(step)), 0),
    path: groups['path'],
  };
}

/** The text of a revision: parses back to the same parts. */
export function formatRevision(revision: Revision): string {
  const at = revision.moment === undefined ? '' : `@{${revision.moment}}`;
  const steps = revision.back === 0 ? '' : `~${revision.back}`;
  return `${revision.name}${at}${steps}${revision.path === undefined ? '' : `:${revision.path}`}`;
}
