import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, describe } from 'vitest';
import { expectSameTree, locationOf } from './judges.ts';
import { test, type Site } from './site.ts';

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

/** Names as their bytes, in latin1. */
const hostileNames: readonly string[] = [
  'new\nline',
  '\n',
  '-rf',
  '--overwrite=always',
  '\xff\xfe\x80 not UTF-8',
  bytes('é').repeat(127) + 'x', // 255 bytes
  'a'.repeat(255),
  '%41',
  '%2e%2e',
  '..x',
  '...',
  '.hidden',
  'tab\there',
  'back\\slash',
  '\\x41',
  `quotes'"\``,
  '$(touch owned)',
  '*?[x]',
  ' spaces ',
  '\x1b[31mred\x1b[0m',
  '\x1b]0;title\x07',
  'rubout\x7f\r',
  bytes('😀 smile'),
  bytes('e\u0301 combining'),
  bytes('\u00e9 combining'),
  bytes('\u202etxt.exe'),
  'UPPER',
  'upper',
  'NUL',
  'c:',
  'a:b',
  '{hex}',
];

describe('names that mean something to shells, terminals, paths or formats', () => {
  test('files, folders and links come back by their bytes', async ({ site }) => {
    makeHostile(site.project);
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    await site.mbk(['checkout', 'lab', '--to', join(site.folder, 'restored'), '--verify']);
    expectSameTree(join(site.folder, 'restored'), site.project);
    // The second time they are known: by the stat cache or by what is stored.
    const { newBytes } = await site.json<{ newBytes: number }>(['snapshot', '.', '--domain', 'lab']);
    expect(newBytes).toBe(0);
  });

  test('nothing that is printed steers the terminal', async ({ site }) => {
    makeHostile(site.project);
    const message = 'red \x1b[31m alert \x07 \u202e';
    await expectPlain(site, ['snapshot', '.', '--domain', 'lab', '-m', message]);
    await expectPlain(site, ['log']);
    await expectPlain(site, ['show', 'lab']);
    await expectPlain(site, ['ls', 'lab', '--recursive']);
    await expectPlain(site, ['ls', 'lab', '--recursive', '--long']);
    await expectPlain(site, ['checkout', 'lab', '--to', join(site.folder, 'restored \x1b[31m'), '--dry-run']);
    await expectPlain(site, ['cat', 'lab:no \x1b[31m such'], 1);
    await expectPlain(site, ['show', 'no \x1b[31m such'], 1);
    await expectPlain(site, ['snapshot', '--no-\x1b[31m'], 2);
    await expectPlain(site, ['sn\x1b[31m'], 2);
    site.write('mbk.yaml', 'rules:\n  - { match: "**", collection: other/files, domain: lab }\n');
    writeFileSync(join(site.project, 'added \x1b[31m'), '');
    await expectPlain(site, ['status', '--all']);
    await expectPlain(site, ['diff', 'lab']);
  });

  test('a name is written as it was printed', async ({ site }) => {
    makeHostile(site.project);
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    for (const [printed, name] of [
      ['new\\nline', 'new\nline'],
      ['\\xff\\xfe\\x80 not UTF-8', '\xff\xfe\x80 not UTF-8'],
      ['back\\\\slash', 'back\\slash'],
      ['\\x1b[31mred\\x1b[0m', '\x1b[31mred\x1b[0m'],
    ] as const) {
      const { stdout } = await site.mbk(['ls', `lab:folders/${printed}`]);
      expect(stdout).toBe(`folders/${printed}/${printed}\n`);
      const content = await site.mbk(['cat', `lab:files/${printed}`]);
      expect(content.stdout).toBe(contentOf(name));
    }
  });
});

/** Each name as that of a file, of a folder and the file in it, and of a link and what it points to. */
function makeHostile(project: string): void {
  for (const folder of ['files', 'folders', 'links']) mkdirSync(join(project, folder));
  for (const name of hostileNames) {
    writeFileSync(locationOf(project, `files/${name}`), contentOf(name));
    mkdirSync(locationOf(project, `folders/${name}`));
    writeFileSync(locationOf(project, `folders/${name}/${name}`), contentOf(name));
    symlinkSync(Buffer.from(name, 'latin1'), locationOf(project, `links/${name}`));
  }
}

function contentOf(name: string): string {
  return `content of ${Buffer.from(name, 'latin1').toString('hex')}\n`;
}

/** Runs it for people and for programs; control characters other than line ends are in neither output. */
async function expectPlain(site: Site, args: readonly string[], code = 0): Promise<void> {
  const steering = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;
  for (const more of [[], ['--json']]) {
    const { stdout, stderr } = await site.mbk([...args, ...more], { code });
    const lines = `${stdout}${stderr}`.split('\n');
    expect(lines.filter((line) => steering.test(line))).toEqual([]);
    expect(lines.length).toBeGreaterThan(1);
  }
}
