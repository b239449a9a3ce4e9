/**
 * Checks what a plugin answered, before a host believes any of it: copies what the contract names, and says in one
 * sentence what is wrong with the rest. A value from a program or a thread may be anything.
 */

import { type Change, changeKinds, type Difference } from './difference.ts';
import { type Finding, severities } from './finding.ts';
import type { ExportedFile } from './folder.ts';
import type { Examination, Inspection } from './inspection.ts';
import type { Json, JsonObject } from './json.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** The value, or what is wrong with it. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Facts and findings together. */
export function checkExamination(value: unknown, limits: Limits = defaultLimits): Checked<Examination> {
  return checked(() => {
    const { findings, inspection } = record(value, 'the answer');
    const facts = inspection === undefined ? {} : { inspection: inspectionOf(inspection, limits) };
    return { ...facts, findings: findingsOf(findings, limits) };
  });
}

/** Facts alone. */
export function checkInspection(value: unknown, limits: Limits = defaultLimits): Checked<Inspection> {
  return checked(() => inspectionOf(value, limits));
}

/** A list of findings; beyond `limits.findings` the rest is left out. */
export function checkFindings(value: unknown, limits: Limits = defaultLimits): Checked<readonly Finding[]> {
  return checked(() => findingsOf(value, limits));
}

/** What changed between two versions; beyond `limits.changes` the rest is counted. */
export function checkDifference(value: unknown, limits: Limits = defaultLimits): Checked<Difference> {
  return checked(() => {
    const { changes, lines, omitted, patch } = record(value, 'the difference');
    const list = listOf(changes, 'changes');
    const left = Math.max(0, list.length - limits.changes) + (omitted === undefined ? 0 : whole(omitted, 'omitted'));
    return {
      changes: list.slice(0, limits.changes).map((change) => changeOf(change, limits)),
      ...(left > 0 ? { omitted: left } : {}),
      lines: listOf(lines, 'lines')
        .slice(0, limits.changes)
        .map((line) => textOf(line, 'a line', limits.messageLength)),
      ...(patch === undefined ? {} : { patch: jsonOf(patch, 'patch', limits.answerBytes) }),
    };
  });
}

/** Files to be written beside an exported folder: each at another place below it. */
export function checkExport(value: unknown, limits: Limits = defaultLimits): Checked<readonly ExportedFile[]> {
  return checked(() => {
    const paths = new Set<string>();
    let bytes = 0;
    return listOf(value, 'the exported files').map((file): ExportedFile => {
      const { path, text } = record(file, 'an exported file');
      if (typeof path !== 'string' || !isPlaceBelow(path))
        throw new Refusal('an exported file has no place below its folder');
      if (paths.has(path)) throw new Refusal(`two exported files have one name, ${path.slice(0, 100)}`);
      if (typeof text !== 'string') throw new Refusal(`${path.slice(0, 100)} is no text`);
      bytes += Buffer.byteLength(text);
      if (bytes > limits.exportBytes) throw new Refusal(`the exported files are more than ${limits.exportBytes} bytes`);
      paths.add(path);
      return { path, text: text.toWellFormed() };
    });
  });
}

/** Names joined by `/` that lead nowhere else, on any system. */
function isPlaceBelow(path: string): boolean {
  if (path.length > 1000 || !path.isWellFormed()) return false;
  // oxlint-disable-next-line no-control-regex -- what no file name should have
  return !/[\0-\x1f\x7f\\]/.test(path) && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}

class Refusal extends Error {}

function checked<T>(read: () => T): Checked<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    // Getters and proxies of a hostile value may throw anything.
    return { ok: false, reason: error instanceof Refusal ? error.message : 'reading the answer failed' };
  }
}

function inspectionOf(value: unknown, limits: Limits): Inspection {
  const { facts, summary } = record(value, 'the inspection');
  return {
    summary: textOf(summary, 'summary', limits.summaryLength),
    facts: jsonOf(record(facts, 'facts'), 'facts', limits.factsBytes) as JsonObject,
  };
}

function findingsOf(value: unknown, limits: Limits): readonly Finding[] {
  return listOf(value, 'findings')
    .slice(0, limits.findings)
    .map((finding) => findingOf(finding, limits));
}

const codeForm = /^[a-z0-9][a-z0-9-]{0,63}\/[a-z0-9][a-z0-9-]{0,63}$/;

function findingOf(value: unknown, limits: Limits): Finding {
  const fields = record(value, 'a finding');
  const { code, column, count, line, message, offset, path, pointer, remedy, severity } = fields;
  if (typeof code !== 'string' || !codeForm.test(code)) throw new Refusal('the code of a finding is not format/what');
  const found = severities.find((known) => known === severity);
  if (found === undefined) throw new Refusal(`${code}: the severity is none of ${severities.join(', ')}`);
  const text = (member: unknown, name: string): string => textOf(member, `${code}: ${name}`, limits.messageLength);
  const number = (member: unknown, name: string): number => whole(member, `${code}: ${name}`);
  return {
    code,
    severity: found,
    message: text(message, 'message'),
    ...(remedy === undefined ? {} : { remedy: text(remedy, 'remedy') }),
    ...(offset === undefined ? {} : { offset: number(offset, 'offset') }),
    ...(pointer === undefined ? {} : { pointer: text(pointer, 'pointer') }),
    ...(line === undefined ? {} : { line: number(line, 'line') }),
    ...(column === undefined ? {} : { column: number(column, 'column') }),
    ...(path === undefined ? {} : { path: textOf(path, `${code}: path`, 4096) }),
    ...(count === undefined ? {} : { count: number(count, 'count') }),
  };
}

function changeOf(value: unknown, limits: Limits): Change {
  const { after, before, change, name, what } = record(value, 'a change');
  const kind = changeKinds.find((known) => known === change);
  if (kind === undefined) throw new Refusal(`a change is none of ${changeKinds.join(', ')}`);
  return {
    what: textOf(what, 'what', 64),
    name: textOf(name, 'the name of a change', 65_536),
    change: kind,
    ...(before === undefined ? {} : { before: jsonOf(before, 'before', limits.factsBytes) }),
    ...(after === undefined ? {} : { after: jsonOf(after, 'after', limits.factsBytes) }),
  };
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(`${what} is no object`);
  return value as Record<string, unknown>;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Refusal(`${what} is no list`);
  return Array.from(value as readonly unknown[]);
}

/** Text without broken surrogates, cut to so many characters. */
function textOf(value: unknown, what: string, length: number): string {
  if (typeof value !== 'string') throw new Refusal(`${what} is no text`);
  const fitting = value.length > length ? `${value.slice(0, length - 1)}…` : value;
  return fitting.toWellFormed();
}

function whole(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Refusal(`${what} is no whole number`);
  return value as number;
}

/** A copy through JSON: what is no plain data is refused. */
function jsonOf(value: unknown, what: string, bytes: number): Json {
  let text: string | undefined;
  try {
    text = JSON.stringify(plain(value, what, 0));
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(`${what} is no plain data`);
  }
  if (text.length > bytes || Buffer.byteLength(text) > bytes) throw new Refusal(`${what} is more than ${bytes} bytes`);
  return JSON.parse(text) as Json;
}

const deepest = 32;

function plain(value: unknown, what: string, depth: number): unknown {
  if (depth > deepest) throw new Refusal(`${what} is more than ${deepest} levels deep`);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Refusal(`${what} holds a number that JSON has not`);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, what, depth + 1));
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null) throw new Refusal(`${what} holds what is no plain data`);
  return Object.fromEntries(
    Object.entries(value as object)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name.toWellFormed(), plain(member, what, depth + 1)]),
  );
}
