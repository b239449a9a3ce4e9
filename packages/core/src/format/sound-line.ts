/**
 * Whether a row of a log is just what its reader in `log-rows.ts` makes of it: then it is taken as it is.
 *
 * A log of 10,000 snapshots has as many lines and tags, and reading each field by field, to say what is wrong with it,
 * takes longer than all else that opening it needs. Whatever is not sound here goes to the reader, which decides.
 */
import type { Capture, HeadLine, LineCapture, LogLine } from './log-operations.ts';
import type { Line, TagRow } from './log-state.ts';

type Row = Readonly<Record<string, unknown>>;

/** Of a head in an operation. */
export function isSoundHeadLine(value: unknown): value is HeadLine {
  return isRow(value, 7) && hasHeadFields(value);
}

/** Of a state, with the entry that carried it. */
export function isSoundLine(value: unknown): value is Line {
  return (
    isRow(value, 10) &&
    hasHeadFields(value) &&
    isNumber(value['n'], 1) &&
    isNumber(value['at']) &&
    isHex64(value['actor'])
  );
}

export function isSoundTagRow(value: unknown): value is TagRow {
  return (
    isRow(value, 7) &&
    isMatch(value['domain'], domainPattern) &&
    isText(value['name'], 200) &&
    isHex40(value['commit']) &&
    isHex40(value['object']) &&
    isHex64(value['bundle']) &&
    isNumber(value['n'], 1) &&
    isNumber(value['at'])
  );
}

function hasHeadFields(row: Row): boolean {
  const { domain, tag, tagObject } = row;
  return (
    isMatch(domain, domainPattern) &&
    (row['from'] === null || isHex40(row['from'])) &&
    isHex40(row['to']) &&
    isHex64(row['bundle']) &&
    (tag === null ? tagObject === null : isText(tag, 200) && tag.startsWith(`${domain}/`) && isHex40(tagObject)) &&
    isSoundLogLine(row['line'])
  );
}

function isSoundLogLine(value: unknown): value is LogLine {
  return (
    isRow(value, 12) &&
    isNumber(value['takenAt']) &&
    isText(value['message'], longestText) &&
    isText(value['host'], 1000) &&
    (value['plan'] === null || isText(value['plan'], 200)) &&
    isText(value['run'], 200) &&
    isNumber(value['files']) &&
    isNumber(value['bytes']) &&
    isNumber(value['added']) &&
    isNumber(value['stored']) &&
    isArrayOf(value['flags'], isFlag, 100) &&
    isArrayOf(value['captures'], isSoundLineCapture, mostItems) &&
    isArrayOf(value['carried'], isSoundCapture, mostItems)
  );
}

function isSoundLineCapture(value: unknown): value is LineCapture {
  return (
    isRow(value, 4) &&
    isMatch(value['collection'], collectionPattern) &&
    isHex64(value['tree']) &&
    isNumber(value['files']) &&
    isNumber(value['bytes'])
  );
}

function isSoundCapture(value: unknown): value is Capture {
  return isRow(value, 2) && isHex40(value['commit']) && isMatch(value['collection'], collectionPattern);
}

const domainPattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const collectionPattern = /^[a-z0-9][a-z0-9._-]{0,62}\/[a-z0-9][a-z0-9._-]{0,62}$/;
const flagPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
const hexPattern = /^[0-9a-f]*$/;
/** What `Fields` allows unless told otherwise. */
const longestText = 65_536;
const mostItems = 1_048_576;

const isFlag = (value: unknown): boolean => isMatch(value, flagPattern);

/** A JSON object with so many fields. */
function isRow(value: unknown, fields: number): value is Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let count = 0;
  for (const _ in value) count += 1; // much faster than a list of the keys
  return count === fields;
}

function isArrayOf(value: unknown, isItem: (item: unknown) => boolean, most: number): boolean {
  return Array.isArray(value) && value.length <= most && value.every(isItem);
}

function isNumber(value: unknown, least = 0): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest && value.isWellFormed();
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isHex40(value: unknown): boolean {
  return typeof value === 'string' && value.length === 40 && hexPattern.test(value);
}

function isHex64(value: unknown): boolean {
  return typeof value === 'string' && value.length === 64 && hexPattern.test(value);
}
