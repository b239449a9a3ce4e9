import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addTrust, trustOf, untrustedParts } from '../../src/hooks/trust.ts';
import { codeSettings, describeProjectPlugins, findProjectPlugins } from '../../src/plugins/project-plugins.ts';
import type { PluginSetting } from '../../src/project/config.ts';

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mbk-project-plugins-'));
  root = join(folder, 'project');
});
afterEach(() => rmSync(folder, { recursive: true }));

type Settings = Readonly<Record<string, PluginSetting>>;

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}
const find = (plugins: Settings, path?: string) => findProjectPlugins({ plugins, root }, path);
const untrusted = (plugins: Settings, path?: string): readonly string[] =>
  untrustedParts(describeProjectPlugins(find(plugins, path), { plugins, root }), trustOf(folder, root));
function trust(plugins: Settings, path?: string): void {
  const described = describeProjectPlugins(find(plugins, path), { plugins, root });
  addTrust(folder, root, { hooks: null, ...described }, new Date(0));
}

test('only what has a module or a program is code of the project', () => {
  const plugins: Settings = {
    gguf: false,
    config: { options: { a: 1 } },
    a: { module: './a.js' },
    b: { program: 'b' },
  };
  expect(Object.keys(codeSettings({ plugins }))).toEqual(['a', 'b']);
  expect(codeSettings(undefined)).toEqual({});
});

test('modules are found from mbk.yaml, packages from its folder, programs there or on the PATH', () => {
  const module = write('project/tools/a.js', '');
  const program = write('project/tools/b', '');
  const onPath = write('bin/c', '');
  const own = write('project/node_modules/d/index.js', '');
  write('project/node_modules/d/package.json', '{ "name": "d", "main": "./index.js" }');
  const plugins: Settings = {
    a: { module: './tools/a.js' },
    b: { program: 'tools/b' },
    c: { program: 'c' },
    d: { module: 'd' },
  };
  const found = find(plugins, join(folder, 'bin'));
  expect(found.map(({ file, name }) => [name, file])).toEqual([
    ['a', module],
    ['b', program],
    ['c', onPath],
    ['d', own],
  ]);
  expect(found[2]?.argument).toEqual({ name: 'c', program: onPath });
});

test('what is not there is told by its name, and a relative entry of PATH finds nothing', () => {
  write('project/bin/a', '');
  for (const setting of [{ program: 'a' }, { program: './a' }, { module: './a.js' }, { module: 'absent' }]) {
    expect(() => find({ a: setting }, 'bin:.:'), JSON.stringify(setting)).toThrow(/plugin a/);
  }
});

test('trust ends when the settings, a module or a program of the project change, not when the system does', () => {
  const module = write('project/a.js', 'one');
  const system = write('bin/c', 'one');
  const path = join(folder, 'bin');
  const plugins: Settings = { gguf: false, a: { module: './a.js' }, c: { program: 'c' } };
  expect(untrusted(plugins, path)).toEqual(['nothing of this project is trusted yet']);
  trust(plugins, path);
  expect(untrusted(plugins, path)).toEqual([]);
  expect(untrusted({ ...plugins, gguf: true }, path)).toEqual([]);
  appendFileSync(system, 'two');
  expect(untrusted(plugins, path)).toEqual([]);
  appendFileSync(module, 'two');
  expect(untrusted(plugins, path)).toEqual([`${module} changed`]);
  trust(plugins, path);
  expect(untrusted({ ...plugins, a: { module: './a.js', options: { b: 1 } } }, path)).toEqual([
    '`plugins:` of mbk.yaml changed',
  ]);
});
