/** Asks the plugin about files in memory, as a host does. */

import {
  defaultOptions,
  type DiffContext,
  type Examination,
  examineFile,
  examineStream,
  type JsonObject,
  matchingRule,
  memoryReader,
  plainContext,
  type ReaderContext,
} from '@mbk/plugin-sdk';
import { plugin } from '../src/index.ts';
import { utf8 } from './samples.ts';

export type Content = string | Uint8Array;

export const bytesOf = (content: Content): Uint8Array => (typeof content === 'string' ? utf8(content) : content);

export function contextFor(path: string, options: JsonObject = {}): ReaderContext & DiffContext {
  const kind = matchingRule(plugin.match, { path, head: new Uint8Array(0) })?.kind ?? '';
  return plainContext({ kind, options: { ...defaultOptions(plugin.options), ...options } });
}

export async function examined(path: string, content: Content, options: JsonObject = {}): Promise<Examination> {
  const reader = memoryReader(path, bytesOf(content));
  const context = contextFor(path, options);
  const rule = matchingRule(plugin.match, { path, head: new Uint8Array(0) });
  return rule?.reads === 'stream' ? examineStream(plugin, reader, context) : examineFile(plugin, reader, context);
}

/** Each finding as `what line:column +offset ×count`, without `dataset/`. */
export async function shownFindings(path: string, content: Content, options: JsonObject = {}): Promise<string[]> {
  const { findings } = await examined(path, content, options);
  return findings.map(({ code, column, count, line, offset }) => {
    const parts = [code.replace('dataset/', '')];
    if (line !== undefined) parts.push(column === undefined ? `${line}` : `${line}:${column}`);
    if (offset !== undefined) parts.push(`+${offset}`);
    if (count !== undefined) parts.push(`×${count}`);
    return parts.join(' ');
  });
}
