import { contributions, definePlugin } from '@mbk/plugin-sdk';
import { pluginConformance } from '@mbk/plugin-sdk/testing';
import { describe, expect, test } from 'vitest';
import { weights } from '../assets/tensor.ts';
import { plugin } from './example-plugin.ts';
import { codeOf, readText, sectionOf, tableOf } from './markdown.ts';

const page = readText('docs/plugins.md');

test('the example of docs/plugins.md is the plugin that is tested below', () => {
  const example = /<!-- test\/docs\/example-plugin\.ts -->\n```ts\n([^]*?)```/.exec(page)?.[1];
  expect(example).toBe(readText('test/docs/example-plugin.ts'));
});

test('the members of a plugin are those that the contract knows', () => {
  const told = tableOf(sectionOf(page, 'The contract'), 'member').rows.map(([name = '']) =>
    codeOf(name)[0]?.replace(/\(.*/, ''),
  );
  const known = ['apiVersion', 'name', 'version', 'description', 'match', 'folders', 'options', 'contributes'];
  expect(told.toSorted()).toEqual([...known, ...contributions].toSorted());
  expect(told).toEqual(expect.arrayContaining(Object.keys(definePlugin(plugin))));
});

pluginConformance({ describe, test, expect }, plugin, {
  samples: [
    {
      path: 'data/weights.npy',
      bytes: npyFile([16, 40], weights('array', { shape: [16, 40], dtype: 'F32', seed: 1 }).data),
    },
  ],
});

function npyFile(shape: readonly number[], data: Uint8Array): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(117) + '\n';
  const lead = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0);
  return new Uint8Array(Buffer.concat([lead, Buffer.from(header, 'latin1'), data]));
}
