/**
 * What a row of the stat cache says of a file, as text, and a sum over it: SQLite does not notice a changed bit inside a
 * row, and a wrong hash in a tree would be a lost file.
 */
import { crc32 } from 'node:zlib';
import { isMbkError } from '../errors.ts';
import type { ByteString } from '../format/byte-name.ts';
import { readReport, type AssetReport } from '../format/asset-line.ts';
import { readFields } from '../format/fields.ts';
import { asBlobId, isHex } from '../format/ids.ts';
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

/**
 * `dev,ino,size,mtime,ctime,taken,sha256`, and behind that, where there is more than one blob or an asset, a space and
 * JSON. Written out and taken apart by hand: a snapshot of files that did not change does little else.
 */
export function encodeStatRecord({ facts, content, takenMs, asset }: ReadFile): string {
  const plain = `${factsText(facts)}${takenMs},${content.sha256}`;
  const isPlain = content.chunks === undefined && content.layout === undefined && asset === undefined;
  // A file may have grown while it was read: then the content has another size than the facts.
  if (isPlain && content.size === facts.size) return plain;
  return `${plain} ${JSON.stringify([content, asset ?? null])}`;
}

/** The file of a record, if it looked as `facts` say; undefined also for a record that another version wrote. */
export function decodeStatRecord(record: string, path: ByteString, facts: SourceFacts): ReadFile | undefined {
  // Numbers have one text each, so facts are the same exactly if their texts are.
  const seen = factsText(facts);
  if (!record.startsWith(seen)) return undefined;
  const takenEnd = record.indexOf(',', seen.length);
  const takenMs = Number(record.slice(seen.length, Math.max(takenEnd, seen.length)));
  const sha256 = record.slice(takenEnd + 1, takenEnd + 1 + idLength);
  if (takenEnd <= seen.length || !Number.isFinite(takenMs) || !isHex(sha256, idLength / 2)) return undefined;
  const end = takenEnd + 1 + idLength;
  if (record.length === end) {
    return { facts, content: { size: facts.size, sha256: asBlobId(sha256) }, takenMs, asset: undefined };
  }
  try {
    const [content, asset] = JSON.parse(record.slice(end)) as readonly unknown[];
    const what = `row ${path} of the stat cache`;
    return { facts, content: readContent(readFields(content, what)), takenMs, asset: readAsset(asset, what) };
  } catch (error) {
    if (error instanceof SyntaxError || isMbkError(error, 'value-invalid')) return undefined;
    throw error;
  }
}

/** Digits of an id. */
const idLength = 64;

function factsText({ dev, ino, size, mtimeMs, ctimeMs }: SourceFacts): string {
  return `${dev},${ino},${size},${mtimeMs},${ctimeMs},`;
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
