/** Arrow IPC: files with a footer (Feather 2 too), and streams, as Hugging Face `datasets` keeps them. */

import {
  type Examination,
  type Finding,
  findingList,
  type JsonObject,
  type Reader,
  type ReaderContext,
} from '@mbk/plugin-sdk';
import { type DatasetCode, finding } from '../codes.ts';
import type { DatasetOptions } from '../options.ts';
import { counted, fittingFacts } from '../records/facts.ts';
import { arrowColumns } from './arrow-schema.ts';
import { FlatBufferError, flatRoot, type FlatTable } from './flatbuffer.ts';

type Context = Pick<ReaderContext<DatasetOptions>, 'limits' | 'signal'>;

export interface ArrowBatch {
  readonly start: number;
  readonly length: number;
  readonly rows: number;
}

export interface ReadArrow {
  readonly form: 'file' | 'stream';
  readonly columns: readonly JsonObject[] | undefined;
  readonly batches: readonly ArrowBatch[];
  /** Whether there are more than were looked at. */
  readonly isCut: boolean;
  readonly findings: readonly Finding[];
}

/** Most messages that are looked at. */
const mostBatches = 20_000;
const largestMetadata = 8 * 1_048_576;

export async function examineArrow(reader: Reader, { limits, signal }: Context): Promise<Examination> {
  const { batches, columns, findings, form, isCut } = await readArrow(reader, signal);
  if (columns === undefined) return { findings };
  const records = batches.reduce((sum, { rows }) => sum + rows, 0);
  const facts = {
    format: form === 'file' ? 'arrow' : 'arrow-stream',
    records,
    batches: batches.length,
    ...(isCut ? { recordsAreAtLeast: true } : {}),
    columns,
  };
  const more = isCut ? 'at least ' : '';
  return {
    inspection: {
      summary: `arrow ${form}, ${more}${counted(records, 'row')}, ${counted(columns.length, 'column')}`,
      facts: fittingFacts(facts, limits.factsBytes),
    },
    findings,
  };
}

export async function readArrow(reader: Reader, signal: AbortSignal): Promise<ReadArrow> {
  const found = findingList();
  const add = (code: DatasetCode, message: string, offset: number): void =>
    found.add(finding(code, message, { offset }));
  const { size } = reader;
  let columns: readonly JsonObject[] | undefined;
  let form: ReadArrow['form'] = 'file';
  const batches: ArrowBatch[] = [];
  let isCut = false;
  const answer = (): ReadArrow => ({ form, columns, batches, isCut, findings: found.findings() });

  if (size === 0) {
    found.add(finding('dataset/empty-file', 'the file is empty'));
    return answer();
  }
  const head = await reader.read(0, Math.min(8, size), { signal });
  const magic = latin(head.subarray(0, 6));
  if (magic !== 'ARROW1') {
    if (head.length < 8 || new DataView(head.buffer, head.byteOffset).getUint32(0, true) !== continuation) {
      const what = magic.startsWith('FEA1')
        ? 'the file is Feather 1, which is no Arrow IPC'
        : 'the file does not begin with ARROW1';
      add('dataset/arrow-footer', what, 0);
      return answer();
    }
    form = 'stream';
    let at = 0;
    let count = 0;
    let isEnded = false;
    while (at < size) {
      if (count >= mostBatches) {
        isCut = true;
        break;
      }
      count += 1;
      const message = await readMessage(reader, at, size, signal);
      if (typeof message === 'string') {
        add(
          at + 8 > size || message === cutShort ? 'dataset/truncated' : 'dataset/arrow-batch',
          `the message at ${at} cannot be read: ${message}`,
          at,
        );
        break;
      }
      if (message.end === at + 8) {
        isEnded = true;
        break;
      }
      try {
        if (message.type === 1 && message.header !== undefined) columns = arrowColumns(message.header);
        else if (message.type === 3) {
          batches.push({ start: at, length: message.end - at, rows: message.header?.i64(0, 0) ?? 0 });
        }
      } catch (error) {
        if (!(error instanceof FlatBufferError)) throw error;
        add('dataset/arrow-batch', `the message at ${at} cannot be read: ${error.message}`, at);
        break;
      }
      at = message.end;
    }
    if (!isEnded && !isCut && !found.hasErrors && at !== size)
      add('dataset/truncated', 'the last message is cut short', at);
    if (columns === undefined && !found.hasErrors) add('dataset/arrow-footer', 'the stream has no schema', 0);
  } else {
    const blocks = await readFooter(reader, signal, (message, offset) => add('dataset/arrow-footer', message, offset));
    if (blocks === undefined) return answer();
    columns = blocks.columns;
    isCut = blocks.batches.length > mostBatches || blocks.isCut;
    for (const [index, { length, start }] of blocks.batches.slice(0, mostBatches).entries()) {
      const message =
        start < 8 || length < 0 || start + length > blocks.start
          ? 'it lies outside the file'
          : await readMessage(reader, start, blocks.start, signal);
      let rows = 0;
      let wrong = typeof message === 'string' ? message : message.type === 3 ? undefined : 'it is no record batch';
      try {
        if (typeof message !== 'string') rows = message.header?.i64(0, 0) ?? 0;
      } catch (error) {
        if (!(error instanceof FlatBufferError)) throw error;
        wrong = error.message;
      }
      if (wrong === undefined && rows >= 0) batches.push({ start, length, rows });
      else
        add(
          'dataset/arrow-batch',
          `record batch ${index} at ${start}: ${wrong ?? 'a negative count'}`,
          Math.max(0, start),
        );
    }
  }
  if (isCut) add('dataset/not-counted', `only the first ${mostBatches} batches were looked at`, 0);
  else if (!found.hasErrors && batches.every(({ rows }) => rows === 0))
    add('dataset/no-records', 'the file holds no row', 0);
  return answer();
}

const continuation = 0xffffffff;
const cutShort = 'it ends too early';

interface Message {
  /** Of its header: 1 a schema, 2 a dictionary, 3 a record batch. */
  readonly type: number;
  readonly header: FlatTable | undefined;
  /** One past its body. */
  readonly end: number;
}

/** The message at a place, or what is wrong with it. An end-of-stream mark has neither header nor body. */
async function readMessage(reader: Reader, at: number, end: number, signal: AbortSignal): Promise<Message | string> {
  if (at + 8 > end) return cutShort;
  const first = await reader.read(at, Math.min(1024, end - at), { signal });
  const view = new DataView(first.buffer, first.byteOffset, first.length);
  // Before Arrow 0.15 there was no continuation mark.
  const prefix = view.getUint32(0, true) === continuation ? 8 : 4;
  const length = view.getInt32(prefix - 4, true);
  if (length === 0) return { type: 0, header: undefined, end: at + 8 };
  if (length < 0 || length > largestMetadata) return `metadata of ${length} bytes`;
  if (at + prefix + length > end) return cutShort;
  const bytes =
    prefix + length <= first.length
      ? first.subarray(prefix, prefix + length)
      : await reader.read(at + prefix, length, { signal });
  try {
    const message = flatRoot(bytes);
    const body = message.i64(3, 0);
    const next = at + prefix + length + body;
    if (body < 0) return 'a body of negative length';
    if (next > end) return cutShort;
    return { type: message.i8(1, 0), header: message.table(2), end: next };
  } catch (error) {
    if (error instanceof FlatBufferError) return error.message;
    throw error;
  }
}

interface Footer {
  readonly columns: readonly JsonObject[];
  readonly batches: readonly { readonly start: number; readonly length: number }[];
  readonly isCut: boolean;
  /** Of the footer in the file. */
  readonly start: number;
}

async function readFooter(
  reader: Reader,
  signal: AbortSignal,
  refuse: (message: string, offset: number) => void,
): Promise<Footer | undefined> {
  const { size } = reader;
  const tail = size < 20 ? undefined : await reader.read(size - 10, 10, { signal });
  if (tail === undefined || latin(tail.subarray(4)) !== 'ARROW1') {
    refuse('the file does not end with ARROW1: it is cut short or goes on', Math.max(0, size - 6));
    return undefined;
  }
  const length = new DataView(tail.buffer, tail.byteOffset).getInt32(0, true);
  const start = size - 10 - length;
  if (length <= 0 || start < 8 || length > largestMetadata) {
    refuse(`a footer of ${length} bytes`, size - 10);
    return undefined;
  }
  try {
    const footer = flatRoot(await reader.read(start, length, { signal }));
    const schema = footer.table(1);
    const list = footer.vector(3, 24);
    if (schema === undefined) throw new FlatBufferError('it has no schema');
    const batches = Array.from({ length: Math.min(list?.count ?? 0, mostBatches) }, (_, index) => {
      const at = (list?.at ?? 0) + 24 * index;
      return { start: footer.i64At(at), length: footer.i32At(at + 8) + footer.i64At(at + 16) };
    });
    return { columns: arrowColumns(schema), batches, isCut: (list?.count ?? 0) > mostBatches, start };
  } catch (error) {
    if (!(error instanceof FlatBufferError)) throw error;
    refuse(`the footer cannot be read: ${error.message}`, start);
    return undefined;
  }
}

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
