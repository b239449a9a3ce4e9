/** How many bytes a delta would take, by a sample: the same models, counted and not written. */
import { selfBits } from '../context/entropy.ts';
import { differ, gather, gatheredBytes, restBytes } from './items.ts';
import { fit } from './models.ts';
import type { Part, Parts } from './parts.ts';
import type { DeltaWorkspace } from './workspace.ts';

/** Slices of the sample, and items of the largest part in all of them. */
const slices = 8;
const sampleItems = 32_768;
/** Bytes of a frame and of a part that hold no items. */
const frameBytes = 64;
const partBytes = 40;
/** Bits that a table takes, and each of its symbols. */
const tableBits = 24;
const weightBits = 8;

/** Bytes that the delta of `plain` would take, nearly. Lengths are the same. */
export function estimatedBytes(workspace: DeltaWorkspace, parts: Parts, plain: Uint8Array, base: Uint8Array): number {
  const units = sample(workspace, parts, plain, 'plain');
  sample(workspace, parts, base, 'base');
  const all = Math.floor(plain.length / parts.unit);
  let bytes = frameBytes + (plain.length % parts.unit);
  for (const part of units === 0 ? [] : parts.parts) {
    const { items, tables } = sizeOf(workspace, part, parts.unit, units);
    bytes += partBytes + Math.min(tables + (items * all) / units, (gatheredBytes(part, units) * all) / units);
  }
  return Math.ceil(bytes);
}

/** Puts slices of whole units from all over the frame into a region; how many units they have. */
function sample({ kernels, at }: DeltaWorkspace, parts: Parts, bytes: Uint8Array, region: 'plain' | 'base'): number {
  const { unit } = parts;
  const all = Math.floor(bytes.length / unit);
  const most = Math.floor(sampleItems / Math.max(unit, ...parts.parts.map(({ items }) => items)));
  if (all <= Math.max(most, 1)) {
    kernels.bytes.set(bytes.subarray(0, all * unit), at[region]);
    return all;
  }
  const each = Math.max(Math.floor(most / slices), 1);
  const taken = most < slices ? 1 : slices;
  for (let slice = 0; slice < taken; slice += 1) {
    const start = Math.floor(((all - each) * slice) / slices) * unit;
    kernels.bytes.set(bytes.subarray(start, start + each * unit), at[region] + slice * each * unit);
  }
  return each * taken;
}

/** Bytes of the items of a part of the sample, and of what a frame would say of them. */
function sizeOf(
  workspace: DeltaWorkspace,
  part: Part,
  unit: number,
  units: number,
): { readonly items: number; readonly tables: number } {
  const { kernels, at } = workspace;
  gather(workspace, part, unit, units, at.plain, at.items);
  gather(workspace, part, unit, units, at.base, at.baseItems);
  if (kernels.equalRanges(at.items, at.baseItems, gatheredBytes(part, units))) return { items: 0, tables: 0 };
  const count = units * part.items;
  const symbols = differ(workspace, part, count);
  const { counts } = fit(workspace, { part, count, symbols });
  let bits = 8 * restBytes(workspace, part, count);
  let head = 0;
  for (const each of counts) {
    let total = 0;
    head += tableBits;
    for (const times of each) {
      total += times;
      bits -= selfBits(times);
      if (times > 0) head += weightBits;
    }
    bits += selfBits(total);
  }
  return { items: bits / 8, tables: head / 8 };
}
