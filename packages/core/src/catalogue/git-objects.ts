/**
 * Strict reading of the Git objects of a catalogue, without isomorphic-git (60 ms to load).
 *
 * Only what writers of this format make is accepted: one parent at most, a tree of plain files. Everything else,
 * however well-formed for Git, is `value-invalid`.
 */
import { isUtf8 } from 'node:buffer';
import { MbkError } from '../errors.ts';
import { toHex } from '../format/bytes.ts';
import { asCommitId, asGitObjectId, type CommitId, type GitObjectId } from '../format/ids.ts';

export interface Person {
  readonly name: string;
  readonly email: string;
}

/** Who wrote an object, and when: milliseconds since 1970 (whole seconds), minutes east of UTC. */
export interface Authorship extends Person {
  readonly at: number;
  readonly offsetMinutes: number;
}

export interface ParsedCommit {
  readonly tree: GitObjectId;
  readonly parent: CommitId | undefined;
  readonly author: Authorship;
  /** All of it, trailers included. */
  readonly message: string;
}

export interface ParsedTag {
  readonly commit: CommitId;
  readonly name: string;
  readonly tagger: Authorship;
  readonly message: string;
}

const maximumBytes = 1_048_576;

/** The fields of a commit's content; `value-invalid` naming `what`. */
export function parseCommit(content: Uint8Array, what: string): ParsedCommit {
  const { headers, message } = splitObject(content, what);
  const [tree, parent, ...rest] = headers;
  const hasParent = parent?.name === 'parent';
  const author = (hasParent ? rest : headers.slice(1))[0];
  if (tree?.name !== 'tree' || author?.name !== 'author') throw malformed(what);
  if (headers.filter(({ name }) => name === 'parent').length > (hasParent ? 1 : 0)) {
    throw new MbkError('value-invalid', `${what} has more than one parent`);
  }
  return {
    tree: asGitObjectId(tree.value),
    parent: hasParent ? asCommitId(parent.value) : undefined,
    author: parseAuthorship(author.value, what),
    message,
  };
}

/** The fields of an annotated tag's content; `value-invalid` naming `what`. */
export function parseTag(content: Uint8Array, what: string): ParsedTag {
  const { headers, message } = splitObject(content, what);
  const [object, type, tag, tagger] = headers;
  if (object?.name !== 'object' || type?.value !== 'commit' || tag?.name !== 'tag' || tagger?.name !== 'tagger') {
    throw malformed(what);
  }
  return { commit: asCommitId(object.value), name: tag.value, tagger: parseAuthorship(tagger.value, what), message };
}

/** Ids of the plain files of a tree, by name; `value-invalid` naming `what`. */
export function parseTree(content: Uint8Array, what: string): Map<string, GitObjectId> {
  const files = new Map<string, GitObjectId>();
  for (let offset = 0; offset < content.byteLength;) {
    const end = content.indexOf(0, offset);
    if (end < 0 || content.byteLength - end - 1 < 20) throw malformed(what);
    const header = Buffer.from(content.subarray(offset, end)).toString('utf8');
    if (!header.startsWith('100644 '))
      throw new MbkError('value-invalid', `${what} holds something else than plain files`);
    files.set(header.slice(7), asGitObjectId(toHex(content.subarray(end + 1, end + 21))));
    offset = end + 21;
  }
  return files;
}

interface Header {
  readonly name: string;
  readonly value: string;
}

function splitObject(content: Uint8Array, what: string): { readonly headers: Header[]; readonly message: string } {
  if (content.byteLength > maximumBytes || !isUtf8(content)) throw malformed(what);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(content);
  const end = text.indexOf('\n\n');
  if (end < 0) throw malformed(what);
  const headers: Header[] = [];
  for (const line of text.slice(0, end).split('\n')) {
    // A line that starts with a space continues the header before it: a signature, which nothing here reads.
    if (line.startsWith(' ')) continue;
    const space = line.indexOf(' ');
    headers.push({ name: line.slice(0, Math.max(0, space)), value: line.slice(space + 1) });
  }
  return { headers, message: text.slice(end + 2) };
}

function parseAuthorship(text: string, what: string): Authorship {
  const match = /^([^<>\n]*) <([^<>\n]*)> (\d{1,11}) ([+-])(\d\d)([0-5]\d)$/.exec(text);
  if (match === null) throw malformed(what);
  const [, name = '', email = '', seconds, sign, hours, minutes] = match;
  const offset = Number(hours) * 60 + Number(minutes);
  return { name, email, at: Number(seconds) * 1000, offsetMinutes: sign === '-' ? -offset : offset };
}

function malformed(what: string): MbkError {
  return new MbkError('value-invalid', `${what} is not a Git object as this format writes them`);
}
