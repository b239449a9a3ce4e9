/** What changed between two versions of a configuration, by path: order of keys, comments and layout do not count. */

import type { Change, DiffContext, Difference, Json, Reader } from '@mbk/plugin-sdk';
import { lastName, pointerSegment } from './document.ts';
import type { ConfigOptions } from './options.ts';
import type { ReadConfigOf } from './parse-document.ts';
import { isSecret, masked } from './secrets/find-secrets.ts';

export async function diff(
  before: Reader,
  after: Reader,
  { kind, limits, signal }: DiffContext<ConfigOptions>,
  readConfig: ReadConfigOf,
): Promise<Difference> {
  const old = (await readConfig(before, kind, signal)).document?.value;
  const now = (await readConfig(after, kind, signal)).document?.value;
  if (old === undefined || now === undefined) {
    const side =
      old === undefined ? (now === undefined ? 'neither version' : 'the older version') : 'the newer version';
    const cannot = side === 'neither version' ? 'can be read' : 'cannot be read';
    return { changes: [], lines: [`${side} ${cannot} as a configuration`] };
  }
  const steps = compare(old, now, '');
  const kept = steps.slice(0, limits.changes);
  return {
    changes: kept.map(toChange),
    lines: kept.map(toLine),
    patch: kept.map(toPatch),
    ...(steps.length > kept.length && { omitted: steps.length - kept.length }),
  };
}

interface Step {
  readonly pointer: string;
  readonly change: 'added' | 'removed' | 'changed' | 'retyped';
  readonly before?: Json;
  readonly after?: Json;
}

/** In an order in which the steps can be applied one after the other. */
function compare(before: Json, after: Json, pointer: string): Step[] {
  if (Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, pointer);
  if (isObject(before) && isObject(after)) return compareObjects(before, after, pointer);
  if (before === after) return [];
  if (sizeOf(before) === 0 && sizeOf(after) === 0 && typeOf(before) === typeOf(after)) return [];
  return [{ pointer, change: typeOf(before) === typeOf(after) ? 'changed' : 'retyped', before, after }];
}

function compareObjects(
  before: { readonly [name: string]: Json },
  after: { readonly [name: string]: Json },
  pointer: string,
): Step[] {
  const removed = Object.entries(before).filter(([name]) => !Object.hasOwn(after, name));
  const steps: Step[] = removed.map(([name, value]) => ({
    pointer: pointer + pointerSegment(name),
    change: 'removed',
    before: value,
  }));
  for (const [name, value] of Object.entries(after)) {
    const below = pointer + pointerSegment(name);
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    if (old === undefined) steps.push({ pointer: below, change: 'added', after: value });
    else for (const step of compare(old, value, below)) steps.push(step);
  }
  return steps;
}

/** What is equal at both ends stays; what is left in the middle is compared in order. */
function compareLists(before: readonly Json[], after: readonly Json[], pointer: string): Step[] {
  let start = 0;
  while (start < before.length && start < after.length && isEqual(before[start], after[start])) start += 1;
  let [oldEnd, newEnd] = [before.length, after.length];
  while (oldEnd > start && newEnd > start && isEqual(before[oldEnd - 1], after[newEnd - 1]))
    [oldEnd, newEnd] = [oldEnd - 1, newEnd - 1];

  const shared = Math.min(oldEnd, newEnd);
  const steps: Step[] = [];
  for (let at = start; at < shared; at += 1)
    for (const step of compare(before[at] ?? null, after[at] ?? null, `${pointer}/${at}`)) steps.push(step);
  for (let at = oldEnd - 1; at >= shared; at -= 1)
    steps.push({ pointer: `${pointer}/${at}`, change: 'removed', before: before[at] ?? null });
  for (let at = shared; at < newEnd; at += 1)
    steps.push({ pointer: `${pointer}/${at}`, change: 'added', after: after[at] ?? null });
  return steps;
}

function toChange({ after, before, change, pointer }: Step): Change {
  return {
    what: 'value',
    name: pointer,
    change,
    ...(before !== undefined && { before: brief(before, pointer) }),
    ...(after !== undefined && { after: brief(after, pointer) }),
  };
}

function toLine({ after, before, change, pointer }: Step): string {
  const name = pointer === '' ? '(document)' : pointer;
  const [old, now] = [shown(before, pointer), shown(after, pointer)];
  if (change === 'added') return `+ ${name}: ${now}`;
  if (change === 'removed') return `- ${name}: ${old}`;
  const types = change === 'retyped' ? ` (${typeOf(before)} to ${typeOf(after)})` : '';
  return `~ ${name}: ${old} → ${now}${types}`;
}

function toPatch({ after, change, pointer }: Step): Json {
  if (change === 'removed') return { op: 'remove', path: pointer };
  return { op: change === 'added' ? 'add' : 'replace', path: pointer, value: withoutSecrets(after ?? null, pointer) };
}

/** A change tells scalars; of more it tells how much. */
function brief(value: Json, pointer: string): Json {
  const safe = withoutSecrets(value, pointer);
  if (typeof safe === 'string') return safe.slice(0, 500);
  return isObject(safe) || Array.isArray(safe) ? `${typeOf(safe)} of ${sizeOf(safe)}` : safe;
}

function shown(value: Json | undefined, pointer: string): string {
  if (value === undefined) return '';
  const text = JSON.stringify(withoutSecrets(value, pointer));
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

function withoutSecrets(value: Json, pointer: string): Json {
  if (typeof value === 'string') return isSecret(value, lastName(pointer)) ? masked(value) : value;
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, `${pointer}/${index}`));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withoutSecrets(member, pointer + pointerSegment(name))]),
  );
}

function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  return a !== undefined && b !== undefined && compare(a, b, '').length === 0;
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: Json | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object'
    ? 'mapping'
    : typeof value === 'boolean'
      ? 'true or false'
      : typeof value === 'string'
        ? 'text'
        : 'number';
}

function sizeOf(value: Json): number {
  return typeof value === 'object' && value !== null ? Object.keys(value).length : -1;
}
