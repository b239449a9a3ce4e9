import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandTable } from '../../packages/cli/src/commands.ts';
import { root } from '../docs/markdown.ts';

const packages = [
  'packages/kernels',
  'packages/plugin-sdk',
  'packages/core',
  'packages/cli',
  'plugins/gguf',
  'plugins/checkpoint',
  'plugins/config',
  'plugins/dataset',
];

/** What `npm pack` makes of each package lies in `node_modules` below it, with nothing else: no other package, no sources around. */
let prefix: string;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}
const manifests: Manifest[] = [];

beforeAll(() => {
  prefix = mkdtempSync(join(tmpdir(), 'mbk-packages-'));
  for (const path of packages) {
    const file = execFileSync('npm', ['pack', '--silent', '--pack-destination', prefix], {
      cwd: join(root, path),
      encoding: 'utf8',
    }).trim();
    const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as Manifest;
    const target = join(prefix, 'node_modules', manifest.name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', join(prefix, file), '-C', target, '--strip-components=1']);
    manifests.push(JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as Manifest);
  }
});
afterAll(() => rmSync(prefix, { recursive: true, force: true }));

function mbk(...args: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: join(prefix, 'home'),
    MBK_REPOSITORY: join(prefix, 'repository'),
    MBK_STATE_DIR: join(prefix, 'state'),
    MBK_CACHE_DIR: join(prefix, 'cache'),
    ...(args[0] === 'init' ? {} : { MBK_KEY_FILE: join(prefix, 'key') }),
  };
  const script = join(prefix, 'node_modules/@mbk/cli/bin/mbk.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: '/',
    env,
    encoding: 'utf8',
  });
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' });
  return stdout;
}

describe('tarballs of npm', () => {
  test('name each other by version, as npm can install them', () => {
    const versions = new Map(manifests.map(({ name, version }) => [name, version]));
    for (const { name, dependencies = {} } of manifests) {
      for (const [dependency, version] of Object.entries(dependencies)) {
        expect(version, `${dependency} of ${name}`).toMatch(/^\d/);
        if (versions.has(dependency)) expect([name, version]).toEqual([name, versions.get(dependency)]);
      }
    }
  });

  test('are all that mbk needs to run, from any folder, in threads too', () => {
    const source = join(prefix, 'source');
    mkdirSync(source);
    const bytes = Buffer.alloc(3_000_000, 'some content that is not all the same ');
    writeFileSync(join(source, 'model.bin'), bytes);
    mbk('init', '--key-file', join(prefix, 'key'), '--no-recovery-key', '--no-config');
    mbk('snapshot', source, '--domain', 'lab', '--jobs', '2');
    mbk('verify', '--data', '--jobs', '2');
    mbk('checkout', 'lab', '--to', join(prefix, 'restored'), '--jobs', '2');
    expect(readFileSync(join(prefix, 'restored/model.bin')).equals(bytes)).toBe(true);
  });

  test('bring a manual page that has every command', () => {
    const page = readFileSync(join(prefix, 'node_modules/@mbk/cli/man/mbk.1'), 'utf8');
    const titles = [...page.matchAll(/^\.SS "mbk (.*)"$/gm)].map(([, title = '']) => title.replaceAll('\\-', '-'));
    for (const verb of Object.keys(commandTable))
      expect(
        titles.some((title) => title === verb || title.startsWith(`${verb} `)),
        verb,
      ).toBe(true);
    expect(page).not.toContain('<%=');
  });
});
