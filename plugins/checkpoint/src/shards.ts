/** `model.safetensors.index.json`: which file of a set has which tensor, and how many bytes there are together. */

import { isLayoutError, type JsonObject, type Reader, type ReaderContext } from '@mbk/plugin-sdk';
import { type Problems, problemList, quoted } from './codes.ts';
import { surveySafetensors } from './safetensors/survey.ts';

const longestIndex = 1 << 24;
const mostShards = 1024;

export interface ShardIndex {
  /** By file, the tensors that it should have. */
  readonly files: ReadonlyMap<string, ReadonlySet<string>>;
  readonly totalSize: number | undefined;
  readonly tensors: number;
}

/** Undefined for one that cannot be read; `problems` say why. */
export async function readIndex(
  reader: Reader,
  problems: Problems,
  signal: AbortSignal,
): Promise<ShardIndex | undefined> {
  const bad = (message: string): undefined => {
    problems.report('shards/bad-index', message, { offset: 0 });
    return undefined;
  };
  if (reader.size > longestIndex) return bad(`an index of ${reader.size} bytes, of at most ${longestIndex}`);
  let parsed: unknown;
  const bytes = await reader.read(0, reader.size, { signal });
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return bad('the index is no valid JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) return bad('the index is no object');
  const { metadata, weight_map: map } = parsed as Record<string, unknown>;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return bad('the index has no weight_map');
  const files = new Map<string, Set<string>>();
  let tensors = 0;
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string') return bad(`the file of ${quoted(name)} is no text`);
    if (file.includes('/') || file.includes('\\') || file === '' || file === '..') {
      problems.report('shards/unsafe-name', `the file ${quoted(file)} is no name in the folder of the index`);
      continue;
    }
    const names = files.get(file) ?? new Set<string>();
    files.set(file, names.add(name));
    tensors += 1;
  }
  if (files.size > mostShards) return bad(`${files.size} files, of at most ${mostShards}`);
  const total = typeof metadata === 'object' && metadata !== null ? (metadata as JsonObject)['total_size'] : undefined;
  return { files, tensors, totalSize: typeof total === 'number' ? total : undefined };
}

/** Holds the index against the headers of its files. */
export async function checkShards(
  reader: Reader,
  { files, totalSize }: ShardIndex,
  problems: Problems,
  context: Pick<ReaderContext, 'signal' | 'limits'>,
): Promise<void> {
  const { signal } = context;
  let bytes = 0;
  let isComplete = true;
  for (const [file, expected] of files) {
    const shard = await reader.sibling(file, { signal });
    if (shard === undefined) {
      problems.report('shards/missing-file', `${quoted(file)} is not there, with ${expected.size} tensors`);
      isComplete = false;
      continue;
    }
    const names = await shardNames(shard, context);
    if (names === undefined) {
      // A set of pickles, or a broken file, which has findings of its own.
      isComplete = false;
      continue;
    }
    bytes += names.bytes;
    for (const name of expected) {
      if (!names.all.has(name))
        problems.report('shards/missing-tensor', `${quoted(file)} does not have ${quoted(name)}`);
    }
    for (const name of names.all) {
      if (!expected.has(name))
        problems.report(
          'shards/unlisted-tensor',
          `${quoted(file)} has ${quoted(name)}, which the index does not put there`,
        );
    }
  }
  if (isComplete && totalSize !== undefined && totalSize !== bytes) {
    problems.report('shards/total-size', `the index says ${totalSize} bytes, the tensors have ${bytes}`, {
      pointer: '/metadata/total_size',
    });
  }
}

async function shardNames(
  shard: Reader,
  context: Pick<ReaderContext, 'signal' | 'limits'>,
): Promise<{ readonly all: ReadonlySet<string>; readonly bytes: number } | undefined> {
  if (!shard.path.endsWith('.safetensors')) return undefined;
  try {
    const survey = await surveySafetensors(shard, context, problemList());
    if (survey?.isWhole !== true) return undefined;
    return {
      all: new Set(survey.tensors.map(({ name }) => name)),
      bytes: survey.tensors.reduce((sum, { length }) => sum + length, 0),
    };
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    return undefined;
  }
}

/** Whether the file is such an index. */
export function isIndex(path: string): boolean {
  return /\.(?:safetensors|bin)\.index\.json$/i.test(path);
}
