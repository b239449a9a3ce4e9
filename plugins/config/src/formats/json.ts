/** JSON (RFC 8259), JSON with comments, and JSON5, with the place of every value. */

import { parse, type AnyNode, type Mode, type ValueNode } from '@humanwhocodes/momoa';
import { findingList, type FindingList, type Json } from '@mbk/plugin-sdk';
import { maxDepth, type ParsedText, type Place, pointerSegment, setMember } from '../document.ts';

export function parseJson(text: string, mode: Mode): ParsedText {
  const findings = findingList();
  const places = new Map<string, Place>();
  const root = parseTree(text, mode, findings);
  const value = root && toValue(root, { pointer: '', places, findings, left: maxDepth + 1 });
  return { value, places, documents: 1, findings: findings.findings() };
}

function parseTree(text: string, mode: Mode, findings: FindingList): ValueNode | undefined {
  try {
    return parse(text, { mode, allowTrailingCommas: mode !== 'json' }).body;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const place = placeOfError(error);
    findings.add({
      code: 'config/syntax',
      severity: 'error',
      message: (error instanceof Error ? error.message : String(error)).slice(0, 300),
      ...place,
    });
    return undefined;
  }
}

function placeOfError(error: unknown): Partial<Place> {
  if (typeof error !== 'object' || error === null || !('line' in error) || !('column' in error)) return {};
  const { line, column } = error;
  return typeof line === 'number' && typeof column === 'number' && line > 0 && column > 0 ? { line, column } : {};
}

interface Walk {
  readonly pointer: string;
  readonly places: Map<string, Place>;
  readonly findings: FindingList;
  readonly left: number;
}

function toValue(node: ValueNode, at: Walk): Json {
  if (at.left === 0) return null;
  switch (node.type) {
    case 'Object': {
      const object: Record<string, Json> = {};
      for (const { name, value } of node.members) {
        const key = name.type === 'String' ? name.value : name.name;
        const below = { ...at, pointer: at.pointer + pointerSegment(key), left: at.left - 1 };
        const place = placeOf(name);
        at.places.set(below.pointer, place);
        if (Object.hasOwn(object, key)) addDuplicate(key, place, below);
        setMember(object, key, toValue(value, below));
      }
      return object;
    }
    case 'Array':
      return node.elements.map(({ value }, index) => {
        const below = { ...at, pointer: `${at.pointer}/${index}`, left: at.left - 1 };
        at.places.set(below.pointer, placeOf(value));
        return toValue(value, below);
      });
    case 'Number':
      addRange(node.value, placeOf(node), at);
      return Number.isFinite(node.value) ? node.value : String(node.value);
    case 'NaN':
      return 'NaN';
    case 'Infinity':
      return node.sign === '-' ? '-Infinity' : 'Infinity';
    case 'Null':
      return null;
    default:
      return node.value;
  }
}

function addDuplicate(key: string, place: Place, { findings, pointer }: Walk): void {
  findings.add({
    code: 'config/duplicate-key',
    severity: 'error',
    message: `the key ${JSON.stringify(key.slice(0, 100))} stands twice in this object`,
    remedy: 'remove one of them',
    pointer,
    ...place,
  });
}

function addRange(value: number, place: Place, { findings, pointer }: Walk): void {
  if (!Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) > 1e21) return;
  findings.add({
    code: 'config/number-range',
    severity: 'warning',
    message: `the integer ${value} is beyond 2^53: many readers round it`,
    remedy: 'write it as text',
    pointer,
    ...place,
  });
}

function placeOf({ loc }: AnyNode): Place {
  return { line: loc.start.line, column: loc.start.column };
}
