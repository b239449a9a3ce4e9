/** What the contributions for folders have to stand. */

import { checkDifference, checkExamination, checkExport } from '../check-answer.ts';
import { examineFile, examineFolder, examineStream } from '../examine.ts';
import type { Folder } from '../folder.ts';
import type { Examination } from '../inspection.ts';
import type { JsonObject } from '../json.ts';
import { magicSpan, matchingFolderKind, matchingRule } from '../match.ts';
import { memoryFolder, type MemoryFolderFile } from '../memory-folder.ts';
import { plainContext } from '../plain-context.ts';
import type { Plugin } from '../plugin.ts';
import { memoryReader } from '../reader.ts';
import type { FolderSample, TestRunner } from './sample.ts';

export function declareFolderTests(
  { expect, test }: TestRunner,
  plugin: Plugin,
  { files, findings: expected = [], path }: FolderSample,
  options: JsonObject,
): void {
  const names = Object.keys(files).filter((name) => !name.includes('/'));
  const kind = matchingFolderKind(plugin.folders ?? [], names);
  const context = plainContext({ kind: kind ?? '', options });
  const examine = async (folder: Folder): Promise<Examination> => examineFolder(plugin, folder, context);

  test('is matched by its markers', () => {
    expect(typeof kind).toEqual('string');
  });

  test('is examined: facts and findings of the contract, the same each time', async () => {
    const answer = await examine(await examinedFolder(plugin, { path, files }, options));
    const check = checkExamination(answer);
    expect(check.ok ? 'ok' : check.reason).toEqual('ok');
    expect(JSON.parse(JSON.stringify(answer))).toEqual(check.ok ? check.value : undefined);
    expect(await examine(await examinedFolder(plugin, { path, files }, options))).toEqual(answer);
    expect([...new Set(answer.findings.map(({ code }) => code))].toSorted()).toEqual(expected);
  });

  test('may lack any of its files, or hold one cut short', async () => {
    const problems: string[] = [];
    for (const [name, bytes] of Object.entries(files)) {
      const { [name]: _, ...others } = files;
      for (const variant of [others, { ...files, [name]: bytes.subarray(0, bytes.length / 2) }]) {
        try {
          const check = checkExamination(
            await examine(await examinedFolder(plugin, { path, files: variant }, options)),
          );
          if (!check.ok) problems.push(`${name}: ${check.reason}`);
        } catch (error) {
          problems.push(`${name}: ${String(error)}`);
        }
      }
    }
    expect(problems).toEqual([]);
  });

  if (plugin.folder?.drift !== undefined) {
    test('has no drift against itself', async () => {
      const { inspection } = await examine(await examinedFolder(plugin, { path, files }, options));
      const facts = inspection?.facts ?? {};
      expect(await plugin.folder?.drift?.(facts, facts, context)).toEqual([]);
    });
  }

  if (plugin.folder?.export !== undefined) {
    test('is exported: files of the contract, the same each time', async () => {
      const folder = await examinedFolder(plugin, { path, files }, options);
      const exported = await plugin.folder?.export?.(folder, context);
      const check = checkExport(exported);
      expect(check.ok ? 'ok' : check.reason).toEqual('ok');
      expect(await plugin.folder?.export?.(folder, context)).toEqual(exported);
    });
  }

  if (plugin.folder?.diff !== undefined) {
    test('differs in nothing from itself', async () => {
      const folder = await examinedFolder(plugin, { path, files }, options);
      const difference = await plugin.folder?.diff?.(folder, folder, context);
      expect(checkDifference(difference).ok).toEqual(true);
      expect(difference?.changes).toEqual([]);
    });
  }
}

/** The folder as a host shows it: its files with what the plugin says of each. */
export async function examinedFolder(
  plugin: Plugin,
  { files, path }: Pick<FolderSample, 'files' | 'path'>,
  options: JsonObject,
): Promise<Folder> {
  const examined: Record<string, MemoryFolderFile> = {};
  for (const [name, bytes] of Object.entries(files)) {
    const reader = memoryReader(path === '' ? name : `${path}/${name}`, bytes);
    const head = bytes.subarray(0, magicSpan(plugin.match));
    const rule = matchingRule(plugin.match, { path: reader.path, head });
    if (rule === undefined) examined[name] = { bytes };
    else {
      const context = plainContext({ kind: rule.kind, options });
      const { inspection } =
        rule.reads === 'stream'
          ? await examineStream(plugin, reader, context)
          : await examineFile(plugin, reader, context);
      examined[name] = { bytes, kind: rule.kind, ...(inspection && { facts: inspection.facts }) };
    }
  }
  return memoryFolder(path, examined);
}
