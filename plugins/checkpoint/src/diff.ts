/** The `diff` of the plugin: tensors added, removed, retyped, changed or renamed; metadata and imports of pickles. */

import {
  type ChangeList,
  changeList,
  type DiffContext,
  type Difference,
  type Json,
  type JsonObject,
  type LayoutTensor,
  type Reader,
} from '@mbk/plugin-sdk';
import { quoted } from './codes.ts';
import { type CheckpointOptions, type Survey, surveyOf } from './survey.ts';

export async function diffCheckpoint(
  before: Reader,
  after: Reader,
  context: DiffContext<CheckpointOptions>,
): Promise<Difference> {
  const old = await surveyOf(before, context);
  const now = await surveyOf(after, context);
  const changes = changeList({ limits: context.limits, shown });
  if (old.format !== now.format) {
    changes.add({ what: 'file', name: 'format', change: 'changed', before: old.format, after: now.format });
  }
  compareFacts(old, now, changes);
  await compareTensors([before, old], [after, now], changes, context);
  return changes.difference();
}

/** Members of the facts that are lists or objects are compared one by one. */
function compareFacts(old: Survey, now: Survey, changes: ChangeList): void {
  const [before, after] = [flat(old.facts), flat(now.facts)];
  for (const [name, value] of before) {
    const other = after.get(name);
    if (other === undefined) changes.add({ what: 'fact', name, change: 'removed', before: value });
    else if (JSON.stringify(other) !== JSON.stringify(value)) {
      changes.add({ what: 'fact', name, change: 'changed', before: value, after: other });
    }
  }
  for (const [name, value] of after) {
    if (!before.has(name)) changes.add({ what: 'fact', name, change: 'added', after: value });
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
  changes: ChangeList,
  context: DiffContext<CheckpointOptions>,
): Promise<void> {
  /** Of the newer version, those that the older one is not seen to have. */
  const others = new Map(now.tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of old.tensors) {
    context.signal.throwIfAborted();
    const { name } = tensor;
    const other = others.get(name);
    others.delete(name);
    if (other === undefined) changes.add({ what: 'tensor', name, change: 'removed', before: formOf(tensor) });
    else if (formOf(tensor) !== formOf(other)) {
      const change = tensor.dtype === other.dtype ? 'changed' : 'retyped';
      changes.add({ what: 'tensor', name, change, before: formOf(tensor), after: formOf(other) });
    } else if (
      tensor.length > 0 &&
      !(await context.isSame(before, [tensor.offset, tensor.length], after, [other.offset, other.length]))
    ) {
      changes.add({ what: 'tensor', name, change: 'changed' });
    }
  }
  for (const tensor of others.values()) {
    changes.add({ what: 'tensor', name: tensor.name, change: 'added', after: formOf(tensor) });
  }
}

/** `F16 [4096, 32000]`. */
function formOf({ byteOrder, dtype, shape }: LayoutTensor): string {
  return `${dtype} [${shape.join(', ')}]${byteOrder === 'big' ? ' big-endian' : ''}`;
}

/** Without control characters, in a line of its own. */
function shown(text: string): string {
  return quoted(text).slice(1, -1);
}
