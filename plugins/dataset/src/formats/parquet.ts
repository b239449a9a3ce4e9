/** Parquet files: the footer against itself and against the file. Pages are not decoded. */

import { type Examination, type Finding, findingList, type Reader, type ReaderContext } from '@mbk/plugin-sdk';
import { type DatasetCode, finding } from '../codes.ts';
import type { DatasetOptions } from '../options.ts';
import { counted, fittingFacts } from '../records/facts.ts';
import { shown } from '../records/utf8.ts';
import { mostChunks, type ParquetFooter, readParquetFooter } from './parquet-footer.ts';
import { ThriftError } from './thrift.ts';

type Context = Pick<ReaderContext<DatasetOptions>, 'limits' | 'signal'>;

/** The footer and where it starts, or what is wrong. */
export type ReadParquet =
  | { readonly ok: true; readonly footer: ParquetFooter; readonly start: number }
  | { readonly ok: false; readonly finding: Finding };

/** Bytes of the largest footer that is looked into. */
const largestFooter = 16 * 1_048_576;

export async function readParquet(reader: Reader, signal: AbortSignal): Promise<ReadParquet> {
  const refuse = (code: DatasetCode, message: string, offset?: number): ReadParquet => ({
    ok: false,
    finding: finding(code, message, offset === undefined ? {} : { offset }),
  });
  const { size } = reader;
  if (size === 0) return refuse('dataset/empty-file', 'the file is empty');
  if (size < 12) return refuse('dataset/parquet-footer', `${size} bytes are no Parquet file`, 0);
  const [head, tail] = [await reader.read(0, 4, { signal }), await reader.read(size - 8, 8, { signal })];
  const [magic, end] = [latin(head), latin(tail.subarray(4))];
  if (magic === 'PARE' && end === 'PARE') return refuse('dataset/parquet-encrypted', 'the footer is encrypted');
  if (magic !== 'PAR1') return refuse('dataset/parquet-footer', 'the file does not begin with PAR1', 0);
  if (end !== 'PAR1') {
    return refuse('dataset/parquet-footer', 'the file does not end with PAR1: it is cut short or goes on', size - 4);
  }
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  const start = size - 8 - length;
  if (start < 4) return refuse('dataset/parquet-footer', `a footer of ${length} bytes does not fit the file`, size - 8);
  if (length > largestFooter) {
    return refuse('dataset/not-counted', `a footer of ${length} bytes is larger than 16 MiB`, start);
  }
  try {
    return { ok: true, footer: readParquetFooter(await reader.read(start, length, { signal })), start };
  } catch (error) {
    if (!(error instanceof ThriftError)) throw error;
    return refuse('dataset/parquet-footer', `the footer cannot be read: ${error.message}`, start);
  }
}

export async function examineParquet(reader: Reader, { limits, signal }: Context): Promise<Examination> {
  const read = await readParquet(reader, signal);
  if (!read.ok) return { findings: [read.finding] };
  const { footer } = read;
  const columns = footer.columns.map(({ isOptional, isRepeated, name, type }) => ({
    name,
    type: isRepeated ? `list of ${type}` : type,
    ...(isOptional ? { optional: true } : {}),
  }));
  const facts = {
    format: 'parquet',
    records: footer.rows,
    rowGroups: footer.groups.length,
    codecs: footer.codecs,
    ...(footer.createdBy === undefined ? {} : { createdBy: footer.createdBy }),
    columns,
  };
  const groups = counted(footer.groups.length, 'row group');
  return {
    inspection: {
      summary: `parquet, ${counted(footer.rows, 'row')}, ${counted(columns.length, 'column')}, ${groups}`,
      facts: fittingFacts(facts, limits.factsBytes),
    },
    findings: checkFooter(footer, read.start),
  };
}

function checkFooter(footer: ParquetFooter, start: number): readonly Finding[] {
  const { chunkCount, chunks, columns, groups, isTree, rows } = footer;
  const found = findingList();
  const add = (code: DatasetCode, message: string): void => found.add(finding(code, message, { offset: start }));

  if (!isTree) add('dataset/parquet-schema', 'the schema announces more or fewer columns than it has');
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name)) add('dataset/duplicate-column', `two columns are named ${shown(name)}`);
    names.add(name);
  }
  let sum = 0;
  for (const [index, group] of groups.entries()) {
    sum += group.rows;
    if (group.rows < 0) add('dataset/parquet-rows', `row group ${index} does not say how many rows it has`);
    if (isTree && group.chunks !== columns.length) {
      add('dataset/parquet-schema', `row group ${index} has ${group.chunks} columns, the schema ${columns.length}`);
    }
  }
  if (sum !== rows) add('dataset/parquet-rows', `the row groups have ${sum} rows, the footer says ${rows}`);
  else if (rows === 0) add('dataset/no-records', 'the file holds no row');

  const inside = chunks.filter(({ isElsewhere }) => !isElsewhere);
  for (const { column, group, length, start: at, values } of inside) {
    const known = columns[column];
    const where = `column ${known === undefined ? column : shown(known.name)} of row group ${group}`;
    if (at < 4 || length < 0 || at + length > start) {
      add('dataset/parquet-column', `${where} lies at ${at} + ${length}, the data at 4 to ${start}`);
    }
    const wanted = groups[group]?.rows ?? 0;
    if (isTree && known !== undefined && (known.isRepeated ? values < 0 : values !== wanted)) {
      add('dataset/parquet-column', `${where} has ${values} values for ${wanted} rows`);
    }
  }
  if (chunkCount > mostChunks) {
    add('dataset/not-counted', `only the first ${mostChunks} of ${chunkCount} column chunks were looked at`);
  }
  const sorted = inside.filter(({ length }) => length > 0).toSorted((a, b) => a.start - b.start);
  for (const [index, { column, group, start: at }] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before !== undefined && before.start + before.length > at) {
      add('dataset/parquet-column', `column ${column} of row group ${group} overlaps another at ${at}`);
    }
  }
  return found.findings();
}

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
