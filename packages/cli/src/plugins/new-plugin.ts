/** The files of a new plugin: plain JavaScript that works as it is, with its tests. */

export type NewPluginFiles = Readonly<Record<string, string>>;

/** Whether a plugin may be called so. */
export function isPluginName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,63}$/.test(name);
}

/** Contents by path. */
export function newPlugin(name: string, sdkVersion: string): NewPluginFiles {
  const manifest = {
    name: `mbk-plugin-${name}`,
    version: '0.1.0',
    description: `An mbk plugin for ${name} files`,
    type: 'module',
    files: ['index.js', 'samples'],
    exports: './index.js',
    mbk: { plugins: ['./index.js'] },
    scripts: { test: 'node --test' },
    devDependencies: { '@mbk/plugin-sdk': sdkVersion },
  };
  return {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    'index.js': indexText(name),
    'test/conformance.test.js': testText(name),
    [`samples/small.${name}`]: `${name} 1\nhello\n`,
    'README.md': readmeText(name),
  };
}

function indexText(name: string): string {
  return `// An mbk plugin: which files it knows, what one is, and what is wrong with one. See docs/plugins.md of mbk.
// This one knows text files that begin with the line "${name} 1"; make it yours.

const head = '${name} 1\\n';
const mostBytes = 1_048_576;

/** @type {import('@mbk/plugin-sdk').Plugin} */
export const plugin = {
  apiVersion: 1,
  name: '${name}',
  version: '0.1.0', // change it whenever an answer changes
  description: 'Text files of the kind ${name}',
  match: [{ kind: 'data/${name.slice(0, 32)}', extensions: ['.${name}'] }],

  /** Facts: small, the same each time, of this file alone. */
  async inspect(reader, { signal }) {
    const text = await readText(reader, signal);
    if (text === undefined) return undefined;
    const lines = text.split('\\n').length - 1;
    return { summary: \`${name}, \${lines} lines\`, facts: { lines } };
  },

  /** Findings: an error is what a reader of such files would refuse. */
  async validate(reader, { signal }) {
    const text = await readText(reader, signal);
    if (text === undefined || !text.startsWith(head)) {
      return [{ code: '${name}/head', severity: 'error', message: 'the file does not begin with "${name} 1"', offset: 0 }];
    }
    return [];
  },
};

/** Files are hostile: sizes are checked before anything is read. */
async function readText(reader, signal) {
  signal.throwIfAborted();
  if (reader.size === 0 || reader.size > mostBytes) return undefined;
  return new TextDecoder().decode(await reader.read(0, reader.size, { signal }));
}
`;
}

function testText(name: string): string {
  return `import { pluginConformance } from '@mbk/plugin-sdk/testing';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { plugin } from '../index.js';

const expect = (actual) => ({ toEqual: (expected) => assert.deepEqual(plain(actual), plain(expected)) });
/** A member that is undefined is one that is absent. */
const plain = (value) =>
  Array.isArray(value)
    ? value.map(plain)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, plain(one)]])))
      : value;

const bytes = new Uint8Array(readFileSync(new URL('../samples/small.${name}', import.meta.url)));
pluginConformance({ describe, test, expect }, plugin, { samples: [{ path: 'small.${name}', bytes, hasLayout: false }] });
`;
}

function readmeText(name: string): string {
  return `# mbk-plugin-${name}

\`mbk plugins check .\` runs the conformance suite over the files in \`samples\`; \`npm test\` does so under Node's own test runner.

\`npm pack\`, then \`mbk plugins install ./mbk-plugin-${name}-0.1.0.tgz\`.
`;
}
