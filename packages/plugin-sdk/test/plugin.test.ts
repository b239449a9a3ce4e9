import { describe, expect, test } from 'vitest';
import { definePlugin, type Plugin } from '../src/index.ts';

const valid: Plugin = {
  apiVersion: 1,
  name: 'onnx',
  version: '0.3.0',
  match: [{ kind: 'model/onnx', extensions: ['.onnx'] }],
  layout: async () => undefined,
};

describe('definePlugin', () => {
  test('returns the very plugin', () => {
    expect(definePlugin(valid)).toBe(valid);
  });

  test('leaves members of a later version alone', () => {
    const later = { ...valid, foresee: () => undefined };
    expect(definePlugin(later)).toBe(later);
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /expected a plugin object, got undefined/],
    ['another apiVersion', { ...valid, apiVersion: 2 }, /expected apiVersion 1, got 2/],
    ['a name with spaces', { ...valid, name: 'my plugin' }, /expected a plugin name .*got "my plugin"/],
    ['no version', { ...valid, version: 'latest' }, /expected a semantic version/],
    ['no rules', { ...valid, match: [] }, /at least one match rule, got a list of 0/],
    ['a rule without a kind', { ...valid, match: [{ extensions: ['.x'] }] }, /match\[0\]: expected a kind/],
    ['a rule that fits all', { ...valid, match: [{ kind: 'a/b' }] }, /expected extensions, globs or magic, got none/],
    ['an extension without dot', { ...valid, match: [{ kind: 'a/b', extensions: ['pt'] }] }, /got "pt"/],
    ['a misspelt member', { ...valid, match: [{ kind: 'a/b', extension: ['.pt'] }] }, /unknown member "extension"/],
    ['odd magic', { ...valid, match: [{ kind: 'a/b', magic: [{ offset: 0, bytes: 'abc' }] }] }, /got "abc"/],
    ['magic far away', { ...valid, match: [{ kind: 'a/b', magic: [{ offset: 9000, bytes: 'ab' }] }] }, /got 9000/],
    ['a layout that is no function', { ...valid, layout: {} }, /to be a function, got an object/],
  ])('refuses %s', (_, plugin, message) => {
    expect(() => definePlugin(plugin as Plugin)).toThrow(TypeError);
    expect(() => definePlugin(plugin as Plugin)).toThrow(message);
  });
});
