import type { Manifest } from '@mbk/plugin-sdk';
import { expect, test } from 'vitest';
import { choosePlugins, type PluginCode } from '../../src/plugins/choose-plugins.ts';
import type { ProjectPlugin } from '../../src/plugins/project-plugins.ts';
import type { PluginSetting } from '../../src/project/config.ts';

const ownPlugin = (name: string): ProjectPlugin => ({
  name,
  place: `./${name}.js`,
  file: `/p/${name}.js`,
  module: name,
});

/** What a module says of itself is its name; `installed/x.js` is called x. */
async function describe(code: readonly PluginCode[]): Promise<readonly Manifest[]> {
  const options = { type: 'object', properties: { most: { type: 'integer', default: 3 } } } as const;
  return code.map(({ module }) => {
    const name = module.replace(/^.*\//, '').replace(/\.js$/, '');
    return { apiVersion: 1, name, version: '1.0.0', match: [{ kind: 'data/x', extensions: ['.x'] }], options };
  });
}

async function choose(
  plugins: Readonly<Record<string, PluginSetting>>,
  own: readonly ProjectPlugin[] = [],
  installed: readonly string[] = [],
): Promise<Readonly<Record<string, unknown>>> {
  const chosen = await choosePlugins({ config: { file: 'mbk.yaml', plugins }, own, installed, describe });
  return Object.fromEntries(chosen.map(({ manifest, options }) => [manifest.name, options]));
}
const builtIn = ['gguf', 'checkpoint', 'dataset', 'config'];

test('the plugins of the project come first, then installed ones, then the built-in ones in their order', async () => {
  expect(Object.keys(await choose({}))).toEqual(builtIn);
  const brought = { wav: { module: './wav.js' } };
  const chosen = await choose(brought, [ownPlugin('wav')], ['/i/notes.js', '/i/wav.js', '/i/gguf.js', '/u/notes.js']);
  expect(Object.keys(chosen)).toEqual(['wav', 'notes', 'gguf', 'checkpoint', 'dataset', 'config']);
});

test('any of them is turned off by its name', async () => {
  const off = { gguf: false, notes: false, dataset: false } as const;
  expect(Object.keys(await choose(off, [], ['/i/notes.js']))).toEqual(['checkpoint', 'config']);
});

test('options have the defaults of the schema, and are held against it', async () => {
  expect((await choose({}, [], ['/i/notes.js']))['notes']).toEqual({ most: 3 });
  expect((await choose({ notes: { options: { most: 7 } } }, [], ['/i/notes.js']))['notes']).toEqual({ most: 7 });
  for (const options of [{ most: 'x' }, { least: 1 }]) {
    await expect(choose({ notes: { options } }, [], ['/i/notes.js'])).rejects.toMatchObject({ code: 'config-invalid' });
  }
  await expect(choose({ gguf: { options: { a: 1 } } })).rejects.toMatchObject({ code: 'config-invalid' });
});

test('what a project brings and is not trusted is left out, and its namesake does not get its options', async () => {
  const brought = { notes: { module: './notes.js', options: { most: 9 } }, wav: { program: './wav' } };
  expect(Object.keys(await choose(brought))).toEqual(builtIn);
  expect((await choose(brought, [], ['/i/notes.js']))['notes']).toEqual({ most: 3 });
  expect((await choose(brought, [ownPlugin('notes')], ['/i/notes.js']))['notes']).toEqual({ most: 9 });
});

test('a plugin that is nowhere, or another than was named, is told', async () => {
  for (const setting of [true, { options: {} }]) {
    await expect(choose({ nowhere: setting })).rejects.toMatchObject({ code: 'config-invalid' });
  }
  const other = { ...ownPlugin('wav'), module: 'other' };
  await expect(choose({ wav: { module: './wav.js' } }, [other])).rejects.toMatchObject({ code: 'plugin-unusable' });
});
