/**
 * Commit messages: text of people, made harmless, and the trailers that carry SHA-256 through Git's SHA-1
 * (docs/format.md, Catalogue).
 */
import { MbkError } from '../errors.ts';
import { isHex } from '../format/ids.ts';
import { manifestLimits, type SnapshotManifest } from '../format/snapshot-manifest.ts';
import type { Person } from './git-objects.ts';

export interface Trailers {
  /** SHA-256 of the bytes of snapshot.json. */
  readonly manifestSha256: string;
  /** SHA-256 of the content of the parent commit object; undefined without a parent. */
  readonly parentSha256: string | undefined;
}

/** A message as Git keeps it: line ends as newlines, no other control characters, no blank lines around it. */
export function cleanMessage(text: string): string {
  const lines = text
    .slice(0, manifestLimits.message)
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    // oxlint-disable-next-line no-control-regex -- removing them is the point
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
    .split('\n')
    .map((line) => line.trimEnd());
  const first = lines.findIndex((line) => line !== '');
  return first < 0 ? '' : lines.slice(first, lines.findLastIndex((line) => line !== '') + 1).join('\n');
}

/** A person as Git can hold them: without what separates fields; an empty name becomes `unknown`. */
export function cleanPerson({ name, email }: Person): Person {
  // oxlint-disable-next-line no-control-regex -- removing them is the point
  const clean = (text: string): string =>
    text
      .toWellFormed()
      .replace(/[\u0000-\u001f\u007f<>]/g, ' ')
      .replace(/ +/g, ' ')
      .trim();
  return { name: clean(name) || 'unknown', email: clean(email).replaceAll(' ', '') };
}

/** One line for a snapshot that nobody gave a message: what was taken. */
export function summaryOf(manifest: Pick<SnapshotManifest, 'domain' | 'plan' | 'collections'>): string {
  const taken = manifest.collections.filter(({ commit }) => commit === null);
  const files = taken.reduce((sum, collection) => sum + collection.files, 0);
  const shown = taken.slice(0, 3).map(({ name }) => name);
  const more = taken.length > shown.length ? ` and ${taken.length - shown.length} more` : '';
  const what = `${files} ${files === 1 ? 'file' : 'files'} of ${shown.join(', ') || 'nothing'}${more}`;
  return `${manifest.plan ?? 'Snapshot'}: ${what}`;
}

/** The whole commit message: `text` (not empty, cleaned), a blank line, the trailers. */
export function composeMessage(text: string, { manifestSha256, parentSha256 }: Trailers): string {
  const parent = parentSha256 === undefined ? '' : `Parent-SHA256: ${parentSha256}\n`;
  return `${text}\n\nManifest-SHA256: ${manifestSha256}\n${parent}`;
}

/**
 * Text and trailers of a commit message; only its last lines count as trailers, whatever its text says.
 *
 * Errors: `value-invalid` naming `what` if they are missing.
 */
export function splitMessage(message: string, what: string): Trailers & { readonly text: string } {
  const match = /\n\nManifest-SHA256: (\S+)\n(?:Parent-SHA256: (\S+)\n)?$/.exec(message);
  const [, manifestSha256, parentSha256] = match ?? [];
  if (match === null || !isHex(manifestSha256, 32) || (parentSha256 !== undefined && !isHex(parentSha256, 32))) {
    throw new MbkError('value-invalid', `${what} does not end with the trailers that bind it to its content`);
  }
  return { text: message.slice(0, match.index), manifestSha256, parentSha256 };
}
