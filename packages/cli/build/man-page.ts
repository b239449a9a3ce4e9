/** The manual page: the commands as their help has them, exit codes and variables as docs/cli.md has them. */

import { readFileSync } from 'node:fs';
import { MbkCommand } from '../src/base-command.ts';
import { commandGroups, commandTable } from '../src/commands.ts';
import type { CommandClass } from '../src/commands.ts';
import { readPackage } from '../src/package.ts';

/** `mbk.1`, in the macros of man(7). */
export async function manPage(): Promise<string> {
  const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  const { version } = readPackage();
  const lines = [
    `.TH MBK 1 "" "mbk ${version}" "User Commands"`,
    '.SH NAME',
    'mbk \\- versioned, encrypted, deduplicating backups of machine\\-learning assets',
    '.SH SYNOPSIS',
    '.B mbk',
    '.I COMMAND',
    '[ARGUMENTS] [FLAGS]',
    '.br',
    '.B mbk help',
    '.I COMMAND',
  ];
  for (const group of commandGroups) {
    lines.push(`.SH ${escapeRoff(group.toUpperCase())}`);
    for (const [verb, row] of Object.entries(commandTable)) {
      if (row.group === group) lines.push(...commandLines(verb, row.summary, (await row.load()).default));
    }
  }
  lines.push('.SH FLAGS OF EVERY COMMAND', ...flagLines(MbkCommand.baseFlags));
  lines.push('.SH EXIT STATUS', ...tableLines(page, 'exit code'));
  lines.push('.SH ENVIRONMENT', ...tableLines(page, 'variable'));
  return `${lines.join('\n')}\n`;
}

function commandLines(verb: string, summary: string, command: CommandClass): string[] {
  // Of what a class does not have, oclif leaves the field undefined.
  const { description = '', usage, strict }: CommandClass = command;
  const { args, flags, examples } = withDefaults(command);
  const given = Object.entries(args).map(argumentText).join(' ');
  const words = typeof usage === 'string' ? usage : `${verb} ${strict ? given : given.replace(/(\]?)$/, '...$1')}`;
  return [
    `.SS "mbk ${escapeRoff(words.trim())}"`,
    `${escapeRoff(summary)}.`,
    '.PP',
    escapeRoff(description),
    ...flagLines(flags),
    ...(examples.length === 0
      ? []
      : ['.PP', 'Examples:', '.PP', '.nf', '.RS 4', ...examples.map(exampleText), '.RE', '.fi']),
  ];
}

function withDefaults(command: Partial<Pick<CommandClass, 'args' | 'flags' | 'examples'>>) {
  return { args: command.args ?? {}, flags: command.flags ?? {}, examples: command.examples ?? [] };
}

function argumentText([name, { required }]: [string, { readonly required?: boolean }]): string {
  return required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`;
}

function exampleText(example: unknown): string {
  return escapeRoff(String(example).replaceAll('<%= config.bin %>', 'mbk'));
}

function flagLines(flags: CommandClass['flags']): string[] {
  return Object.entries(flags).flatMap(([name, flag]) => {
    const long = flag.type === 'boolean' && flag.allowNo === true ? `--[no-]${name}` : `--${name}`;
    const names = flag.char === undefined ? [long] : [`-${flag.char}`, long];
    const value = flag.type === 'boolean' ? '' : ` ${valueText(name, flag)}`;
    return ['.TP', `.B ${escapeRoff(`${names.join(', ')}${value}`)}`, escapeRoff(flag.description ?? '')];
  });
}

function valueText(
  name: string,
  { helpValue, options }: { readonly helpValue?: unknown; readonly options?: readonly string[] },
): string {
  return options?.join('|') ?? (typeof helpValue === 'string' ? helpValue : name.toUpperCase());
}

/** The rows of the table of docs/cli.md whose first column is called so. */
function tableLines(page: string, head: string): string[] {
  const table =
    page
      .slice(page.indexOf(`\n| ${head} | `))
      .trimStart()
      .split('\n\n', 1)[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .flatMap((row) => {
      const [name = '', what = ''] = row.split('|').slice(1, -1);
      return ['.TP', `.B ${escapeRoff(plain(name))}`, escapeRoff(plain(what))];
    });
}

function plain(markdown: string): string {
  return markdown
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '')
    .trim();
}

/** Text as roff prints it: no character of it is a command. */
function escapeRoff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .split('\n')
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join('\n');
}
