import { expect, test } from 'vitest';
import { manPage } from '../build/man-page.ts';
import { commandTable } from '../src/commands.ts';

test('the manual page has every command with every flag, exit code and variable', async () => {
  const page = (await manPage()).replaceAll('\\-', '-');
  for (const [verb, row] of Object.entries(commandTable)) {
    const section = page.split(/^\.S[SH] /m).find((part) => part.startsWith(`"mbk ${verb}`)) ?? '';
    expect(section, verb).toContain(row.summary);
    const { default: command } = await row.load();
    for (const name of Object.keys(command.flags ?? {}))
      expect(section, verb).toMatch(new RegExp(`^\\.B .*${name}`, 'm'));
  }
  for (const text of ['.B 130', '.B MBK_EXPECT_HEAD', '--repo']) expect(page).toContain(text);
  // No line of text is taken for a command, and none for the end of one.
  for (const line of page.split('\n').filter((one) => one.startsWith('.')))
    expect(line).toMatch(/^\.(TH|SH|SS|TP|PP|B|I|br|nf|fi|RS|RE)\b/);
});
