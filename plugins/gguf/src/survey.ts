/**
 * One look at a GGUF file's header that `inspect`, `validate` and `diff` share: what could be read of it, what is wrong
 * with it, and the sums and tables that later rules need.
 */

import { type Finding, isLayoutError, type LayoutError, type PluginContext, type Reader } from '@mbk/plugin-sdk';
import { alignmentIn, defaultAlignment } from './alignment.ts';
import { problemList } from './codes.ts';
import { type GgufKeyValue, walkGgufHeader } from './header.ts';
import { indexKeyValues, type KeyValues } from './key-values.ts';
import { readValues } from './read-values.ts';
import { tensorCollector, type TensorTable } from './tensor-table.ts';
import type { GgufEncoding } from './values.ts';

export interface GgufSurvey {
  readonly encoding: GgufEncoding & { readonly magic: 'GGUF' | 'FUGG' };
  /** First byte of the header in the file. */
  readonly start: number;
  readonly keyValues: KeyValues;
  readonly tensors: TensorTable;
  /** In bytes, the default where the file gives none or none that holds. */
  readonly alignment: number;
  /** One past the header; undefined where it could not be read to its end, for the reason in `findings`. */
  readonly end: number | undefined;
  /** Of the first tensor byte, from the start of the file. */
  readonly dataStart: number | undefined;
  /** What the walk itself found wrong. */
  readonly findings: readonly Finding[];
}

/** The survey of a file, or undefined where it is no GGUF file. */
export type Surveyor = (
  reader: Reader,
  context: Pick<PluginContext, 'signal' | 'limits'>,
) => Promise<GgufSurvey | undefined>;

/** A surveyor that remembers: asked about the same reader again it reads nothing, as long as the reader is in use. */
export function rememberingSurveyor(): Surveyor {
  const known = new WeakMap<Reader, GgufSurvey | null>();
  return async (reader, context) => {
    context.signal.throwIfAborted();
    const remembered = known.get(reader);
    if (remembered !== undefined) return remembered ?? undefined;
    const survey = await surveyOf(reader, context);
    known.set(reader, survey ?? null);
    return survey;
  };
}

/** Reads the header and surveys it. LayoutError `gguf/…` where its very first bytes are wrong. */
export async function surveyOf(
  reader: Reader,
  context: Pick<PluginContext, 'signal' | 'limits'>,
): Promise<GgufSurvey | undefined> {
  const start = await findStart(reader, context.signal);
  if (start === undefined) return undefined;
  const problems = problemList();
  const collector = tensorCollector(problems, start);
  const all: GgufKeyValue[] = [];
  let encoding: GgufSurvey['encoding'] | undefined;
  let alignment = defaultAlignment;
  let end: number | undefined;
  let failure: LayoutError | undefined;
  try {
    end = await walkGgufHeader(
      reader,
      context,
      {
        encoding: (found) => void (encoding = found),
        keyValue(keyValue) {
          all.push(keyValue);
          if (keyValue.key === 'general.alignment') alignment = alignmentIn(keyValue) ?? alignment;
        },
        tensorCount: (count) => collector.begin(count, alignment),
        tensor: (info) => collector.add(info),
      },
      start,
    );
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    failure = error;
    problems.fail(error);
  }
  // Without a version there is nothing to go by.
  if (encoding === undefined) throw failure ?? new TypeError('expected an encoding or an error');
  const last = all.at(-1);
  const valuesEnd = last === undefined ? start : last.valueOffset + last.valueLength;
  const texts = await readValues(reader, { encoding, end: valuesEnd, keyValues: all }, problems, context);
  return {
    encoding,
    start,
    keyValues: indexKeyValues(all, texts),
    tensors: collector.table,
    alignment,
    end,
    dataStart: end === undefined ? undefined : Math.ceil(end / alignment) * alignment,
    findings: problems.findings(),
  };
}

/** How far into a file another format may come before the magic. */
const searched = 65_536;

/** Of the header: the start of the file, or a place near it where a magic with a version behind it stands. */
async function findStart(reader: Reader, signal: AbortSignal): Promise<number | undefined> {
  const head = await reader.read(0, Math.min(reader.size, searched), { signal });
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (isMagic(bytes, 0)) return 0;
  for (let at = bytes.indexOf('GGUF', 1); at !== -1; at = bytes.indexOf('GGUF', at + 1)) {
    if (at + 8 <= bytes.length && (isVersion(bytes.readUInt32LE(at + 4)) || isVersion(bytes.readUInt32BE(at + 4)))) {
      return at;
    }
  }
  return undefined;
}

function isMagic(bytes: Buffer, at: number): boolean {
  const magic = bytes.toString('latin1', at, at + 4);
  return magic === 'GGUF' || magic === 'FUGG';
}

function isVersion(value: number): boolean {
  return value === 1 || value === 2 || value === 3;
}
