/**
 * Which records were added, removed and changed, wherever they stand in the file. A record that has an id is changed
 * where another of its id stands in its place. Compared by hashes of 32 and 32 bits: counts may be off by one in
 * billions.
 */

import type { DiffContext, Difference, JsonObject, Reader } from '@mbk/plugin-sdk';
import { addSchemaChanges } from './diff-schema.ts';
import { differenceList } from './difference-list.ts';
import type { DatasetOptions } from './options.ts';
import { eachRecord, type RecordSeen } from './record-stream.ts';
import { counted } from './records/facts.ts';
import { scan } from './scan.ts';
import { tableFacts } from './table-facts.ts';

type Context = DiffContext<DatasetOptions>;

/** Records of each version that are compared: 8 bytes each. */
const mostRecords = 1_500_000;
/** Records of each kind of change that are named. */
const mostNamed = 20;

export async function diffRecords(before: Reader, after: Reader, context: Context): Promise<Difference> {
  const list = differenceList(context.limits);
  const [old, now] = [await factsOf(before, context), await factsOf(after, context)];
  addSchemaChanges(list, tableFacts(old).columns ?? new Map(), tableFacts(now).columns ?? new Map());

  const left = await hashesOf(before, context);
  const right = await hashesOf(after, context);
  const { added, changed, removed } = compare(left.hashes, right.hashes);
  const isCut = left.isCut || right.isCut;
  for (const [name, change, set] of [
    ['added', 'added', added],
    ['removed', 'removed', removed],
    ['changed', 'changed', changed],
  ] as const) {
    if (set.count === 0) continue;
    const from = change === 'removed' ? before : after;
    const names = await namesOf(from, set.examples, context);
    const sign = { added: '+', removed: '-', changed: '~' }[name];
    const which = names.length === 0 ? '' : `: ${names.join(', ')}${set.count > names.length ? ', …' : ''}`;
    list.change({ what: 'record', name: 'records', change, after: { count: set.count, examples: names } });
    list.line(`${sign} ${counted(set.count, 'record')} ${name}${which}`);
  }
  if (isCut) list.line(`only the first ${counted(mostRecords, 'record')} of each were compared`);
  return list.difference();
}

/** Facts without duplicates, which nobody asked for here. */
async function factsOf(reader: Reader, context: Context): Promise<JsonObject> {
  const options = { ...context.options, duplicates: 'off' as const };
  return (await scan(reader, { ...context, options })).inspection?.facts ?? {};
}

async function hashesOf(
  reader: Reader,
  { kind, signal }: Context,
): Promise<{ readonly hashes: BigUint64Array; readonly isCut: boolean }> {
  let hashes = new BigUint64Array(1024);
  let count = 0;
  let isCut = false;
  await eachRecord(reader, kind, signal, (record) => {
    if (count >= mostRecords) {
      isCut = true;
      return;
    }
    if (count === hashes.length) {
      const grown = new BigUint64Array(Math.min(mostRecords, 2 * count));
      grown.set(hashes);
      hashes = grown;
    }
    hashes[count] = packed(record);
    count += 1;
  });
  return { hashes: hashes.subarray(0, count).sort(), isCut };
}

const packed = ({ content, key }: RecordSeen): bigint => (BigInt(key) << 32n) | BigInt(content);

interface Some {
  count: number;
  readonly examples: Set<bigint>;
}

interface Compared {
  readonly added: Some;
  readonly removed: Some;
  readonly changed: Some;
}

/** Both are sorted: by key, then by content. */
function compare(left: BigUint64Array, right: BigUint64Array): Compared {
  const some = (): Some => ({ count: 0, examples: new Set() });
  const found: Compared = { added: some(), removed: some(), changed: some() };
  const note = (set: Some, count: number, values: readonly bigint[]): void => {
    set.count += count;
    for (const value of values) if (set.examples.size < mostNamed) set.examples.add(value);
  };
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const [a, b] = [left[l], right[r]];
    const key = (a === undefined || (b !== undefined && b < a) ? (b ?? 0n) : a) >> 32n;
    // Of each the number, and the first few.
    let [goneCount, comeCount] = [0, 0];
    const gone: bigint[] = [];
    const come: bigint[] = [];
    for (;;) {
      const [x, y] = [left[l], right[r]];
      const hasX = x !== undefined && x >> 32n === key;
      const hasY = y !== undefined && y >> 32n === key;
      if (!hasX && !hasY) break;
      if (hasX && hasY && x === y) {
        l += 1;
        r += 1;
      } else if (hasX && (!hasY || x < y)) {
        goneCount += 1;
        if (gone.length < mostNamed) gone.push(x);
        l += 1;
      } else if (hasY) {
        comeCount += 1;
        if (come.length < mostNamed) come.push(y);
        r += 1;
      }
    }
    const both = Math.min(goneCount, comeCount);
    note(found.changed, both, come.slice(0, both));
    note(found.added, comeCount - both, come.slice(both));
    note(found.removed, goneCount - both, gone.slice(both));
  }
  return found;
}

/** What people call those records. */
async function namesOf(reader: Reader, wanted: ReadonlySet<bigint>, { kind, signal }: Context): Promise<string[]> {
  const names: string[] = [];
  await eachRecord(reader, kind, signal, (record) => {
    if (names.length < mostNamed && wanted.has(packed(record))) names.push(record.name());
  });
  return names;
}
