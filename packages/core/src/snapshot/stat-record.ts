/**
 * What a row of the stat cache says of a file, as text, and a sum over it: SQLite does not notice a changed bit inside a
 * row, and a wrong hash in a tree would be a lost file.
 */
import { crc32 } from 'node:zlib';
import { isMbkError } from '../errors.ts';
import type { ByteString } from '../format/byte-name.ts';
import { readReport, type AssetReport } from '../format/asset-line.ts';
import { readFields } from '../format/fields.ts';
import { readContent, type FileContent } from '../format/tree.ts';
import type { SourceFacts } from './source-facts.ts';

/** What a plugin recognised in a file. */
export interface AssetFacts {
  /** `class/format`: `model/gguf`. */
  readonly kind: string;
  /** How many it holds, where its layout is known. */
  readonly tensors?: number;
  /** What was found when it was examined; absent where no plugin examines its kind. */
  readonly report?: AssetReport;
  /** Under what circumstances: the same ones need no other look (`Examiner.isCurrent`). */
  readonly examined?: string;
}

/** A file whose facts and content belong together. */
export interface ReadFile {
  readonly facts: SourceFacts;
  readonly content: FileContent;
  /** When the facts were taken, before the content was read: milliseconds since 1970. */
  readonly takenMs: number;
  /** Undefined if no plugin knows the file. */
  readonly asset?: AssetFacts | undefined;
}

/** CRC-32 of a path and its record. */
export function statSum(path: ByteString, record: string): number {
  return crc32(`${path}\0${record}`);
}

export function encodeStatRecord({ facts, content, takenMs, asset }: ReadFile): string {
  return JSON.stringify([
    facts.dev,
    facts.ino,
    facts.size,
    facts.mtimeMs,
    facts.ctimeMs,
    takenMs,
    content,
    asset ?? null,
  ]);
}

/** The file of a record, if it looked as `facts` say; undefined also for a record that another version wrote. */
export function decodeStatRecord(record: string, path: ByteString, facts: SourceFacts): ReadFile | undefined {
  try {
    const [dev, ino, size, mtimeMs, ctimeMs, takenMs, content, asset] = JSON.parse(record) as readonly unknown[];
    const isSame =
      dev === facts.dev &&
      ino === facts.ino &&
      size === facts.size &&
      mtimeMs === facts.mtimeMs &&
      ctimeMs === facts.ctimeMs;
    if (!isSame || typeof takenMs !== 'number') return undefined;
    const what = `row ${path} of the stat cache`;
    return { facts, content: readContent(readFields(content, what)), takenMs, asset: readAsset(asset, what) };
  } catch (error) {
    if (error instanceof SyntaxError || isMbkError(error, 'value-invalid')) return undefined;
    throw error;
  }
}

function readAsset(value: unknown, what: string): AssetFacts | undefined {
  if (value === null) return undefined;
  const fields = readFields(value, what);
  const tensors = fields.optional('tensors', (f) => f.int('tensors'));
  const examined = fields.optional('examined', (f) => f.string('examined'));
  const report = fields.optional('report', (f) => readReport(f.object('report')));
  return {
    kind: fields.string('kind', { max: 100 }),
    ...(tensors === undefined ? {} : { tensors }),
    ...(report?.plugin === undefined ? {} : { report: { ...report, plugin: report.plugin } }),
    ...(examined === undefined ? {} : { examined }),
  };
}
