/**
 * What a word on the command line could be, for the shells: `mbk __complete -- WORDS`, the last of which is the one that
 * is being written. Asks for no passphrase and opens no repository: names are those that this host has seen.
 */

import { readRepositoryId } from '@mbk/core';
import { join } from 'node:path';
import { MbkCommand } from './base-command.ts';
import { commandTable } from './commands.ts';
import type { CommandClass } from './commands.ts';
import { readEnvironment } from './environment.ts';
import { readKnownNames } from './known-names.ts';
import { findProject, findRepository, makeBackend } from './open.ts';

export interface Candidate {
  readonly word: string;
  readonly about?: string | undefined;
}

/** Candidates, or that the shell is to complete files. */
export type Completion = readonly Candidate[] | 'files';

/** Where arguments of a command are revisions, from that place on. */
const revisionsFrom: Readonly<Record<string, number>> = {
  checkout: 0,
  log: 0,
  show: 0,
  ls: 0,
  cat: 0,
  diff: 0,
  verify: 0,
  find: 1,
  tag: 1,
};
/** Flags whose value is the name of a domain, or of a tag. */
const domainFlags: readonly string[] = ['domain'];
const tagFlags: readonly string[] = ['delete'];
/** Commands whose only argument is the name of a domain. */
const ofOneDomain: readonly string[] = ['status', 'usage'];
/** Only the first argument is a revision; files of the project come behind it. */
const onlyFirst: readonly string[] = ['checkout', 'log', 'show', 'ls', 'cat'];

export async function complete(words: readonly string[]): Promise<Completion> {
  const current = words.at(-1) ?? '';
  return startingWith(await candidates(words.slice(0, -1), current), current);
}

async function candidates(before: readonly string[], current: string): Promise<Completion> {
  const verb = verbOf(before);
  const nextWords = nextVerbWords(before, verb);
  if (verb === undefined) return nextWords;
  const { default: command } = (await commandTable[verb]?.load()) ?? { default: undefined };
  if (command === undefined) return [];
  const flags = flagsOf(command);
  const after = before.slice(verb.split(' ').length);
  const previous = after.at(-1) ?? '';
  const taking = after.includes('--')
    ? undefined
    : flags.find((flag) => flag.takesValue && flag.names.includes(previous));
  if (taking !== undefined) return valuesOf(verb, taking, before);
  if (current.startsWith('-') && !after.includes('--')) {
    const unused = flags.filter(
      ({ names, isRepeatable }) => isRepeatable || !names.some((name) => after.includes(name)),
    );
    return unused.map(({ name, about }) => ({ word: `--${name}`, about }));
  }
  const place = countArguments(after, flags);
  const found = [...(place === 0 ? nextWords : []), ...(await argumentsOf(verb, place, before))];
  return found.length > 0 ? found : 'files';
}

function startingWith(completion: Completion, current: string): Completion {
  if (completion === 'files') return completion;
  return completion.filter(({ word }) => word.startsWith(current));
}

/** The command that the words name; undefined where more words are needed. */
function verbOf(words: readonly string[]): string | undefined {
  return [3, 2, 1]
    .filter((length) => words.length >= length)
    .map((length) => words.slice(0, length).join(' '))
    .find((verb) => Object.hasOwn(commandTable, verb));
}

/** Words that lead to a command from here. */
function nextVerbWords(before: readonly string[], verb: string | undefined): Candidate[] {
  if (verb !== undefined && before.length !== verb.split(' ').length) return [];
  const found = new Map<string, string | undefined>();
  for (const [name, { summary }] of Object.entries(commandTable)) {
    const words = name.split(' ');
    const next = words[before.length];
    if (next === undefined || before.some((word, at) => word !== words[at])) continue;
    found.set(next, words.length === before.length + 1 ? summary : found.get(next));
  }
  return [...found].map(([word, about]) => ({ word, about }));
}

interface KnownFlag {
  readonly name: string;
  /** As they are written: `--domain`, `-d`. */
  readonly names: readonly string[];
  readonly about: string | undefined;
  readonly takesValue: boolean;
  readonly isRepeatable: boolean;
  readonly options: readonly string[];
}

function flagsOf(command: CommandClass): KnownFlag[] {
  const all = { ...command.flags, ...MbkCommand.baseFlags };
  return Object.entries(all).map(([name, flag]) => ({
    name: flag.type === 'boolean' && flag.allowNo === true && flag.default === true ? `no-${name}` : name,
    names: [`--${name}`, ...(flag.char === undefined ? [] : [`-${flag.char}`])],
    about: flag.description,
    takesValue: flag.type === 'option',
    isRepeatable: flag.type === 'option' && flag.multiple === true,
    options: flag.type === 'option' ? (flag.options ?? []) : [],
  }));
}

/** How many arguments stand among the words. */
function countArguments(words: readonly string[], flags: readonly KnownFlag[]): number {
  let count = 0;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) count += 1;
    else if (flags.some(({ names, takesValue }) => takesValue && names.includes(word))) at += 1;
  }
  return count;
}

async function valuesOf(verb: string, { name, options }: KnownFlag, before: readonly string[]): Promise<Completion> {
  if (options.length > 0) return options.map((word) => ({ word }));
  if (domainFlags.includes(name)) return (await knownNames(before)).domains.map((word) => ({ word }));
  if (verb === 'tag' && tagFlags.includes(name)) return (await knownNames(before)).tags.map((word) => ({ word }));
  return 'files';
}

async function argumentsOf(verb: string, place: number, before: readonly string[]): Promise<readonly Candidate[]> {
  if (verb === 'completion') return place === 0 ? ['bash', 'zsh', 'fish'].map((word) => ({ word })) : [];
  if (verb === 'tag' && place === 0) return [{ word: 'list', about: 'List tags' }];
  if (ofOneDomain.includes(verb)) {
    return place === 0 ? (await knownNames(before)).domains.map((word) => ({ word, about: 'domain' })) : [];
  }
  const from = revisionsFrom[verb];
  if (from === undefined || place < from || (onlyFirst.includes(verb) && place > 0)) return [];
  const { domains, tags } = await knownNames(before);
  return [...domains.map((word) => ({ word, about: 'domain' })), ...tags.map((word) => ({ word, about: 'tag' }))];
}

interface Names {
  readonly domains: readonly string[];
  readonly tags: readonly string[];
}

/** Those of the repository that the words, the environment or `mbk.yaml` name; and domains of `mbk.yaml`. */
async function knownNames(words: readonly string[]): Promise<Names> {
  try {
    const environment = readEnvironment(process.env);
    const cwd = process.cwd();
    const project = await findProject(environment, cwd);
    const known = await namesOfRepository(words).catch(() => ({ domains: [], tags: [] }));
    return { domains: [...new Set([...known.domains, ...(project?.domains ?? [])])].toSorted(), tags: known.tags };
  } catch {
    // Nothing can be said while a line is being written; the command itself tells what is wrong.
    return { domains: [], tags: [] };
  }
}

async function namesOfRepository(words: readonly string[]): Promise<Names> {
  const environment = readEnvironment(process.env);
  const at = words.findIndex((word) => word === '-r' || word === '--repo');
  const repo = at === -1 ? words.find((word) => word.startsWith('--repo='))?.slice('--repo='.length) : words[at + 1];
  const folder = await findRepository({ repo, environment, cwd: process.cwd() });
  const { repository } = await readRepositoryId(makeBackend(folder));
  return readKnownNames(join(environment.stateFolder, repository));
}

/** As the scripts of `mbk completion` read it: a candidate a line, `word<tab>what it is`; or `:files`. */
export function renderCompletion(completion: Completion): string {
  if (completion === 'files') return ':files\n';
  return completion
    .map(({ word, about }) => (about === undefined ? `${word}\n` : `${word}\t${about.replace(/\s+/g, ' ')}\n`))
    .join('');
}
