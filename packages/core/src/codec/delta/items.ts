/** The items of one part of a segment: out of its units and back, and their differences from those of the base. */
import { bitsOf, itemBytes, type Part, rowsOf } from './parts.ts';
import type { DeltaWorkspace } from './workspace.ts';

/** Bytes that the items of `units` units take where they are gathered. */
export function gatheredBytes(part: Part, units: number): number {
  return units * part.items * itemBytes(part);
}

/** Gathers the items of `units` units at `from` to `to`. */
export function gather(
  { kernels, at }: DeltaWorkspace,
  part: Part,
  unit: number,
  units: number,
  from: number,
  to: number,
): void {
  if (part.kind === 'bits') {
    kernels.bytes.set(part.plan, at.plan);
    kernels.mergeBits(from, unit, units, at.plan, rowsOf(part), part.terms, to);
  } else {
    kernels.gatherField(from + part.offset, unit, part.items * itemBytes(part), units, to);
  }
}

/** Puts items at `from` back to units at `to`, whose bits are 0 before where parts are made of bits. */
export function scatter(
  { kernels, at }: DeltaWorkspace,
  part: Part,
  unit: number,
  units: number,
  from: number,
  to: number,
): void {
  if (part.kind === 'bits') {
    kernels.bytes.set(part.plan, at.plan);
    kernels.spreadBits(to, unit, units, at.plan, rowsOf(part), part.terms, from);
  } else {
    kernels.scatterField(to + part.offset, unit, part.items * itemBytes(part), units, from);
  }
}

/** Makes `count` items their differences from those of the base; their symbols are where this says. */
export function differ({ kernels, at }: DeltaWorkspace, part: Part, count: number): number {
  if (part.kind !== 'numbers') {
    kernels.differ8(at.items, at.baseItems, count, bitsOf(part), part.kind === 'bytes' && part.isFloat);
    return at.items;
  }
  switch (part.size) {
    case 2:
      kernels.differ16(at.items, at.baseItems, count, part.isFloat, at.symbols);
      break;
    case 4:
      kernels.differ32(at.items, at.baseItems, count, part.isFloat, at.symbols);
      break;
    case 8:
      kernels.differ64(at.items, at.baseItems, count, part.isFloat, at.symbols);
      break;
  }
  return at.symbols;
}

/** Where the symbols of a part are to be read to, for `undiffer`. */
export function symbolsAt({ at }: DeltaWorkspace, part: Part): number {
  return part.kind === 'numbers' ? at.symbols : at.items;
}

/** Makes `count` symbols, and their rests at `rest`, the items again. */
export function undiffer({ kernels, at }: DeltaWorkspace, part: Part, count: number, rest: number): void {
  if (part.kind !== 'numbers') {
    kernels.undiffer8(at.items, at.baseItems, count, bitsOf(part), part.kind === 'bytes' && part.isFloat);
    return;
  }
  switch (part.size) {
    case 2:
      kernels.readRest16(at.symbols, count, rest, at.items);
      kernels.undiffer16(at.items, at.baseItems, count, part.isFloat);
      break;
    case 4:
      kernels.readRest32(at.symbols, count, rest, at.items);
      kernels.undiffer32(at.items, at.baseItems, count, part.isFloat);
      break;
    case 8:
      kernels.readRest64(at.symbols, count, rest, at.items);
      kernels.undiffer64(at.items, at.baseItems, count, part.isFloat);
      break;
  }
}

/** Writes what the symbols of `count` items do not tell to `to`; the end of it. */
export function writeRests({ kernels, at }: DeltaWorkspace, part: Part, count: number, to: number): number {
  if (part.kind !== 'numbers') return to;
  switch (part.size) {
    case 2:
      return kernels.writeRest16(at.items, at.symbols, count, to);
    case 4:
      return kernels.writeRest32(at.items, at.symbols, count, to);
    case 8:
      return kernels.writeRest64(at.items, at.symbols, count, to);
  }
}

/** Bytes of what the symbols of `count` items do not tell. */
export function restBytes({ kernels, at }: DeltaWorkspace, part: Part, count: number): number {
  return part.kind === 'numbers' ? Math.ceil(kernels.restBits(at.symbols, count) / 8) : 0;
}

/** Sets the class of each of `count` items of the base. */
export function classify({ kernels, at }: DeltaWorkspace, part: Part, count: number, low: number): void {
  if (part.kind === 'bits') kernels.upperBits(at.baseItems, count, part.bits, at.classes);
  else if (part.kind === 'bytes' && !part.isFloat) kernels.upperBits(at.baseItems, count, 8, at.classes);
  else if (part.kind === 'bytes') kernels.classesOf(at.baseItems, count, 1, 3, low, at.classes);
  else if (part.isFloat) kernels.classesOf(at.baseItems, count, part.size, part.exponent, low, at.classes);
  else kernels.clearRange(at.classes, count);
}
