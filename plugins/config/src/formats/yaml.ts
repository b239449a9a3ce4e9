/** YAML 1.2 (and 1.1 where a file says so), several documents in one file, merge keys. */

import { type Finding, findingList, type FindingList, type Json } from '@mbk/plugin-sdk';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseAllDocuments,
  type Scalar,
} from 'yaml';
import { maxDepth, type ParsedText, type Place, pointerSegment, setMember } from '../document.ts';

/** Times an alias may be resolved for each that the file holds: what "billion laughs" goes beyond. */
const aliasExpansion = 100;

/** Nested brackets, and `- - - …`, beyond which nobody wrote the file. */
const hopeless = 10 * maxDepth;
const hopelessList = new RegExp(`(?:[-?:][ \\t]+){${hopeless}}`);

/** Plain scalars that YAML 1.1 reads as something else than YAML 1.2 does. */
const readDifferently: readonly (readonly [RegExp, (text: string) => string])[] = [
  [
    /^[-+]?\d+[eE][-+]?\d+$/,
    (text) => `YAML 1.2 reads ${text} as a number, PyYAML as text: write ${text.replace(/[eE]/, '.0e')}`,
  ],
  [/^(?:y|n|yes|no|on|off)$/i, (text) => `YAML 1.2 reads ${text} as text, PyYAML as true or false: put it in quotes`],
  [/^[-+]?0\d+$/, (text) => `YAML 1.2 reads ${text} as decimal, PyYAML as octal`],
  [
    /^[-+]?\d+(?::[0-5]?\d)+$/,
    (text) => `YAML 1.2 reads ${text} as text, PyYAML as a number to base 60: put it in quotes`,
  ],
];

export function parseYaml(text: string): ParsedText {
  // Its reader takes time in the square of the depth.
  if (bracketDepth(text) > hopeless || hopelessList.test(text)) throw new RangeError('nested too deep');
  const lines = new LineCounter();
  const findings = findingList();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    logLevel: 'silent',
    uniqueKeys: true,
    intAsBigInt: false,
  });
  const documents: readonly Document[] = 'empty' in parsed ? [] : parsed;
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  for (const document of documents) addProblems(document, findings, placeOf);
  if (findings.hasErrors)
    return { value: undefined, places: new Map(), documents: documents.length, findings: findings.findings() };

  const places = new Map<string, Place>();
  const values = documents.map((document, index) => {
    const prefix = documents.length > 1 ? `/${index}` : '';
    walk(document.contents, { pointer: prefix, places, findings, placeOf, depth: 0 });
    return toJson(document, findings);
  });
  const value = documents.length > 1 ? values.map((one) => one ?? null) : values[0];
  return {
    value: findings.hasErrors ? undefined : (value ?? null),
    places,
    documents: documents.length,
    findings: findings.findings(),
  };
}

function addProblems(document: Document, findings: FindingList, placeOf: (offset: number) => Place): void {
  for (const { code, message, pos } of document.errors) {
    const place = placeOf(pos[0]);
    if (code === 'DUPLICATE_KEY')
      findings.add({
        code: 'config/duplicate-key',
        severity: 'error',
        message: 'a key stands twice in this mapping',
        remedy: 'remove one of them',
        ...place,
      });
    else if (code === 'RESOURCE_EXHAUSTION') throw new RangeError(message);
    else findings.add({ code: 'config/syntax', severity: 'error', message: message.slice(0, 300), ...place });
  }
  for (const { code, message, pos } of document.warnings) {
    const isTag = code === 'TAG_RESOLVE_FAILED';
    findings.add({
      code: isTag ? 'config/unknown-tag' : 'config/syntax',
      severity: 'warning',
      message: message.slice(0, 300),
      ...placeOf(pos[0]),
    });
  }
}

interface Walk {
  readonly pointer: string;
  readonly places: Map<string, Place>;
  readonly findings: FindingList;
  readonly placeOf: (offset: number) => Place;
  readonly depth: number;
}

/** Notes where each part stands, and says which scalars other readers take for something else. */
function walk(node: unknown, at: Walk): void {
  if (at.depth > maxDepth) return;
  const inside = (name: string): Walk => ({ ...at, pointer: at.pointer + pointerSegment(name), depth: at.depth + 1 });
  if (isMap(node)) {
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const below = inside(String(pair.key.value));
      note(pair.key, below);
      addAmbiguity(pair.key, below);
      walk(pair.value, below);
    }
  } else if (isCollection(node)) {
    for (const [index, item] of node.items.entries()) {
      const below = inside(String(index));
      note(item, below);
      walk(item, below);
    }
  } else if (isScalar(node)) {
    addAmbiguity(node, at);
  } else if (isAlias(node)) {
    note(node, at);
  }
}

function note(node: unknown, { pointer, places, placeOf }: Walk): void {
  const range = rangeOf(node);
  if (range !== undefined) places.set(pointer, placeOf(range));
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const [start]: unknown[] = node.range;
  return typeof start === 'number' ? start : undefined;
}

function addAmbiguity(scalar: Scalar, { pointer, placeOf, findings }: Walk): void {
  const { source, type } = scalar;
  if (type !== 'PLAIN' || source === undefined || source.length > 32) return;
  const explain = readDifferently.find(([pattern]) => pattern.test(source))?.[1];
  const start = rangeOf(scalar);
  if (explain === undefined || start === undefined) return;
  findings.add({
    code: 'config/ambiguous-scalar',
    severity: 'info',
    message: explain(source),
    pointer,
    ...placeOf(start),
  });
}

function toJson(document: Document, findings: FindingList): Json | undefined {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: aliasExpansion, mapAsMap: false });
  } catch (error) {
    findings.add(expands(error));
    return undefined;
  }
  return plain(value, maxDepth + 1, findings);
}

function expands(error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  return /alias/i.test(message)
    ? {
        code: 'config/expands',
        severity: 'error',
        message: `an alias cannot be followed: ${message.slice(0, 200)}`,
        remedy: 'write the values out',
      }
    : { code: 'config/syntax', severity: 'error', message: message.slice(0, 300) };
}

/** As JSON can hold it: dates and big integers as text, keys as text, bytes by their number. */
function plain(value: unknown, left: number, findings: FindingList): Json {
  if (left === 0) return null;
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return String(value);
    case 'object':
      break;
    default:
      return null;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value) || value instanceof Set) return [...value].map((item) => plain(item, left - 1, findings));
  const object: Record<string, Json> = {};
  const entries =
    value instanceof Map ? [...value].map(([key, item]) => [String(key), item] as const) : Object.entries(value);
  for (const [name, member] of entries) setMember(object, name, plain(member, left - 1, findings));
  return object;
}

/** Most brackets that are open at once; those in text and comments count too. */
function bracketDepth(text: string): number {
  let [depth, most] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '[' || character === '{') depth += 1;
    else if ((character === ']' || character === '}') && depth > 0) depth -= 1;
    if (depth > most) most = depth;
  }
  return most;
}
