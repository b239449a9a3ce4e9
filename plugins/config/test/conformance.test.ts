import { pluginConformance } from '@mbk/plugin-sdk/testing';
import { describe, expect, test } from 'vitest';
import { plugin } from '../src/index.ts';
import { readRealAssets } from '../../../test/assets/real-assets.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

pluginConformance({ describe, test, expect }, plugin, {
  samples: [
    { path: 'configs/a.yaml', bytes: bytes('lr: 2.0e-5\nlora:\n  r: 16\nlist: [1, two, {a: 1}]\n'), hasLayout: false },
    { path: 'configs/two.yml', bytes: bytes('a: 1\n---\nb: 2\n'), hasLayout: false },
    { path: 'configs/a.json', bytes: bytes('{"a": [1, 2.5, null, true], "b": {"c": "d"}}'), hasLayout: false },
    { path: 'configs/a.jsonc', bytes: bytes('{ // why\n"a": 1, }'), hasLayout: false },
    { path: 'configs/a.json5', bytes: bytes("{a: +1, b: 'x', c: .5, d: NaN}"), hasLayout: false },
    { path: 'configs/a.toml', bytes: bytes('a = 1\n[b]\nc = 2020-01-01\n[[d]]\ne = "f"\n'), hasLayout: false },
    { path: 'configs/a.ini', bytes: bytes('[a]\nb = c\n d\n; no\n'), hasLayout: false },
    { path: 'deploy/.env', bytes: bytes('A=1\nexport B="two\nlines" # x\n'), hasLayout: false },
    {
      path: 'configs/token.yaml',
      bytes: bytes('api_key: q8Zk2mX9vB4nT7w\n'),
      hasLayout: false,
      findings: ['config/secret'],
    },
  ],
});

const real = readRealAssets('.json')
  .filter(({ path }) => !path.endsWith('index.json'))
  .map((sample) => ({ ...sample, hasLayout: false }));

describe.skipIf(real.length === 0)(
  'real files (skipped unless MBK_TEST_ASSETS names a folder with .json files)',
  () => {
    // What is skipped is gathered all the same.
    if (real.length > 0) pluginConformance({ describe, test, expect }, plugin, { samples: real, mutations: 30 });
    test('are there', () => expect(real.length).toBeGreaterThan(0));
  },
);
