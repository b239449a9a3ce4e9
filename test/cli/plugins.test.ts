/** Plugins of third parties: made, checked, packed, installed and removed the way their authors and users do it, without network. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../docs/markdown.ts';
import { runHere } from '../run-here.ts';
import type { Ended } from '../run-program.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'mbk-plugins-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function mbk(args: readonly string[], cwd = folder): Promise<Ended> {
  const env = {
    MBK_STATE_DIR: join(folder, 'state'),
    MBK_CACHE_DIR: join(folder, 'cache'),
    npm_config_cache: join(folder, 'npm'),
    npm_config_offline: 'true',
  };
  return runHere(args, { cwd, env });
}

test('a new plugin passes the conformance suite as it is, and a broken one does not', async () => {
  expect((await mbk(['plugins', 'create', 'notes'])).code).toBe(0);
  const own = join(folder, 'mbk-plugin-notes');
  const checked = await mbk(['plugins', 'check', own]);
  expect(checked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+ tests passed\n$/) as string });
  expect((await mbk(['plugins', 'create', 'notes'])).stderr).toContain('cannot be written');
  expect((await mbk(['plugins', 'create', 'No'])).code).toBe(2);

  writeFileSync(join(own, 'samples/other.bin'), 'not of its kind');
  const failed = await mbk(['plugins', 'check', own]);
  expect(failed.code).toBe(3);
  expect(failed.stdout).toContain('other.bin › is matched by its path and first bytes');
  const absent = await mbk(['plugins', 'check', join(own, 'package.json')]);
  expect(absent).toMatchObject({ code: 1 });
});

test('the example plugin is checked, packed, installed from its tarball, listed and removed', async () => {
  const example = join(root, 'docs/examples/plugin-tokenizer');
  expect(await mbk(['plugins', 'check', example])).toMatchObject({ code: 0 });
  const env = { PATH: process.env['PATH'], HOME: folder, npm_config_cache: join(folder, 'npm') };
  const pack = ['pack', '--silent', '--pack-destination', folder];
  const tarball = execFileSync('npm', pack, { cwd: example, env, encoding: 'utf8' }).trim();

  const project = join(folder, 'project');
  mkdirSync(project);
  const installed = await mbk(['plugins', 'install', `../${tarball}`, '--json'], project);
  expect(installed).toMatchObject({ code: 0, stderr: '' });
  const { plugins } = JSON.parse(installed.stdout) as { readonly plugins: readonly { readonly module: string }[] };
  expect(plugins).toMatchObject([{ name: 'tokenizer', version: '1.0.0', package: 'mbk-plugin-tokenizer' }]);
  const module = plugins[0]?.module ?? '';
  expect(module.startsWith(join(folder, 'state'))).toBe(true);

  expect((await mbk(['plugins', 'list'], project)).stdout).toMatch(/tokenizer +1\.0\.0 +project +mbk-plugin-tokenizer/);
  expect((await mbk(['plugins', 'list'], folder)).stdout).not.toContain('mbk-plugin-tokenizer');
  expect(await findingsOf(module, { model: { type: 'BPE', vocab: { a: 0, b: 0 }, merges: ['a c'] } })).toEqual([
    ['tokenizer/id-twice', '/model/vocab/b'],
    ['tokenizer/merge-unknown', '/model/merges/0'],
  ]);
  const sample = JSON.parse(readFileSync(join(example, 'samples/tokenizer.json'), 'utf8')) as object;
  expect(await findingsOf(module, sample)).toEqual([]);

  // It is asked in its project, before the built-in ones, and nowhere else until it is installed for the user.
  const bad = JSON.stringify({ model: { type: 'BPE', vocab: { a: 0, b: 0 }, merges: [] } });
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  for (const place of [project, elsewhere]) writeFileSync(join(place, 'tokenizer.json'), bad);
  const found = await mbk(['validate', 'tokenizer.json'], project);
  expect(found).toMatchObject({ code: 3, stdout: expect.stringContaining('[tokenizer/id-twice]') as string });
  expect((await mbk(['validate', 'tokenizer.json'], elsewhere)).stdout).not.toContain('tokenizer/');
  expect((await mbk(['plugins', 'install', `../${tarball}`, '--user'], project)).code).toBe(0);
  expect((await mbk(['validate', 'tokenizer.json'], elsewhere)).stdout).toContain('[tokenizer/id-twice]');
  expect((await mbk(['plugins', 'remove', 'mbk-plugin-tokenizer', '--user'], project)).code).toBe(0);
  expect((await mbk(['validate', 'tokenizer.json'], elsewhere)).stdout).not.toContain('tokenizer/');

  expect((await mbk(['plugins', 'remove', 'mbk-plugin-tokenizer'], project)).code).toBe(0);
  expect(existsSync(module)).toBe(false);
  expect((await mbk(['plugins', 'remove', 'mbk-plugin-tokenizer'], project)).stderr).toContain('no package');
});

test('no script of a package runs, and one that is no plugin does not stay', async () => {
  const ran = join(folder, 'ran');
  const own = join(folder, 'bad');
  mkdirSync(own);
  const scripts = {
    preinstall: `touch ${ran}`,
    install: `touch ${ran}`,
    postinstall: `touch ${ran}`,
    prepare: `touch ${ran}`,
  };
  writeFileSync(join(own, 'package.json'), JSON.stringify({ name: 'bad', version: '1.0.0', scripts }));
  const refused = await mbk(['plugins', 'install', './bad', '--user']);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('names no plugin under `mbk.plugins`');
  expect(existsSync(ran)).toBe(false);
  expect(JSON.parse((await mbk(['plugins', 'list', '--json'])).stdout)).toMatchObject({ plugins: [] });
});

/** Codes and pointers of what the installed plugin finds in a document. */
async function findingsOf(module: string, document: object): Promise<unknown> {
  const { plugin } = (await import(pathToFileURL(module).href)) as {
    readonly plugin: {
      validate(
        reader: object,
        context: object,
      ): Promise<readonly { readonly code: string; readonly pointer: string }[]>;
    };
  };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const reader = {
    path: 'tokenizer.json',
    size: bytes.length,
    read: async (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
  const { signal } = new AbortController();
  return (await plugin.validate(reader, { signal })).map(({ code, pointer }) => [code, pointer]);
}
