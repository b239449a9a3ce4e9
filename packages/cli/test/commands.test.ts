import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandGroups, commandTable } from '../src/commands.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');

/** Sections of the page by the verb in their heading, with the group that they stand under. */
function sections(): Map<string, { readonly group: string; readonly text: string }> {
  const found = new Map<string, { group: string; text: string }>();
  for (const part of page.split(/^## /m).slice(1)) {
    const group = part.slice(0, part.indexOf('\n'));
    for (const section of part.split(/^### mbk /m).slice(1)) {
      const end = section.indexOf('\n');
      found.set(section.slice(0, end), { group, text: section.slice(end) });
    }
  }
  return found;
}

describe('docs/cli.md', () => {
  const verbs = Object.keys(commandTable);

  test('describes every command, in its group, and no other', () => {
    const described = [...sections()].map(([verb, { group }]) => `${group}: ${verb}`);
    expect(described.toSorted()).toEqual(verbs.map((verb) => `${commandTable[verb]?.group}: ${verb}`).toSorted());
    expect(commandGroups.filter((group) => page.includes(`\n## ${group}\n`))).toEqual(commandGroups);
  });

  test.each(verbs)('has every flag of %s, and no other', async (verb) => {
    const { text = '' } = sections().get(verb) ?? {};
    const loaded = await commandTable[verb]?.load();
    const flags = Object.entries(loaded?.default.flags ?? {}).map(([name, flag]) => {
      const isOn = flag.type === 'boolean' && flag.allowNo === true && flag.default === true;
      const long = `--${isOn ? 'no-' : ''}${name}`;
      return flag.char === undefined ? long : `-${flag.char} ${long}`;
    });
    const rows = [...text.matchAll(/^\| (?:`(-\w)`, )?`(--[a-z-]+)(?: [^`]+)?` \|/gm)];
    expect(
      rows.map(([, char, long]) => [char, long].filter((part) => part !== undefined).join(' ')).toSorted(),
    ).toEqual(flags.toSorted());
  });
});
