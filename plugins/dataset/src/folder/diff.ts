/** What changed between two versions of a dataset: files, and of files that changed the records and columns. */

import type { DiffContext, Difference, Folder, FolderFile } from '@mbk/plugin-sdk';
import { addSchemaChanges } from '../diff-schema.ts';
import { type DifferenceList, differenceList } from '../difference-list.ts';
import type { DatasetOptions } from '../options.ts';
import { counted } from '../records/facts.ts';
import { shown } from '../records/utf8.ts';
import { tableFacts } from '../table-facts.ts';

/** Files that came or went of which is looked whether they only moved. */
const mostMoves = 20_000;

export async function diffFolder(
  before: Folder,
  after: Folder,
  { limits, signal }: DiffContext<DatasetOptions>,
): Promise<Difference> {
  const list = differenceList(limits);
  const gone: FolderFile[] = [];
  const come: FolderFile[] = [];
  // Both come by path, so one walk through them together is enough.
  const [left, right] = [before.files()[Symbol.asyncIterator](), after.files()[Symbol.asyncIterator]()];
  let [old, now] = [await left.next(), await right.next()];
  while (old.done !== true || now.done !== true) {
    signal.throwIfAborted();
    const [a, b] = [old.done === true ? undefined : old.value, now.done === true ? undefined : now.value];
    if (a !== undefined && (b === undefined || a.path < b.path)) {
      if (gone.length < mostMoves) gone.push(withoutFacts(a));
      else addFile(list, 'removed', a);
      old = await left.next();
    } else if (b !== undefined && (a === undefined || b.path < a.path)) {
      if (come.length < mostMoves) come.push(withoutFacts(b));
      else addFile(list, 'added', b);
      now = await right.next();
    } else {
      if (a !== undefined && b !== undefined && a.sha256 !== b.sha256) addChanged(list, a, b);
      old = await left.next();
      now = await right.next();
    }
  }
  const byHash = new Map(gone.filter(({ size }) => size > 0).map((file) => [file.sha256, file]));
  const moved = new Set<FolderFile>();
  for (const file of come) {
    const from = byHash.get(file.sha256);
    if (from === undefined || moved.has(from)) {
      addFile(list, 'added', file);
      continue;
    }
    moved.add(from);
    list.change({ what: 'file', name: file.path, change: 'moved', before: from.path, after: file.path });
    list.line(`> ${shown(from.path)} -> ${shown(file.path)}`);
  }
  for (const file of gone) if (!moved.has(file)) addFile(list, 'removed', file);
  return list.difference();
}

/** What is kept of a file: its columns would add up, so only the number of records stays. */
function withoutFacts({ facts, path, sha256, size }: FolderFile): FolderFile {
  const records = facts?.['records'];
  return { path, size, sha256, ...(records === undefined ? {} : { facts: { records } }) };
}

function addFile(list: DifferenceList, change: 'added' | 'removed', file: FolderFile): void {
  const { path, size } = file;
  const records = recordsOf(file);
  const what = { bytes: size, ...(records === undefined ? {} : { records }) };
  list.change({ what: 'file', name: path, change, ...(change === 'added' ? { after: what } : { before: what }) });
  const more = records === undefined ? '' : `, ${counted(records, 'record')}`;
  list.line(`${change === 'added' ? '+' : '-'} ${shown(path)} (${counted(size, 'byte')}${more})`);
}

function addChanged(list: DifferenceList, before: FolderFile, after: FolderFile): void {
  const { path } = after;
  const [old, now] = [recordsOf(before), recordsOf(after)];
  const sized = (file: FolderFile, records: number | undefined): { bytes: number; records?: number } => ({
    bytes: file.size,
    ...(records === undefined ? {} : { records }),
  });
  list.change({ what: 'file', name: path, change: 'changed', before: sized(before, old), after: sized(after, now) });
  const rows =
    old === undefined || now === undefined || old === now
      ? ''
      : `, ${old.toLocaleString('en-US')} -> ${counted(now, 'record')}`;
  list.line(`~ ${shown(path)} (${before.size.toLocaleString('en-US')} -> ${counted(after.size, 'byte')}${rows})`);
  const columns = (file: FolderFile) => (file.facts === undefined ? undefined : tableFacts(file.facts).columns);
  const [oldColumns, newColumns] = [columns(before), columns(after)];
  if (oldColumns !== undefined && newColumns !== undefined) {
    addSchemaChanges(list, oldColumns, newColumns, `${shown(path)}: `);
  }
}

const recordsOf = ({ facts }: FolderFile): number | undefined =>
  facts === undefined ? undefined : tableFacts(facts).records;
