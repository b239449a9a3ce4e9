/** Help: the overview from the command table, and the page of one command as oclif lays it out. */

import { CommandHelp, Config } from '@oclif/core';
import type { Command, Interfaces } from '@oclif/core';
import { commandGroups, commandTable } from './commands.ts';
import type { CommandClass } from './commands.ts';
import { wrapWords } from './terminal-width.ts';

/** The variables that most set; `docs/cli.md` has all. */
const variableLines = [
  '  MBK_REPOSITORY      the repository, where no mbk.yaml names it',
  '  MBK_PASSPHRASE_FILE, MBK_PASSPHRASE_COMMAND, MBK_KEY_FILE',
  '                      what opens it, where nobody can be asked',
];

const exitLines = [
  '  0 done, 1 failed, 2 wrong usage, 3 done but something needs a look,',
  '  10 no repository, 11 lost a race, 12 wrong passphrase or key, 13 not allowed,',
  '  20 damage, 130 interrupted',
];

/** All commands under their headings, or those of one topic such as `key`. */
export function renderOverview(topic: string | undefined, version: string, columns = 80): string {
  const rows = Object.entries(commandTable).filter(([verb]) => topic === undefined || verb.startsWith(`${topic} `));
  const width = Math.max(...rows.map(([verb]) => verb.length));
  const lines = [`mbk ${version}: versioned, encrypted backups of machine-learning assets`, ''];
  lines.push(`Usage: mbk ${topic ?? ''}${topic === undefined ? '' : ' '}COMMAND [ARGUMENTS] [FLAGS]`);
  for (const group of commandGroups) {
    const ofGroup = rows.filter(([, row]) => row.group === group);
    if (ofGroup.length === 0) continue;
    lines.push('', `${group}:`);
    for (const [verb, { summary }] of ofGroup) {
      const [first = '', ...more] = wrapWords(summary, columns - width - 4).split('\n');
      lines.push(`  ${verb.padEnd(width)}  ${first}`, ...more.map((line) => ' '.repeat(width + 4) + line));
    }
  }
  if (topic === undefined) lines.push('', 'Variables:', ...variableLines, '', 'Exit codes:', ...exitLines);
  lines.push('', 'Every command has --help, --json, --quiet and --repo.');
  return `${lines.map((line) => wrapWords(line, columns)).join('\n')}\n`;
}

/** The page of one command: usage, arguments, flags, description, examples. */
export async function renderCommandHelp(commandClass: CommandClass, options: Interfaces.Options): Promise<string> {
  const config = await Config.load(options);
  const { baseFlags, flags, args, id, description, summary, examples, strict, usage } = commandClass;
  // CommandHelp wants what a manifest holds; a class has all of it except the merged flags and the names in `args`.
  const named = Object.fromEntries(Object.entries(args).map(([name, arg]) => [name, { ...arg, name }]));
  const page = { id, args: named, description, examples, strict, usage, flags: { ...flags, ...baseFlags } };
  const help = new CommandHelp(page as unknown as Command.Loadable, config, {
    maxWidth: Math.min(process.stdout.columns ?? 100, 100),
    flagSortOrder: 'none',
  } as ConstructorParameters<typeof CommandHelp>[2]);
  return `${summary ?? ''}\n\n${help.generate()}\n`;
}
