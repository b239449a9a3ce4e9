/** The `diff` of the plugin: keys and tensors that were added, removed, retyped or changed. */

import {
  type Change,
  type ChangeKind,
  type ChangeList,
  changeList,
  type DiffContext,
  type Difference,
  type Json,
  LayoutError,
  type Reader,
} from '@mbk/plugin-sdk';
import { type GgufKeyValue, type GgufTensorInfo, walkGgufHeader } from './header.ts';
import { shownText, shownValue } from './shown-text.ts';
import { type GgufSurvey, surveyOf } from './survey.ts';
import { type TensorColumns, tensorColumns } from './tensor-columns.ts';
import { digestOf } from './value-digest.ts';
import { formOf } from './value-forms.ts';

interface Version {
  readonly reader: Reader;
  readonly survey: GgufSurvey;
}

/** LayoutError `gguf/…` where a header cannot be read to its end. */
export async function diffGguf(before: Reader, after: Reader, context: DiffContext): Promise<Difference> {
  const old = { reader: before, survey: await surveyed(before, context) };
  const now = { reader: after, survey: await surveyed(after, context) };
  const changes = changeList({ limits: context.limits, shown: shownText });
  compareHeaders(old.survey, now.survey, changes);
  await compareKeys(old, now, changes, context);
  await compareTensors(old, now, changes, context);
  return changes.difference();
}

async function surveyed(reader: Reader, context: DiffContext): Promise<GgufSurvey> {
  const survey = await surveyOf(reader, context);
  if (survey === undefined) throw new LayoutError('gguf/not-gguf', 'the file does not begin with GGUF', 0);
  return survey;
}

/** Shows the tensors of a version, which are read again: none of them is held. */
async function readTensors(
  { reader, survey }: Version,
  context: DiffContext,
  tensor: (info: GgufTensorInfo, columns: TensorColumns) => void,
): Promise<TensorColumns> {
  const columns = tensorColumns(survey.tensors.count, survey.dataStart ?? 0, reader.size);
  const nothing = (): void => undefined;
  const visitor = { encoding: nothing, keyValue: nothing, tensorCount: nothing };
  await walkGgufHeader(reader, context, { ...visitor, tensor: (info) => tensor(info, columns) }, survey.start);
  return columns;
}

function compareHeaders(old: GgufSurvey, now: GgufSurvey, changes: ChangeList): void {
  const parts = (survey: GgufSurvey): Readonly<Record<string, Json>> => ({
    version: survey.encoding.version,
    'byte order': survey.encoding.littleEndian ? 'little' : 'big',
    'first byte': survey.start,
  });
  const after = parts(now);
  for (const [name, before] of Object.entries(parts(old))) {
    const other = after[name] ?? null;
    if (before !== other) changes.add({ what: 'header', name, change: 'changed', before, after: other });
  }
}

async function compareKeys(old: Version, now: Version, changes: ChangeList, context: DiffContext): Promise<void> {
  const shown = ({ survey }: Version, keyValue: GgufKeyValue): Json =>
    shownValue(keyValue, survey.keyValues.text(keyValue.key));
  const add = (key: string, change: ChangeKind, before?: Json, after?: Json): void => {
    const sides = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    changes.add({ what: 'key', name: key, change, ...sides });
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

async function compareTensors(old: Version, now: Version, changes: ChangeList, context: DiffContext): Promise<void> {
  // Of a name that is given twice the last counts, as in a dictionary.
  const places = new Map<string, number>();
  const before = await readTensors(old, context, (info, columns) => void places.set(info.name, columns.add(info)));
  /** By place in the older version, one more than the place in the newer one. */
  const partners = new Uint32Array(before.size);
  const added = new Map<string, number>();
  const after = await readTensors(now, context, (info, columns) => {
    const place = places.get(info.name);
    if (place === undefined) added.set(info.name, columns.add(info));
    else partners[place] = columns.add(info) + 1;
  });
  const isComparable = old.survey.encoding.littleEndian === now.survey.encoding.littleEndian;
  const tensor = (name: string, change: ChangeKind, sides: Pick<Change, 'after' | 'before'> = {}): void =>
    changes.add({ what: 'tensor', name, change, ...sides });
  for (const [name, place] of places) {
    context.signal.throwIfAborted();
    const other = (partners[place] ?? 0) - 1;
    const form = before.form(place);
    if (other < 0) tensor(name, 'removed', { before: form });
    else if (form !== after.form(other)) {
      const change = before.type(place) === after.type(other) ? 'changed' : 'retyped';
      tensor(name, change, { before: form, after: after.form(other) });
    } else if (isComparable && !(await isSameTensor(old, before.span(place), now, after.span(other), context))) {
      tensor(name, 'changed');
    }
  }
  for (const [name, place] of added) tensor(name, 'added', { after: after.form(place) });
}

type Span = ReturnType<TensorColumns['span']>;

async function isSameTensor(
  old: Version,
  before: Span,
  now: Version,
  after: Span,
  context: DiffContext,
): Promise<boolean> {
  // A tensor that lies outside of its file has no bytes to compare.
  if (before === undefined || after === undefined) return before === after;
  return before[1] === 0 || context.isSame(old.reader, before, now.reader, after);
}

function plain(value: Json): string {
  return typeof value === 'string' ? shownText(value) : JSON.stringify(value);
}
