/** The `diff` of the plugin: tensors added, removed, retyped, changed or renamed; metadata and imports of pickles. */

import type { Change, DiffContext, Difference, Json, JsonObject, LayoutTensor, Limits, Reader } from '@mbk/plugin-sdk';
import { quoted } from './codes.ts';
import { type CheckpointOptions, type Survey, surveyOf } from './survey.ts';

export async function diffCheckpoint(
  before: Reader,
  after: Reader,
  context: DiffContext<CheckpointOptions>,
): Promise<Difference> {
  const old = await surveyOf(before, context);
  const now = await surveyOf(after, context);
  const changes: Change[] = [];
  if (old.format !== now.format) {
    changes.push({ what: 'file', name: 'format', change: 'changed', before: old.format, after: now.format });
  }
  compareFacts(old, now, changes);
  await compareTensors([before, old], [after, now], changes, context);
  return differenceOf(changes, context.limits);
}

/** Members of the facts that are lists or objects are compared one by one. */
function compareFacts(old: Survey, now: Survey, changes: Change[]): void {
  const [before, after] = [flat(old.facts), flat(now.facts)];
  for (const [name, value] of before) {
    const other = after.get(name);
    if (other === undefined) changes.push({ what: 'fact', name, change: 'removed', before: value });
    else if (JSON.stringify(other) !== JSON.stringify(value)) {
      changes.push({ what: 'fact', name, change: 'changed', before: value, after: other });
    }
  }
  for (const [name, value] of after) {
    if (!before.has(name)) changes.push({ what: 'fact', name, change: 'added', after: value });
  }
}

function flat(facts: JsonObject): ReadonlyMap<string, Json> {
  const result = new Map<string, Json>();
  for (const [name, value] of Object.entries(facts)) {
    if (name === 'globals' && Array.isArray(value)) {
      for (const global of value) result.set(`import ${String(global)}`, true);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, member] of Object.entries(value)) result.set(`${name}.${key}`, member);
    } else result.set(name, value);
  }
  return result;
}

type Version = readonly [reader: Reader, survey: Survey];

async function compareTensors(
  [before, old]: Version,
  [after, now]: Version,
  changes: Change[],
  context: DiffContext<CheckpointOptions>,
): Promise<void> {
  const others = new Map(now.tensors.map((tensor) => [tensor.name, tensor]));
  const names = new Set(old.tensors.map(({ name }) => name));
  for (const tensor of old.tensors) {
    context.signal.throwIfAborted();
    const { name } = tensor;
    const other = others.get(name);
    if (other === undefined) changes.push({ what: 'tensor', name, change: 'removed', before: formOf(tensor) });
    else if (formOf(tensor) !== formOf(other)) {
      const change = tensor.dtype === other.dtype ? 'changed' : 'retyped';
      changes.push({ what: 'tensor', name, change, before: formOf(tensor), after: formOf(other) });
    } else if (
      tensor.length > 0 &&
      !(await context.isSame(before, [tensor.offset, tensor.length], after, [other.offset, other.length]))
    ) {
      changes.push({ what: 'tensor', name, change: 'changed' });
    }
  }
  for (const tensor of now.tensors) {
    if (names.has(tensor.name)) continue;
    changes.push({ what: 'tensor', name: tensor.name, change: 'added', after: formOf(tensor) });
  }
}

/** `F16 [4096, 32000]`. */
function formOf({ byteOrder, dtype, shape }: LayoutTensor): string {
  return `${dtype} [${shape.join(', ')}]${byteOrder === 'big' ? ' big-endian' : ''}`;
}

const mostLines = 50;
/** Part of an answer's bytes that changes may take; lines take less. */
const share = 0.4;

function differenceOf(changes: readonly Change[], limits: Limits): Difference {
  const kept: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    bytes += Buffer.byteLength(JSON.stringify(change));
    if (kept.length === limits.changes || bytes > limits.answerBytes * share) break;
    kept.push(change);
  }
  const omitted = changes.length - kept.length;
  return { changes: kept, ...(omitted > 0 ? { omitted } : {}), lines: linesOf(changes) };
}

function linesOf(changes: readonly Change[]): readonly string[] {
  const counts = new Map<string, number>();
  const lines: string[] = [];
  for (const change of changes) {
    const kind = `${change.change} ${change.what}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= mostLines) lines.push(lineOf(change));
  }
  for (const [kind, count] of counts) {
    if (count > mostLines) lines.push(`… and ${count - mostLines} more: ${kind}`);
  }
  return lines;
}

const signs = { added: '+', removed: '-', changed: '~', retyped: '~', moved: '~' } as const;

function lineOf({ after, before, change, name, what }: Change): string {
  const value = (side: Json): string => quoted(typeof side === 'string' ? side : JSON.stringify(side)).slice(1, -1);
  const sides = [before, after].filter((side) => side !== undefined).map(value);
  const text = sides.length === 0 ? 'other values' : sides.join(' → ');
  return `${signs[change]} ${what} ${quoted(name).slice(1, -1)}: ${text}`.slice(0, 1000).toWellFormed();
}
