import { type Finding, memoryReader, plainContext, examineFile, matchingRule } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { readRealAssets, realAssets } from '../../../test/assets/real-assets.ts';
import { plugin } from '../src/index.ts';

describe.skipIf(realAssets === undefined)('real files (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  const files = readRealAssets('').flatMap(({ bytes, path }) => {
    const rule = matchingRule(plugin.match, { path, head: bytes.subarray(0, 4096) });
    return rule === undefined ? [] : [{ bytes, path, kind: rule.kind }];
  });

  test('are there', () => expect(files.length).toBeGreaterThan(15));

  test.each(files.map((file) => [file.path, file] as const))('%s is clean', async (_, { bytes, kind, path }) => {
    const options = { unknownGlobals: 'error' };
    const answer = await examineFile(plugin, memoryReader(path, bytes), plainContext({ kind, options }));
    const told = answer.findings.filter(({ severity }: Finding) => severity !== 'info');
    expect(told).toEqual([]);
    expect(answer.inspection?.summary).toMatch(/parameters/);
  });
});
