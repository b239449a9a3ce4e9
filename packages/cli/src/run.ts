/** Finds the command that the words name and runs it; help and mistakes are answered here. */

import { settings } from './oclif.ts';
import type { Interfaces } from '@oclif/core';
import { errorTable, MbkError } from '@mbk/core';
import { fileURLToPath } from 'node:url';
import { outputOptions } from './base-command.ts';
import { commandTable } from './commands.ts';
import { nearest } from './nearest.ts';
import { makeOutput } from './output.ts';
import { readPackage } from './package.ts';

/** Runs `mbk` with `argv` (without program names); resolves with the exit code once everything is written. */
export async function run(argv: readonly string[]): Promise<number> {
  if (argv[0] === '__complete') return answerShell(argv.slice(argv[1] === '--' ? 2 : 1));
  const words = verbFirst(argv);
  const helpVerb = askedHelp(words);
  const verb = findVerb(helpVerb ?? words);
  if (verb === undefined && (helpVerb === undefined ? topicOf(words) === undefined : isOverview(helpVerb))) {
    const { renderOverview } = await import('./help.ts');
    process.stdout.write(renderOverview(helpVerb?.[0], readPackage().version, process.stdout.columns));
    return 0;
  }
  const row = verb === undefined ? undefined : commandTable[verb];
  if (verb === undefined || row === undefined) return failUnknown(helpVerb ?? words, argv);

  const { default: CommandClass } = await row.load();
  CommandClass.id = verb.replaceAll(' ', ':');
  CommandClass.summary = row.summary;
  if (helpVerb !== undefined) {
    const { renderCommandHelp } = await import('./help.ts');
    process.stdout.write(await renderCommandHelp(CommandClass, loadOptions()));
    return 0;
  }
  settings.enableAutoTranspile = false;
  await CommandClass.run(words.slice(verb.split(' ').length), loadOptions());
  return typeof process.exitCode === 'number' ? process.exitCode : 0;
}

/** What may stand at the cursor of a shell: see `mbk completion`. */
async function answerShell(words: readonly string[]): Promise<number> {
  const { complete, renderCompletion } = await import('./complete.ts');
  process.stdout.write(renderCompletion(await complete(words)));
  return 0;
}

/** What oclif reads of a package: handed over, so that it searches for nothing. */
function loadOptions(): Interfaces.Options {
  return { root: fileURLToPath(new URL('..', import.meta.url)), pjson: readPackage() as Interfaces.PJSON };
}

/** Global flags may stand before the verb: they are moved behind its words. */
function verbFirst(argv: readonly string[]): string[] {
  let at = 0;
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '-r' || word === '--repo') at += 1;
    else if (!['--json', '--quiet', '-q'].includes(word) && !word.startsWith('--repo=') && !/^-r./.test(word)) break;
  }
  const rest = argv.slice(at);
  const verb = findVerb(rest);
  const length = verb === undefined ? rest.length : verb.split(' ').length;
  return [...rest.slice(0, length), ...argv.slice(0, at), ...rest.slice(length)];
}

/** The longest row of the table that `words` begin with. */
function findVerb(words: readonly string[]): string | undefined {
  for (const length of [3, 2, 1]) {
    const verb = words.slice(0, length).join(' ');
    if (words.length >= length && Object.hasOwn(commandTable, verb)) return verb;
  }
  return undefined;
}

/** The words that help was asked for: `help VERB`, `VERB --help`, `VERB -h`; undefined when it was not asked for. */
function askedHelp(words: readonly string[]): readonly string[] | undefined {
  if (words[0] === 'help') return words.slice(1);
  const end = words.indexOf('--');
  const before = end === -1 ? words : words.slice(0, end);
  return before.includes('--help') || before.includes('-h')
    ? before.filter((word) => word !== '--help' && word !== '-h')
    : undefined;
}

/** Nothing but flags, or the first word of longer verbs alone, such as `key`. */
function isOverview(words: readonly string[]): boolean {
  const topic = topicOf(words);
  return topic === undefined || (words.length === 1 && verbsOf(topic).length > 0);
}

/** The verbs that begin with this word and have another. */
function verbsOf(topic: string): string[] {
  return Object.keys(commandTable).filter((verb) => verb.startsWith(`${topic} `));
}

const topicOf = (words: readonly string[]): string | undefined => words.find((word) => !word.startsWith('-'));

/** Words that other tools have for commands of this one. */
const namedElsewhere: Readonly<Record<string, string>> = {
  add: 'snapshot',
  backup: 'snapshot',
  check: 'verify',
  commit: 'snapshot',
  create: 'snapshot',
  du: 'usage',
  export: 'catalogue export',
  extract: 'checkout',
  fsck: 'verify',
  history: 'log',
  list: 'log',
  restore: 'checkout',
  save: 'snapshot',
  search: 'find',
  snapshots: 'log',
  stats: 'usage',
  tree: 'ls',
};

function failUnknown(words: readonly string[], argv: readonly string[]): number {
  makeOutput(outputOptions(argv, process.env), process).error(
    unknownCommand(words.filter((word) => !word.startsWith('-'))),
  );
  return errorTable['usage-invalid'].exit;
}

function unknownCommand(words: readonly string[]): MbkError {
  const [first = ''] = words;
  const verbs = verbsOf(first);
  if (verbs.length > 0 && words.length === 1) {
    return new MbkError('usage-invalid', `\`mbk ${first}\` needs another word`, {
      remedy: `There is ${verbs.map((verb) => `\`mbk ${verb}\``).join(', ')}; see \`mbk help ${first}\`.`,
      details: { command: first },
    });
  }
  const called = words.slice(0, verbs.length > 0 ? 2 : 1).join(' ');
  const meant = Object.hasOwn(namedElsewhere, called)
    ? namedElsewhere[called]
    : nearest(called, Object.keys(commandTable));
  return new MbkError('usage-invalid', `unknown command: ${called}`, {
    remedy: `${meant === undefined ? '' : `Did you mean \`mbk ${meant}\`? `}See \`mbk --help\` for all commands.`,
    details: { command: called, ...(meant === undefined ? {} : { meant }) },
  });
}
