/** The `diff` of the plugin: keys and tensors that were added, removed, retyped or changed. */

import {
  blockOf,
  type Change,
  type ChangeKind,
  type DiffContext,
  type Difference,
  type Json,
  LayoutError,
  type Reader,
} from '@mbk/plugin-sdk';
import { differenceOf } from './difference-of.ts';
import { ggmlDtype } from './ggml-types.ts';
import { type GgufKeyValue, type GgufTensorInfo, walkGgufHeader } from './header.ts';
import { shownText, shownValue } from './shown-text.ts';
import { type GgufSurvey, surveyOf } from './survey.ts';
import { digestOf } from './value-digest.ts';
import { formOf } from './value-forms.ts';

interface Version {
  readonly reader: Reader;
  readonly survey: GgufSurvey;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

interface Tensor {
  /** `F16 [4096, 32000]`, slowest dimension first. */
  readonly form: string;
  readonly type: string;
  /** From the start of the file; undefined where it lies outside, or its length is unknown. */
  readonly span: readonly [offset: number, length: number] | undefined;
}

/** LayoutError `gguf/…` where a header cannot be read to its end. */
export async function diffGguf(before: Reader, after: Reader, context: DiffContext): Promise<Difference> {
  const old = await readVersion(before, context);
  const now = await readVersion(after, context);
  const changes: Change[] = [];
  compareHeaders(old.survey, now.survey, changes);
  await compareKeys(old, now, changes, context);
  await compareTensors(old, now, changes, context);
  return differenceOf(changes, context.limits);
}

async function readVersion(reader: Reader, context: DiffContext): Promise<Version> {
  const survey = await surveyOf(reader, context);
  if (survey === undefined) throw new LayoutError('gguf/not-gguf', 'the file does not begin with GGUF', 0);
  const tensors = new Map<string, Tensor>();
  const forms = new Map<string, string>();
  await walkGgufHeader(
    reader,
    context,
    {
      encoding: () => undefined,
      keyValue: () => undefined,
      tensorCount: () => undefined,
      tensor: (info) => void tensors.set(info.name, tensorOf(info, { survey, fileSize: reader.size, forms })),
    },
    survey.start,
  );
  return { reader, survey, tensors };
}

interface File {
  readonly survey: GgufSurvey;
  readonly fileSize: number;
  /** Forms by themselves, so that a thousand like tensors share one. */
  readonly forms: Map<string, string>;
}

function tensorOf({ dataOffset, dimensions, typeId }: GgufTensorInfo, { fileSize, forms, survey }: File): Tensor {
  const dtype = ggmlDtype(typeId);
  const type = dtype ?? `type ${typeId}`;
  const made = `${type} [${dimensions.toReversed().join(', ')}]`;
  const form = forms.get(made) ?? made;
  forms.set(form, form);
  if (dtype === undefined) return { form, type, span: undefined };
  const block = blockOf(dtype);
  const elements = dimensions.reduce((product, dimension) => product * dimension, 1n);
  const length = (elements / BigInt(block.elements)) * BigInt(block.bytes);
  const offset = BigInt(survey.dataStart ?? 0) + dataOffset;
  const isInside = offset + length <= BigInt(fileSize);
  return { form, type, span: isInside ? [Number(offset), Number(length)] : undefined };
}

function compareHeaders(old: GgufSurvey, now: GgufSurvey, changes: Change[]): void {
  const parts = (survey: GgufSurvey): Readonly<Record<string, Json>> => ({
    version: survey.encoding.version,
    'byte order': survey.encoding.littleEndian ? 'little' : 'big',
    'first byte': survey.start,
  });
  const after = parts(now);
  for (const [name, before] of Object.entries(parts(old))) {
    const other = after[name] ?? null;
    if (before !== other) changes.push({ what: 'header', name, change: 'changed', before, after: other });
  }
}

async function compareKeys(old: Version, now: Version, changes: Change[], context: DiffContext): Promise<void> {
  const shown = ({ survey }: Version, keyValue: GgufKeyValue): Json =>
    shownValue(keyValue, survey.keyValues.text(keyValue.key));
  const add = (key: string, change: ChangeKind, before?: Json, after?: Json): void => {
    const sides = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    changes.push({ what: 'key', name: key, change, ...sides });
  };
  for (const keyValue of distinct(old)) {
    const { key } = keyValue;
    const other = now.survey.keyValues.find(key);
    if (other === undefined) add(key, 'removed', shown(old, keyValue));
    else if (formOf(keyValue) !== formOf(other)) {
      add(
        key,
        'retyped',
        `${formOf(keyValue)} ${plain(shown(old, keyValue))}`,
        `${formOf(other)} ${plain(shown(now, other))}`,
      );
    } else if (!(await isSameValue([old, keyValue], [now, other], context))) {
      add(key, 'changed', shown(old, keyValue), shown(now, other));
    }
  }
  for (const keyValue of distinct(now)) {
    if (old.survey.keyValues.find(keyValue.key) === undefined) {
      add(keyValue.key, 'added', undefined, shown(now, keyValue));
    }
  }
}

/** Of keys that are given more than once only the first counts. */
function distinct({ survey }: Version): readonly GgufKeyValue[] {
  return survey.keyValues.all.filter((keyValue) => survey.keyValues.find(keyValue.key) === keyValue);
}

async function isSameValue(
  [old, before]: readonly [Version, GgufKeyValue],
  [now, after]: readonly [Version, GgufKeyValue],
  context: DiffContext,
): Promise<boolean> {
  if (before.scalar !== undefined) return Object.is(before.scalar, after.scalar);
  if (before.array?.count !== after.array?.count) return false;
  const a = old.survey.encoding;
  const b = now.survey.encoding;
  if (a.littleEndian === b.littleEndian && (a.version === 1) === (b.version === 1)) {
    if (before.valueLength !== after.valueLength) return false;
    const spans = [before, after].map(({ valueLength, valueOffset }) => [valueOffset, valueLength] as const);
    const [first = [0, 0], second = [0, 0]] = spans;
    return context.isSame(old.reader, first, now.reader, second);
  }
  const digests = [await digestOf(old.reader, a, before, context), await digestOf(now.reader, b, after, context)];
  return digests[0] === digests[1];
}

async function compareTensors(old: Version, now: Version, changes: Change[], context: DiffContext): Promise<void> {
  const isComparable = old.survey.encoding.littleEndian === now.survey.encoding.littleEndian;
  for (const [name, tensor] of old.tensors) {
    context.signal.throwIfAborted();
    const other = now.tensors.get(name);
    if (other === undefined) {
      changes.push({ what: 'tensor', name, change: 'removed', before: tensor.form });
    } else if (tensor.form !== other.form) {
      const change = tensor.type === other.type ? 'changed' : 'retyped';
      changes.push({ what: 'tensor', name, change, before: tensor.form, after: other.form });
    } else if (isComparable && !(await isSameTensor([old, tensor], [now, other], context))) {
      changes.push({ what: 'tensor', name, change: 'changed' });
    }
  }
  for (const [name, { form }] of now.tensors) {
    if (!old.tensors.has(name)) changes.push({ what: 'tensor', name, change: 'added', after: form });
  }
}

async function isSameTensor(
  [old, { span: before }]: readonly [Version, Tensor],
  [now, { span: after }]: readonly [Version, Tensor],
  context: DiffContext,
): Promise<boolean> {
  // A tensor that lies outside of its file has no bytes to compare.
  if (before === undefined || after === undefined) return before === after;
  return before[1] === 0 || context.isSame(old.reader, before, now.reader, after);
}

function plain(value: Json): string {
  return typeof value === 'string' ? shownText(value) : JSON.stringify(value);
}
