/** Facts that fit: long lists give way first. */

import type { Json, JsonObject } from '@mbk/plugin-sdk';

/** `facts` with as much of its lists `columns` and `labels` as `bytes` of JSON hold; what was left out is counted. */
export function fittingFacts(facts: JsonObject, bytes: number): JsonObject {
  let result = facts;
  for (const name of ['labels', 'columns', 'kinds'] as const) {
    while (size(result) > bytes - 256) {
      const list = result[name];
      if (!isList(list) || list.length === 0) break;
      const left = list.slice(0, Math.floor(list.length / 2));
      const before = result[`${name}Omitted`];
      const omitted = list.length - left.length + (typeof before === 'number' ? before : 0);
      result = { ...result, [name]: left, [`${name}Omitted`]: omitted };
    }
  }
  return result;
}

const size = (facts: JsonObject): number => Buffer.byteLength(JSON.stringify(facts));

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** `1 record`, `12,345 records`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
