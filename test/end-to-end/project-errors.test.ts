/** What plugins, hooks and Git hooks of a project can go wrong with, met through the program: each by its own code. */

import { errorTable } from '@mbk/core';
import type { ErrorCode } from '@mbk/core';
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { shell, test, type Site } from './site.ts';

const rules = 'rules:\n  - { match: "**", collection: models/all, domain: lab }\n';

/** The code and exit code that a call ends with, and the error's message. */
async function failureOf(
  site: Site,
  args: readonly string[],
): Promise<{ readonly code: string; readonly message: string }> {
  const { code: exit, stdout } = await site.start([...args, '--json']).ended;
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as { code: ErrorCode; message: string };
  expect([last.code, exit], stdout).toEqual([last.code, errorTable[last.code].exit]);
  return last;
}

function program(site: Site, path: string, script: string): void {
  site.write(path, `#!/bin/sh\n${script}\n`);
  chmodSync(join(site.project, path), 0o755);
}

describe('hooks', () => {
  test('that are not trusted, refuse, fail, or are none', async ({ site }) => {
    site.write('mbk.yaml', `${rules}hooks: { before-snapshot: ./ops/before }\n`);
    program(site, 'ops/before', 'exit 1');
    expect(await failureOf(site, ['snapshot'])).toMatchObject({ code: 'hooks-untrusted' });
    await site.mbk(['trust']);
    const refused = await failureOf(site, ['snapshot']);
    expect(refused).toMatchObject({ code: 'hook-refused', message: expect.stringContaining('ops/before') });

    site.write('mbk.yaml', `${rules}hooks: { after-snapshot: { program: ./ops/before, policy: error } }\n`);
    await site.mbk(['trust']);
    const failed = await failureOf(site, ['snapshot']);
    expect(failed).toMatchObject({ code: 'hook-failed', message: expect.stringContaining('ops/before') });
    expect(await site.json(['log'])).toMatchObject({ snapshots: [{ domain: 'lab' }] });

    site.write('mbk.yaml', rules);
    program(site, '.mbk/hooks/before-lunch', 'exit 0');
    const invalid = await failureOf(site, ['snapshot']);
    expect(invalid).toMatchObject({ code: 'hook-invalid', message: expect.stringContaining('before-lunch') });
  });
});

describe('plugins', () => {
  test('that are not trusted, cannot be used, or find what --strict stops at', async ({ site }) => {
    site.write('mbk.yaml', `${rules}plugins: { own: { module: ./own.mjs } }\n`);
    site.write('own.mjs', 'export const nothing = 1;\n');
    expect(await failureOf(site, ['snapshot', '--strict'])).toMatchObject({ code: 'plugins-untrusted' });
    await site.mbk(['trust']);
    const unusable = await failureOf(site, ['snapshot', '--strict']);
    expect(unusable).toMatchObject({ code: 'plugin-unusable', message: expect.stringContaining('own.mjs') });
    expect(await site.json(['log'])).toMatchObject({ snapshots: [] });

    site.write('mbk.yaml', rules);
    site.write('broken.gguf', 'GGUF, and no more of it');
    expect(await failureOf(site, ['snapshot', '--strict'])).toMatchObject({ code: 'validation-failed' });
    expect(await site.json(['log'])).toMatchObject({ snapshots: [] });
  });

  test('that cannot be loaded cost one finding each, never the snapshot', async ({ site }) => {
    const own = 'own: { module: ./own.mjs }, gone: { module: ./gone.mjs }, ends: { module: ./ends.mjs }';
    site.write('mbk.yaml', `${rules}plugins: { ${own} }\n`);
    site.write('own.mjs', 'throw new Error("not today");\n');
    site.write('gone.mjs', '');
    site.write('ends.mjs', 'process.exit(7);\n');
    await site.mbk(['trust']);
    rmSync(join(site.project, 'gone.mjs'));
    const { code, stdout } = await site.start(['snapshot', '--json']).ended;
    expect([code, stdout]).toEqual([3, expect.stringContaining('not today')]);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; code?: string });
    expect(lines.filter(({ code: what }) => what === 'host/plugin-unusable')).toHaveLength(3);
    expect(await site.json(['log'])).toMatchObject({ snapshots: [{ domain: 'lab' }] });
  });

  test('of third parties that are none, or not there', async ({ site }) => {
    site.write('folder/index.mjs', 'export const nothing = 1;\n');
    site.write('folder/package.json', '{ "name": "nothing", "version": "1.0.0", "main": "./index.mjs" }\n');
    expect(await failureOf(site, ['plugins', 'check', 'folder'])).toMatchObject({ code: 'plugin-invalid' });
    const failed = await failureOf(site, ['plugins', 'install', './absent.tgz', '--user']);
    expect(failed).toMatchObject({ code: 'plugin-install-failed', message: expect.stringContaining('absent.tgz') });
    const absent = await failureOf(site, ['plugins', 'remove', 'nobody', '--user']);
    expect(absent).toMatchObject({ code: 'plugin-absent', message: expect.stringContaining('nobody') });
  });
});

test('Git hooks outside of a repository, or where they would lose what somebody wrote', async ({ site }) => {
  const outside = await failureOf(site, ['hook', 'install', 'pre-push']);
  expect(outside).toMatchObject({ code: 'git-failed', message: expect.stringContaining(site.project) });
  shell('git init -q . && mkdir -p .git/hooks && echo : > .git/hooks/pre-push', site.project);
  await site.mbk(['hook', 'install', 'pre-push']);
  // Somebody writes over what mbk installed: neither it nor the hook that was there before may be lost.
  shell('echo : > .git/hooks/pre-push', site.project);
  const blocked = await failureOf(site, ['hook', 'install', 'pre-push']);
  expect(blocked).toMatchObject({ code: 'git-hook-blocked', message: expect.stringContaining('pre-push') });
});
