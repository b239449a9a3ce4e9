/**
 * The second look at a header's key-values: strings and arrays, one after the other in the order of the file and by one
 * cursor, so that a header is read at most twice. Numbers in arrays that no rule looks at are not read.
 */

import { isUtf8 } from 'node:buffer';
import { type ByteCursor, byteCursor, type PluginContext, type Reader } from '@mbk/plugin-sdk';
import { type Problems, quoted } from './codes.ts';
import type { GgufKeyValue } from './header.ts';
import { type NameSet, nameSet } from './name-set.ts';
import { dangerIn } from './rules/template-rules.ts';
import { countBytes, type GgufEncoding, takeCount } from './values.ts';

/** Characters of a string that facts and rules may want whole. */
const longestText = 4096;
/** Of all kept strings together. */
const mostText = 1_048_576;
/** Longer strings are looked at piece by piece. */
const longestWhole = 4_194_304;
const mostTokens = 1_048_576;
/** Of one array of numbers. */
const mostNumbers = 1_048_576;
/** Of one string. */
const mostPieces = 33_554_432;

/**
 * Strings by key, the short ones; what is wrong with any value goes to `problems`. `end` is where the part of the header
 * ends that was walked through.
 */
export async function readValues(
  reader: Reader,
  { encoding, end, keyValues }: { encoding: GgufEncoding; end: number; keyValues: readonly GgufKeyValue[] },
  problems: Problems,
  { signal }: Pick<PluginContext, 'signal'>,
): Promise<ReadonlyMap<string, string>> {
  const cursor = byteCursor(reader, { format: 'gguf', signal, start: keyValues[0]?.offset ?? 0, end });
  const values: ValueReader = { cursor, encoding, problems };
  const texts = new Map<string, string>();
  let kept = 0;
  for (const keyValue of keyValues) {
    const { key, scalar, type, valueOffset } = keyValue;
    if (type === 'bool' && scalar !== 0 && scalar !== 1) {
      problems.report('bad-bool', `${quoted(key)}: a truth value is ${scalar}`, { offset: valueOffset });
    }
    if ((type === 'f32' || type === 'f64') && !Number.isFinite(scalar)) {
      problems.report('non-finite-value', `${quoted(key)} is ${scalar}`, { offset: valueOffset });
    }
    if (type === 'array' || type === 'string') cursor.skip(valueOffset - cursor.offset());
    if (type === 'array') await readArray(values, keyValue);
    if (type !== 'string') continue;
    const text = await readText(values, keyValue);
    if (text === undefined || text.length > longestText || kept + text.length > mostText || texts.has(key)) continue;
    texts.set(key, text);
    kept += text.length;
  }
  return texts;
}

interface ValueReader {
  readonly cursor: ByteCursor;
  readonly encoding: GgufEncoding;
  readonly problems: Problems;
}

async function readText(values: ValueReader, { key, valueOffset: offset }: GgufKeyValue): Promise<string | undefined> {
  const { cursor, problems } = values;
  const length = await readLength(values);
  if (length > longestWhole) {
    await checkPieces(values, length, key);
    return undefined;
  }
  await cursor.need(length);
  const bytes = cursor.take(length);
  checkString(values, bytes, { key, offset });
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  if (key.startsWith('tokenizer.chat_template')) {
    const danger = dangerIn(text);
    if (danger !== undefined) {
      problems.report('dangerous-template', `${quoted(key)} reaches for ${quoted(danger)}`, {
        offset,
        remedy: 'Do not render this template outside a sandbox, and ask where the file comes from.',
      });
    }
  }
  return text;
}

/** A string that is too long to hold. */
async function checkPieces({ cursor, problems }: ValueReader, length: number, key: string): Promise<void> {
  const offset = cursor.offset();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const end = offset + Math.min(length, mostPieces);
  let isText = true;
  while (cursor.offset() < end) {
    await cursor.need(1);
    const piece = cursor.take(Math.min(cursor.peek().length, end - cursor.offset()));
    if (!isText) continue;
    try {
      decoder.decode(piece, { stream: cursor.offset() < offset + length });
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      isText = false;
    }
  }
  cursor.skip(offset + length - cursor.offset());
  if (!isText) problems.report('value-not-utf8', `${quoted(key)} is not valid UTF-8`, { offset });
}

function checkString(
  { problems }: ValueReader,
  bytes: Uint8Array,
  { key, offset }: { readonly key: string; readonly offset: number },
): void {
  if (!isUtf8(bytes) && !problems.isFull('value-not-utf8'))
    problems.report('value-not-utf8', `${quoted(key)} is not valid UTF-8`, { offset });
  if (bytes.includes(0) && !problems.isFull('nul-in-string')) {
    problems.report('nul-in-string', `${quoted(key)} has a NUL, where readers in C end it`, { offset });
  }
}

async function readArray(values: ValueReader, keyValue: GgufKeyValue): Promise<void> {
  const { array, key, valueOffset: offset } = keyValue;
  if (array === undefined) return;
  values.cursor.skip(array.elementsOffset - values.cursor.offset());
  switch (array.elementType) {
    case 'array':
      values.problems.report('nested-array', `${quoted(key)} is an array of arrays`, { offset });
      return;
    case 'string':
      return readStrings(values, keyValue, array.count);
    case 'bool':
      return readNumbers(values, array.count, 1, (view, at, index) => {
        if (view.getUint8(at) < 2 || values.problems.isFull('bad-bool')) return;
        values.problems.report('bad-bool', `${quoted(key)}: truth value ${index} is ${view.getUint8(at)}`, { offset });
      });
    case 'f32':
      return readNumbers(values, array.count, 4, (view, at, index) => {
        checkFloat(values, keyValue, view.getFloat32(at, values.encoding.littleEndian), index);
      });
    case 'f64':
      return readNumbers(values, array.count, 8, (view, at, index) => {
        checkFloat(values, keyValue, view.getFloat64(at, values.encoding.littleEndian), index);
      });
    case 'i32':
      if (key !== 'tokenizer.ggml.token_type') return;
      return readNumbers(values, array.count, 4, (view, at, index) => {
        const type = view.getInt32(at, values.encoding.littleEndian);
        if ((type >= 0 && type <= 6) || values.problems.isFull('bad-token-type')) return;
        values.problems.report('bad-token-type', `token ${index} is of type ${type}, of 0 to 6`, { offset });
      });
    default:
      return;
  }
}

function checkFloat({ problems }: ValueReader, keyValue: GgufKeyValue, value: number, index: number): void {
  if (Number.isFinite(value)) return;
  const { key, valueOffset: offset } = keyValue;
  if (key === 'tokenizer.ggml.scores') {
    // A score of minus infinity is a token that is never chosen.
    if (Number.isNaN(value) && !problems.isFull('bad-score'))
      problems.report('bad-score', `the score of token ${index} is no number`, { offset });
  } else if (!problems.isFull('non-finite-value')) {
    problems.report('non-finite-value', `${quoted(key)}: element ${index} is ${value}`, { offset });
  }
}

async function readStrings(values: ValueReader, keyValue: GgufKeyValue, count: number): Promise<void> {
  const { cursor, encoding, problems } = values;
  const { key } = keyValue;
  const isTokens = key === 'tokenizer.ggml.tokens';
  const isMerges = key === 'tokenizer.ggml.merges';
  const tokens: NameSet | undefined = isTokens ? nameSet(Math.min(count, mostTokens)) : undefined;
  if (isTokens && count > mostTokens) {
    const message = `${count} tokens; only the first ${mostTokens} were compared`;
    problems.report('too-many-tokens', message, { offset: keyValue.valueOffset });
  }
  const width = countBytes(encoding);
  for (let index = 0; index < count; index += 1) {
    const offset = cursor.offset();
    if (!cursor.has(width)) await cursor.need(width);
    const length = Number(takeCount(cursor, encoding));
    if (length > longestWhole) {
      await checkPieces(values, length, key);
      continue;
    }
    if (length === 0) {
      if (isTokens && !problems.isFull('empty-token')) {
        problems.report('empty-token', `token ${index} is empty`, { offset });
      }
      if (!isMerges) continue;
    }
    if (!cursor.has(length)) await cursor.need(length);
    const bytes = cursor.take(length);
    checkString(values, bytes, { key, offset });
    const isNew = tokens === undefined || index >= mostTokens || tokens.add(bytes);
    if (!isNew && !problems.isFull('duplicate-token')) {
      const text = Buffer.from(bytes).toString();
      problems.report('duplicate-token', `token ${index}, ${quoted(text)}, is in the vocabulary before`, { offset });
    }
    // llama.cpp splits a merge at the first space after its first character.
    if (isMerges && bytes.indexOf(0x20, 1) === -1 && !problems.isFull('bad-merge')) {
      const text = Buffer.from(bytes).toString();
      problems.report('bad-merge', `merge ${index}, ${quoted(text)}, is no two tokens`, { offset });
    }
  }
}

/** Shows each of the first `count` numbers of `width` bytes in turn. */
async function readNumbers(
  { cursor }: ValueReader,
  count: number,
  width: number,
  see: (view: DataView, at: number, index: number) => void,
): Promise<void> {
  const most = Math.min(count, mostNumbers);
  let index = 0;
  while (index < most) {
    await cursor.need(width);
    const whole = Math.min(Math.floor(cursor.peek().length / width), most - index);
    const bytes = cursor.take(whole * width);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += width) {
      see(view, at, index);
      index += 1;
    }
  }
}

async function readLength({ cursor, encoding }: ValueReader): Promise<number> {
  await cursor.need(countBytes(encoding));
  return Number(takeCount(cursor, encoding));
}
