/**
 * Every code of the table of errors, met as a user meets it: through the program. Each case says what happened, to what,
 * and what to do. Codes that no test can bring about from outside stand below, each with the reason.
 */

import { errorTable } from '@mbk/core';
import type { ErrorCode } from '@mbk/core';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test as plainTest } from 'vitest';
import { readText } from '../docs/markdown.ts';
import { filesBelow } from './judges.ts';
import { test, type Site } from './site.ts';

interface Case {
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** What the message must name: a path, an id, what was typed. */
  readonly names: string | RegExp;
}

type Drive = (site: Site) => Promise<Case> | Case;

/** In this order, in one repository, which is more and more broken. */
const driven: Partial<Record<ErrorCode, Drive>> = {
  'slot-absent': () => ({ args: ['key', 'remove', 'nobody'], names: 'nobody' }),
  'slot-exists': async (site) => {
    await site.mbk(['key', 'add', '--recovery', '--name', 'spare']);
    return { args: ['key', 'add', '--recovery', '--name', 'spare'], names: 'spare' };
  },
  'object-unknown': () => ({ args: ['cat-object', 'ffff'], names: 'ffff' }),
  'tag-exists': async (site) => {
    await site.mbk(['tag', 'v1', 'lab']);
    return { args: ['tag', 'v1', 'lab'], names: 'lab/v1' };
  },
  'config-invalid': (site) => {
    const file = join(site.folder, 'bad.yaml');
    writeFileSync(file, 'domains: [a]\nrules: 7\n');
    return { args: ['status'], env: { MBK_CONFIG: file }, names: /bad\.yaml.*2/s };
  },
  'target-not-empty': (site) => ({ args: ['checkout', 'lab', '--to', site.project], names: site.project }),
  'target-failed': (site) => {
    const file = join(site.folder, 'no/such/folder/key');
    return { args: ['key', 'add', '--recovery', '--recovery-key-file', file], names: file };
  },
  'target-unsafe': (site) => {
    const target = join(site.folder, 'linked');
    mkdirSync(target);
    symlinkSync(site.folder, join(target, 'folder'));
    return { args: ['checkout', 'lab', '--to', target, '--overwrite', 'newer'], names: 'folder' };
  },
  'local-state-failed': (site) => {
    const file = join(site.folder, 'a file');
    writeFileSync(file, '');
    return { args: ['snapshot', '.', '--domain', 'lab'], env: { MBK_STATE_DIR: file }, names: file };
  },
  'format-unsupported': (site) => {
    const folder = copyOf(site, 'newer');
    changeRecord(folder, { version: 99 });
    return { args: ['log', '--repo', folder], names: /99/ };
  },
  'backend-failed': (site) => {
    const folder = copyOf(site, 'odd');
    rmSync(join(folder, 'packs'), { recursive: true });
    writeFileSync(join(folder, 'packs'), '');
    site.write('new.txt', 'new');
    return { args: ['snapshot', '.', '--domain', 'lab', '--repo', folder], names: 'packs' };
  },
  'log-rolled-back': async (site) => {
    const folder = copyOf(site, 'older');
    await site.mbk(['tag', 'v2', 'lab']);
    return { args: ['log', '--repo', folder], names: /entry|log/ };
  },
  'log-damaged': (site) => {
    const folder = copyOf(site, 'bad-log');
    for (const file of filesBelow(join(folder, 'log'))) flip(file);
    const fresh = { MBK_STATE_DIR: join(site.folder, 'state-2'), MBK_CACHE_DIR: join(site.folder, 'cache-2') };
    return { args: ['log', '--repo', folder], env: fresh, names: /entry/ };
  },
  'entry-damaged': (site) => {
    const folder = copyOf(site, 'bad-pack');
    flip(largest(join(folder, 'packs')));
    return { args: ['cat', 'lab:a.bin', '--repo', folder], names: /pack|blob/ };
  },
  'entry-absent': (site) => {
    const folder = copyOf(site, 'no-bundle');
    for (const name of ['catalogue', 'copy/catalogue'])
      if (existsSync(join(folder, name))) rmSync(join(folder, name), { recursive: true });
    return {
      args: ['show', 'lab', '--repo', folder],
      env: { MBK_CACHE_DIR: join(site.folder, 'cache-3') },
      names: /catalogue/,
    };
  },
  'blob-absent': async (site) => {
    rmSync(join(site.repository, 'packs'), { recursive: true });
    await site.mbk(['repair', 'index']);
    return { args: ['cat', 'lab:a.bin'], names: /[0-9a-f]{64}/ };
  },
};

/** Where the other tests of the program drive the rest. */
const drivenElsewhere: Partial<Record<ErrorCode, string>> = {
  'repository-absent': 'end-to-end/exit-codes',
  'repository-exists': 'end-to-end/exit-codes',
  'repository-unnamed': 'end-to-end/exit-codes',
  'secret-wrong': 'end-to-end/exit-codes',
  'secret-missing': 'cli/bad-input',
  'key-file-unsafe': 'cli/bad-input',
  'usage-invalid': 'end-to-end/exit-codes',
  'environment-invalid': 'end-to-end/exit-codes',
  'name-invalid': 'cli/bad-input',
  'source-absent': 'cli/bad-input',
  'revision-unknown': 'end-to-end/exit-codes',
  'path-absent': 'cli/bad-input',
  'slot-damaged': 'end-to-end/keys',
  'slot-last': 'end-to-end/keys',
  interrupted: 'end-to-end/interruption',
  'hooks-untrusted': 'end-to-end/project-errors',
  'hook-invalid': 'end-to-end/project-errors',
  'hook-refused': 'end-to-end/project-errors',
  'hook-failed': 'end-to-end/project-errors',
  'plugin-invalid': 'end-to-end/project-errors',
  'plugin-install-failed': 'end-to-end/project-errors',
  'plugin-absent': 'end-to-end/project-errors',
  'plugin-unusable': 'end-to-end/project-errors',
  'plugins-untrusted': 'end-to-end/project-errors',
  'validation-failed': 'end-to-end/project-errors',
  'git-failed': 'end-to-end/project-errors',
  'git-hook-blocked': 'end-to-end/project-errors',
};

/** Why no call of the program brings them about in a test. The tests of the core meet most of them. */
const notDriven: Partial<Record<ErrorCode, string>> = {
  'slot-ambiguous': 'needs two random ids of slots that begin alike',
  'revision-ambiguous': 'needs two commits that begin with the same four digits: some hundreds of snapshots',
  'role-denied': 'no command gives a role yet other than owner',
  'capture-expired': 'no command gives files up yet',
  'value-invalid': 'needs a record that a faulty program sealed with the right keys',
  'backend-read-short':
    'a pack that is cut is told as damaged, and this within the message; nothing else is read in parts',
  'codec-unknown': 'needs a frame that a newer program sealed',
  'operation-unknown': 'needs a log entry that a newer program signed',
  'log-race-lost': 'needs other writers that are faster every time',
  'backend-full': 'needs a file system without room',
  'backend-read-only': 'needs a file system that is mounted read-only',
  'backend-denied': 'root, who may run the tests, is never denied anything',
  'backend-no-hard-links': 'needs a file system without hard links',
  'target-collision': 'needs a file system that does not tell upper from lower case',
  'self-test-failed': 'needs a machine that computes wrongly',
  internal: 'needs a mistake in mbk',
};

test('every error that can be brought about says what happened, to what, and what to do', async ({ site }) => {
  site.write(
    'a.bin',
    new Uint8Array(300_000).map((_, at) => (at * 7919) >> 3),
  );
  site.write('folder/b.txt', 'b');
  await site.mbk(['snapshot', '.', '--domain', 'lab']);
  for (const [code, drive] of Object.entries(driven)) {
    const { args, env, names } = await drive(site);
    const { exit } = errorTable[code as ErrorCode];
    const { code: ended, stdout } = await site.start([...args, '--json'], env === undefined ? {} : { env }).ended;
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Said);
    const said = lines.find((line) => line.code !== undefined) ?? {};
    // A file that cannot be restored is a finding, and the checkout goes on.
    expect
      .soft({ code: said.code, exit: ended }, `${code}: ${stdout}`)
      .toEqual({ code, exit: said.type === 'finding' ? 3 : exit });
    expect.soft(said.message, code).toMatch(names);
    if (said.type === 'error') expect.soft(said.remedy, code).toMatch(/^[A-Z`].*\.$/s);
  }
});

interface Said {
  readonly type?: string;
  readonly code?: string;
  readonly message?: string;
  readonly remedy?: string;
}

plainTest('every code of the table is driven, or it is said why not', () => {
  const all = [driven, drivenElsewhere, notDriven].flatMap((codes) => Object.keys(codes));
  expect(all.toSorted()).toEqual(Object.keys(errorTable).toSorted());
  for (const [code, file] of Object.entries(drivenElsewhere))
    expect(readText(`test/${file}.test.ts`)).toContain(`'${code}'`);
});

function copyOf({ repository, folder }: Site, name: string): string {
  cpSync(repository, join(folder, name), { recursive: true });
  return join(folder, name);
}

/** Changes both copies of mbk.json. */
function changeRecord(folder: string, fields: object): void {
  for (const file of ['mbk.json', 'copy/mbk.json'].map((name) => join(folder, name))) {
    const record = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...record, ...fields }));
  }
}

function largest(folder: string): string {
  return filesBelow(folder).toSorted((a, b) => statSync(b).size - statSync(a).size)[0] ?? '';
}

/** Changes a byte in the middle of a file. */
function flip(file: string): void {
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}
