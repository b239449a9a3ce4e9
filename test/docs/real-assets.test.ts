/** The tables of the plugins' pages say what each plugin says of the real files, file by file. */

import {
  examineFile,
  examineFolder,
  matchingRule,
  memoryFolder,
  type MemoryFolderFile,
  memoryReader,
  plainContext,
  type Plugin,
} from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { plugin as checkpoint } from '../../plugins/checkpoint/src/index.ts';
import { plugin as config } from '../../plugins/config/src/index.ts';
import { plugin as dataset } from '../../plugins/dataset/src/index.ts';
import { plugin as gguf } from '../../plugins/gguf/src/index.ts';
import { readRealAssets, realAssets } from '../assets/real-assets.ts';
import { readText, tablesOf } from './markdown.ts';

const plugins: readonly Plugin[] = [gguf, checkpoint, dataset, config];

describe.skipIf(realAssets === undefined)('real files (skipped unless MBK_TEST_ASSETS names their folder)', () => {
  test.each(plugins.map((plugin) => [plugin.name, plugin] as const))(
    'docs/plugins/%s.md has a row for each that the plugin knows, and it is true',
    async (name, plugin) => {
      const told: string[][] = [];
      for (const { bytes, path } of readRealAssets('')) {
        const target = { path, head: bytes.subarray(0, 65_536) };
        const knows = plugins.find(({ match }) => matchingRule(match, target) !== undefined);
        const rule = matchingRule(plugin.match, target);
        if (knows !== plugin || rule === undefined) continue;
        const { findings, inspection } = await examineFile(
          plugin,
          memoryReader(path, bytes),
          plainContext({ kind: rule.kind, options: {} }),
        );
        told.push(rowOf(`\`${path}\``, inspection?.summary, findings));
      }
      if (plugin === dataset) told.push(await folderRow('data'));
      const rows = tablesOf(readText(`docs/plugins/${name}.md`))
        .filter(({ head }) => head[0] === 'asset')
        .flatMap(({ rows: each }) => each);
      expect(told.toSorted()).toEqual(rows.map((row) => [...row]).toSorted());
    },
    120_000,
  );

  /** What is told of a folder, of which nothing is known but what is told of its files. */
  async function folderRow(path: string): Promise<string[]> {
    const files: Record<string, MemoryFolderFile> = {};
    for (const { bytes, path: place } of readRealAssets('')) {
      if (!place.startsWith(`${path}/`)) continue;
      const kind = matchingRule(dataset.match, { path: place, head: bytes.subarray(0, 65_536) })?.kind ?? '';
      const answer = await examineFile(dataset, memoryReader(place, bytes), plainContext({ kind, options: {} }));
      const facts = answer.inspection?.facts;
      files[place.slice(path.length + 1)] = { bytes, kind, ...(facts === undefined ? {} : { facts }) };
    }
    const context = plainContext({ kind: 'dataset/files', options: {} });
    const { findings, inspection } = await examineFolder(dataset, memoryFolder(path, files), context);
    return rowOf(`\`${path}\` (folder)`, inspection?.summary, findings);
  }
});

function rowOf(asset: string, summary: string | undefined, findings: readonly { readonly code: string }[]): string[] {
  const codes = findings.map(({ code }) => `\`${code}\``).join(', ');
  return [asset, summary ?? 'none', codes === '' ? 'none' : codes];
}
