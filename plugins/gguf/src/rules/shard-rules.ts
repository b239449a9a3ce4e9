/**
 * Sets of files (llama-model-loader.cpp): `NAME-00001-of-00003.gguf` has `split.no` 0, the model's keys and a part of
 * its tensors, the others `split.no` and the rest. The first answers for the whole set.
 */

import { type Dtype, isLayoutError, type Reader, type ReaderContext } from '@mbk/plugin-sdk';
import { type Problems, quoted } from '../codes.ts';
import { walkGgufHeader } from '../header.ts';
import { type NameSet, nameSet } from '../name-set.ts';
import { type GgufSurvey, surveyOf } from '../survey.ts';
import type { DtypeTotal, TensorTable } from '../tensor-table.ts';

/**
 * `single file`; `whole set` and `incomplete set`: the first file of one whose tensors do or do not all lie in the
 * files that are there; `later shard`: any other file of a set, which has no keys of a model.
 */
export type ShardSet = 'single file' | 'whole set' | 'incomplete set' | 'later shard';

/** What the rules for models ask of tensors, whichever files these lie in. */
export type ModelTensors = Pick<TensorTable, 'count' | 'blocks' | 'shapes' | 'totals'>;

export interface Shards {
  readonly set: ShardSet;
  /** Of the file, and of the others of a whole set. */
  readonly tensors: ModelTensors;
}

const keys = ['split.no', 'split.count', 'split.tensors.count'];
/** Files that are looked for in vain before the rest is taken to be missing too. */
const mostMissing = 16;

/** Looks whether the set that the file belongs to is whole and of one piece. */
export async function readShards(
  reader: Reader,
  survey: GgufSurvey,
  problems: Problems,
  context: ReaderContext,
): Promise<Shards> {
  const place = await placeInSet(reader, survey, problems, context);
  if (typeof place === 'string') return { set: place, tensors: survey.tensors };
  return readOthers(reader, survey, place, { problems, context });
}

/** The name of the set where this is its first file, as the others are to be looked for. */
async function placeInSet(
  reader: Reader,
  survey: GgufSurvey,
  problems: Problems,
  context: ReaderContext,
): Promise<ShardSet | NamedSet> {
  const { keyValues, start } = survey;
  const found = keys.filter((key) => keyValues.find(key) !== undefined);
  if (found.length === 0) return 'single file';
  const number = keyValues.whole('split.no');
  const count = keyValues.whole('split.count');
  const offset = keyValues.find('split.no')?.valueOffset ?? start;
  // A set of one is a file like any other.
  if (count !== undefined && count <= 1 && (number ?? 0) === 0) return 'single file';
  const missing = keys.filter((key) => !found.includes(key));
  if (missing.length > 0) {
    problems.report('split-keys', `the file is of a set, and ${missing.join(' and ')} is missing`, { offset });
  }
  if (number === undefined || count === undefined) return 'incomplete set';
  if (number < 0 || number >= count) {
    problems.report('split-number', `split.no is ${number}, split.count is ${count}`, { offset });
    return number === 0 ? 'incomplete set' : 'later shard';
  }
  const name = reader.path.slice(reader.path.lastIndexOf('/') + 1);
  const ending = shardEnding(number, count);
  // Asking for the file by its own name makes the host ask again once it has another.
  await reader.sibling(name, { signal: context.signal });
  if (!name.endsWith(ending) || name === ending) {
    problems.report('split-name', `the file is named ${quoted(name)}, loaders look for …${ending}`, { offset });
    return number === 0 ? 'incomplete set' : 'later shard';
  }
  return number > 0 ? 'later shard' : { prefix: name.slice(0, -ending.length), count };
}

interface NamedSet {
  readonly prefix: string;
  readonly count: number;
}

interface Asking {
  readonly problems: Problems;
  readonly context: ReaderContext;
}

async function readOthers(
  reader: Reader,
  survey: GgufSurvey,
  { count, prefix }: NamedSet,
  { context, problems }: Asking,
): Promise<Shards> {
  const offset = survey.keyValues.find('split.count')?.valueOffset ?? survey.start;
  const claimed = survey.keyValues.whole('split.tensors.count');
  const tables: ModelTensors[] = [survey.tensors];
  const names = nameSet(Math.min(Math.max(claimed ?? 0, survey.tensors.count), context.limits.tensors));
  await addNames(reader, survey.start, names, context);
  let missing = 0;
  let isSound = true;
  for (let index = 1; index < count && missing < mostMissing; index += 1) {
    const name = prefix + shardEnding(index, count);
    const shard = await reader.sibling(name, { signal: context.signal });
    if (shard === undefined) {
      missing += 1;
      problems.report('missing-shard', `${quoted(name)}, file ${index + 1} of ${count}, is missing`, { offset });
      continue;
    }
    const found = await readShard(shard, index, context);
    if (typeof found === 'string') {
      isSound = false;
      problems.report('shard-mismatch', `${quoted(name)} ${found}`, { offset });
      continue;
    }
    tables.push(found.tensors);
    for (const twice of await addNames(shard, found.start, names, context)) {
      problems.report('duplicate-tensor', `tensor ${quoted(twice)} of ${quoted(name)} is in a file before it too`);
    }
  }
  if (missing > 0 || !isSound) return { set: 'incomplete set', tensors: survey.tensors };
  const tensors = merged(tables);
  if (claimed !== undefined && claimed !== tensors.count) {
    const message = `split.tensors.count is ${claimed}, the files have ${tensors.count} tensors`;
    const at = survey.keyValues.find('split.tensors.count')?.valueOffset ?? offset;
    problems.report('split-tensor-count', message, { offset: at });
  }
  return { set: 'whole set', tensors };
}

/** The survey of the file of this number, or what is wrong with it. What is wrong inside of it, it is told itself. */
async function readShard(shard: Reader, index: number, context: ReaderContext): Promise<GgufSurvey | string> {
  let survey: GgufSurvey | undefined;
  try {
    survey = await surveyOf(shard, context);
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    return `cannot be read: ${error.message}`;
  }
  if (survey === undefined) return 'is no GGUF file';
  if (survey.end === undefined) return 'has a header that cannot be read';
  const number = survey.keyValues.whole('split.no');
  return number === index ? survey : `has split.no ${number ?? 'missing'}, expected ${index}`;
}

/** Adds the names of a file's tensors; those that were there, up to three. */
async function addNames(
  reader: Reader,
  start: number,
  names: NameSet,
  context: ReaderContext,
): Promise<readonly string[]> {
  const twice: string[] = [];
  await walkGgufHeader(
    reader,
    context,
    {
      encoding: () => undefined,
      keyValue: () => undefined,
      tensorCount: () => undefined,
      tensor({ name }) {
        if (!names.addText(name) && twice.length < 3) twice.push(name);
      },
    },
    start,
  );
  return twice;
}

function merged(tables: readonly ModelTensors[]): ModelTensors {
  const totals = new Map<Dtype, DtypeTotal>();
  for (const [dtype, added] of tables.flatMap((table) => [...table.totals])) {
    const sum = totals.get(dtype);
    totals.set(dtype, {
      tensors: (sum?.tensors ?? 0) + added.tensors,
      elements: (sum?.elements ?? 0) + added.elements,
      bytes: (sum?.bytes ?? 0) + added.bytes,
      matrixElements: (sum?.matrixElements ?? 0) + added.matrixElements,
    });
  }
  return {
    count: tables.reduce((sum, { count }) => sum + count, 0),
    blocks: new Set(tables.flatMap(({ blocks }) => [...blocks])),
    shapes: new Map(tables.flatMap(({ shapes }) => [...shapes])),
    totals,
  };
}

/** llama.cpp, llama_split_path. */
function shardEnding(index: number, count: number): string {
  const digits = (number: number): string => String(number).padStart(5, '0');
  return `-${digits(index + 1)}-of-${digits(count)}.gguf`;
}
