/** Reads the project's documents: as much of Markdown as their tests look at. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project's folder. */
export const root: string = join(import.meta.dirname, '../..');

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A file of the project as text. */
export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The files of a folder of the project, by their paths from its root; folders of tools and builds left out. */
export function filesBelow(folder: string, isWanted: (path: string) => boolean = () => true): string[] {
  const skipped = new Set(['node_modules', 'dist', 'dist-bundle', 'coverage', '.git', '.vite-temp']);
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(path, isWanted);
    return entry.isFile() && isWanted(path) ? [path] : [];
  });
}

/** What stands under a heading, up to the next one of its level or above. */
export function sectionOf(text: string, heading: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start === -1) throw new Error(`expected a heading ${JSON.stringify(heading)}`);
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 0;
  const end = lines.findIndex((line, at) => at > start && (/^#+(?= )/.exec(line)?.[0].length ?? 99) <= level);
  return lines.slice(start + 1, end === -1 ? undefined : end).join('\n');
}

/** The tables of a text, in order; cells as they are written. */
export function tablesOf(text: string): Table[] {
  const tables: Table[] = [];
  let block: string[] = [];
  for (const line of [...text.split('\n'), '']) {
    if (line.startsWith('|')) {
      block.push(line);
    } else if (block.length > 0) {
      const [head = [], , ...rows] = block.map(cellsOf);
      tables.push({ head, rows });
      block = [];
    }
  }
  return tables;
}

/** The table whose first heading cell is `first`. */
export function tableOf(text: string, first: string): Table {
  const table = tablesOf(text).find(({ head }) => head[0] === first);
  if (table === undefined) throw new Error(`expected a table that begins with ${JSON.stringify(first)}`);
  return table;
}

/** Text between backticks, in order. */
export function codeOf(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** The number that a document writes as `1,048,576`. */
export function numberOf(text: string): number {
  if (!/^\d{1,3}(,\d{3})*$|^\d+$/.test(text)) throw new Error(`expected a number, got ${JSON.stringify(text)}`);
  return Number(text.replaceAll(',', ''));
}

/** A number as documents write it. */
export function shown(number: number): string {
  return number.toLocaleString('en-US');
}

function cellsOf(line: string): string[] {
  return line
    .replace(/^\|\s*|\s*\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}
