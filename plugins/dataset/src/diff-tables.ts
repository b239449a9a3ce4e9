/** What changed in a Parquet or Arrow file: columns, rows, and which stored pieces differ. Values are not decoded. */

import { type DiffContext, type Difference, LayoutError, type Reader } from '@mbk/plugin-sdk';
import { addSchemaChanges } from './diff-schema.ts';
import { type DifferenceList, differenceList } from './difference-list.ts';
import { readArrow, type ReadArrow } from './formats/arrow.ts';
import { readParquet } from './formats/parquet.ts';
import type { ParquetFooter } from './formats/parquet-footer.ts';
import type { DatasetOptions } from './options.ts';
import { counted } from './records/facts.ts';
import { textOf } from './table-facts.ts';

type Context = DiffContext<DatasetOptions>;

function addRows(list: DifferenceList, before: number, after: number): void {
  if (before === after) return;
  list.change({ what: 'record', name: 'records', change: 'changed', before, after });
  list.line(`~ ${counted(before, 'row')} -> ${counted(after, 'row')}`);
}

export async function diffParquet(before: Reader, after: Reader, context: Context): Promise<Difference> {
  const [old, now] = [await footerOf(before, context), await footerOf(after, context)];
  const list = differenceList(context.limits);
  addSchemaChanges(list, typesOf(old), typesOf(now));
  addRows(list, old.rows, now.rows);
  const names = new Set(now.columns.map(({ name }) => name));
  const keyed = new Map(now.chunks.map((chunk) => [`${chunk.group} ${now.columns[chunk.column]?.name}`, chunk]));
  const changed = new Map<string, number>();
  const groups = Math.min(old.groups.length, now.groups.length);
  for (const chunk of old.chunks) {
    const name = old.columns[chunk.column]?.name;
    if (name === undefined || !names.has(name) || chunk.group >= groups) continue;
    const other = keyed.get(`${chunk.group} ${name}`);
    const [span, otherSpan] = [spanOf(chunk, before), other && spanOf(other, after)];
    const isSame =
      span !== undefined &&
      otherSpan !== undefined &&
      span[1] === otherSpan[1] &&
      (await context.isSame(before, span, after, otherSpan));
    if (!isSame && (span !== undefined || otherSpan !== undefined)) changed.set(name, (changed.get(name) ?? 0) + 1);
  }
  for (const [name, count] of changed) {
    list.change({ what: 'column', name, change: 'changed', after: { rowGroups: count } });
    list.line(`~ column ${name}: ${counted(count, 'row group')} of ${groups} stored otherwise`);
  }
  if (old.groups.length !== now.groups.length) {
    const [from, to] = [old.groups.length, now.groups.length];
    list.change({ what: 'value', name: 'row groups', change: 'changed', before: from, after: to });
    list.line(`~ ${counted(from, 'row group')} -> ${to}`);
  }
  return list.difference();
}

const typesOf = ({ columns }: ParquetFooter): ReadonlyMap<string, string> =>
  new Map(columns.map(({ isRepeated, name, type }) => [name, isRepeated ? `list of ${type}` : type]));

/** The span of a chunk, where it lies in the file. */
function spanOf(
  { isElsewhere, length, start }: ParquetFooter['chunks'][number],
  { size }: Reader,
): readonly [number, number] | undefined {
  return isElsewhere || start < 0 || length < 0 || start + length > size ? undefined : [start, length];
}

async function footerOf(reader: Reader, { signal }: Context): Promise<ParquetFooter> {
  const read = await readParquet(reader, signal);
  if (read.ok) return read.footer;
  throw new LayoutError(read.finding.code, read.finding.message, read.finding.offset);
}

export async function diffArrow(before: Reader, after: Reader, context: Context): Promise<Difference> {
  const [old, now] = [await arrowOf(before, context), await arrowOf(after, context)];
  const list = differenceList(context.limits);
  addSchemaChanges(list, arrowTypes(old), arrowTypes(now));
  const rows = ({ batches }: ReadArrow): number => batches.reduce((sum, batch) => sum + batch.rows, 0);
  addRows(list, rows(old), rows(now));
  let changed = 0;
  const common = Math.min(old.batches.length, now.batches.length);
  for (const [index, batch] of old.batches.slice(0, common).entries()) {
    const other = now.batches[index];
    const isSame =
      other?.length === batch.length &&
      (await context.isSame(before, [batch.start, batch.length], after, [other.start, other.length]));
    if (!isSame) changed += 1;
  }
  if (changed > 0) {
    list.change({ what: 'batch', name: 'record batches', change: 'changed', after: changed });
    list.line(`~ ${counted(changed, 'record batch', 'record batches')} of ${common} stored otherwise`);
  }
  if (old.batches.length !== now.batches.length) {
    const [from, to] = [old.batches.length, now.batches.length];
    list.change({ what: 'value', name: 'batches', change: 'changed', before: from, after: to });
    list.line(`~ ${counted(from, 'record batch', 'record batches')} -> ${to}`);
  }
  return list.difference();
}

const arrowTypes = ({ columns }: ReadArrow): ReadonlyMap<string, string> =>
  new Map((columns ?? []).map(({ name, type }) => [textOf(name), textOf(type)]));

async function arrowOf(reader: Reader, { signal }: Context): Promise<ReadArrow> {
  const read = await readArrow(reader, signal);
  const broken = read.findings.find(({ severity }) => severity === 'error');
  if (read.columns === undefined && broken !== undefined) {
    throw new LayoutError(broken.code, broken.message, broken.offset);
  }
  return read;
}
