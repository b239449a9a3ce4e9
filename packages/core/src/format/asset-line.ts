/**
 * `assets.jsonl` of a snapshot, and the rows of asset tables: one asset a line (docs/format.md, Content and Catalogue).
 */
import {
  checkFindings,
  checkInspection,
  type Checked,
  defaultLimits,
  type Finding,
  type JsonObject,
} from '@mbk/plugin-sdk';
import { MbkError } from '../errors.ts';
import { decodeByteText, encodeByteText, type ByteText } from './byte-name.ts';
import { concatBytes, utf8 } from './bytes.ts';
import { canonicalFactsText, parseJson, type JsonValue } from './canonical-json.ts';
import { readFields, type Fields } from './fields.ts';

/** What plugins say of an asset that was examined; facts and findings keep the limits of the contract (docs/plugins.md). */
export interface AssetReport {
  /** Name and version of the plugin that was asked: `gguf 1.2.0`. */
  readonly plugin: string;
  /** One line for people; with `facts`, absent where the plugin had nothing to say. */
  readonly summary?: string;
  readonly facts?: JsonObject;
  /** Of the plugin, and of the host about the plugin; absent if there are none. */
  readonly findings?: readonly Finding[];
}

/** What a plugin recognised: a model file, a dataset folder, a configuration file. */
export interface AssetLine extends Partial<AssetReport> {
  readonly path: ByteText;
  /** `category/class`. */
  readonly collection: string;
  /** What the plugin calls it, e.g. `gguf`. */
  readonly kind: string;
  /** Bytes; of a folder, of all files below it. */
  readonly size: number;
  /** SHA-256 of the file; null for a folder. */
  readonly sha256: string | null;
  readonly tensors?: number;
}

/**
 * Bounds of `assets.jsonl` (lines, bytes), and of a line and a path anywhere: 4,096 directories of 256 bytes and a name.
 * The full table of a collection is a blob.
 */
export const assetLimits = { lines: 1000, bytes: 1_048_576, lineBytes: 8_388_608, pathBytes: 1_052_672 } as const;

/** One canonical line, newline included. */
export function encodeAssetLine(asset: AssetLine): Uint8Array {
  const { path, collection, kind, size, sha256, tensors, plugin, summary, facts, findings } = asset;
  const pathJson = typeof path === 'string' ? path : { hex: path.hex };
  const fields = { path: pathJson, collection, kind, size, sha256, tensors, plugin, summary, facts };
  const found = findings === undefined ? {} : { findings: findings as unknown as JsonValue };
  return utf8(`${canonicalFactsText({ ...fields, ...found })}\n`);
}

/**
 * Bytes of `assets.jsonl`: as many of `assets`, sorted by collection and path, as its bounds allow. Every line comes
 * first without facts and findings; these are added, line by line, as long as there is room: the tables have them all.
 */
export function encodeAssetLines(assets: readonly AssetLine[]): Uint8Array {
  const keyed = assets.map((asset) => ({ asset, key: `${asset.collection}\0${pathKey(asset.path)}` }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const lines: { readonly asset: AssetLine; bytes: Uint8Array }[] = [];
  let bytes = 0;
  for (const { asset } of keyed) {
    const { facts: _, findings: __, ...short } = asset;
    const line = encodeAssetLine(short);
    if (lines.length === assetLimits.lines) break;
    if (bytes + line.byteLength > assetLimits.bytes) continue;
    lines.push({ asset, bytes: line });
    bytes += line.byteLength;
  }
  for (const line of lines) {
    if (line.asset.facts === undefined && line.asset.findings === undefined) continue;
    const whole = encodeAssetLine(line.asset);
    const more = whole.byteLength - line.bytes.byteLength;
    if (bytes + more > assetLimits.bytes) continue;
    line.bytes = whole;
    bytes += more;
  }
  return concatBytes(lines.map((line) => line.bytes));
}

/** The asset of one line without its newline; `value-invalid`. */
export function decodeAssetLine(line: Uint8Array, what: string): AssetLine {
  if (line.byteLength > assetLimits.lineBytes) {
    throw new MbkError(
      'value-invalid',
      `${what}: ${line.byteLength} bytes, a line has at most ${assetLimits.lineBytes}`,
    );
  }
  const fields = readFields(parseJson(line, what), what);
  const tensors = fields.optional('tensors', (f) => f.int('tensors'));
  return {
    path: readPath(fields.raw('path'), `${what}: path`),
    collection: fields.string('collection', { max: 127 }),
    kind: fields.string('kind', { max: 100 }),
    size: fields.int('size'),
    sha256: fields.nullable('sha256', (f) => f.hex('sha256', 32)),
    ...(tensors === undefined ? {} : { tensors }),
    ...readReport(fields),
  };
}

/** The report in a record, checked as a plugin's answer is; none if no plugin is named. `value-invalid`. */
export function readReport(fields: Fields): Partial<AssetReport> {
  if (!fields.has('plugin')) return {};
  const plugin = fields.string('plugin', { max: 200 });
  const summary = fields.raw('summary');
  const facts = fields.raw('facts');
  const findings = fields.raw('findings');
  const inspection =
    summary === undefined
      ? {}
      : checkedValue(checkInspection({ summary, facts: facts ?? {} }, defaultLimits), fields.what);
  return {
    plugin,
    ...inspection,
    // A line of assets.jsonl may have left them out.
    ...(findings === undefined ? {} : { findings: checkedValue(checkFindings(findings, defaultLimits), fields.what) }),
  };
}

function checkedValue<T>(checked: Checked<T>, what: string): T {
  if (checked.ok) return checked.value;
  throw new MbkError('value-invalid', `${what}: ${checked.reason}`);
}

/** The assets of `assets.jsonl`, decoded one by one as they are asked for; `value-invalid`. */
export function* decodeAssetLines(bytes: Uint8Array, what: string): Generator<AssetLine> {
  for (const line of jsonLines(bytes, what)) yield decodeAssetLine(line.bytes, line.what);
}

/** The lines of JSON lines without their newlines, and how to name each; `value-invalid` if the last does not end. */
export function* jsonLines(
  bytes: Uint8Array,
  what: string,
): Generator<{ readonly bytes: Uint8Array; readonly what: string }> {
  let number = 0;
  for (let start = 0; start < bytes.byteLength;) {
    number += 1;
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) throw new MbkError('value-invalid', `${what}: line ${number} does not end`);
    yield { bytes: bytes.subarray(start, end), what: `${what}: line ${number}` };
    start = end + 1;
  }
}

/** A path of a record, checked; `value-invalid`. */
export function readPath(value: unknown, what: string): ByteText {
  return encodeByteText(decodeByteText(value, what, assetLimits.pathBytes));
}

function pathKey(path: ByteText): string {
  return typeof path === 'string' ? path : path.hex;
}
