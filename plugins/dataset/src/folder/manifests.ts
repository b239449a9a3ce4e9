/** What the manifests of a folder promise: read first, held against the files afterwards. */

import type { Finding, Folder, JsonObject } from '@mbk/plugin-sdk';
import { type DatasetCode, finding } from '../codes.ts';
import { isUnsafePath } from '../records/unsafe-path.ts';
import { shown } from '../records/utf8.ts';
import { isObject, listOf, numberOf, textOf } from '../table-facts.ts';
import { bagLine, type ManifestEntry, type ManifestLine, percentDecoded, sumsLine } from './manifest-lines.ts';

/** What a manifest says of a file. */
export interface Promised {
  /** Undefined where it has another hash, or none. */
  readonly sha256?: string;
  readonly size?: number;
}

export interface Manifest {
  /** From the folder. */
  readonly path: string;
  readonly kind: 'sums' | 'payload' | 'tags' | 'croissant';
  /** By path from the folder. */
  readonly files: Map<string, Promised>;
  /** Whether it has more entries than are kept. */
  readonly isCut: boolean;
}

export interface Manifests {
  readonly list: readonly Manifest[];
  /** Of a bag: bytes and files of the payload. */
  readonly oxum: { readonly bytes: number; readonly files: number } | undefined;
  readonly isBag: boolean;
  /** Files that a bag leaves to be fetched. */
  readonly toFetch: ReadonlySet<string>;
}

/** Entries of all manifests that are kept. */
const mostEntries = 100_000;
const largestManifest = 16 * 1_048_576;
const largestCroissant = 2 * 1_048_576;

export const sumsName: RegExp = /^(?:sha256sums?)(?:\.txt)?$/i;
export const bagManifest: RegExp = /^(tag)?manifest-([a-z0-9]+)\.txt$/;

/** Whether a file is there to speak of others: it does not count as data. */
export function isManifest(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (sumsName.test(name) || path === 'croissant.json') return true;
  return bagManifest.test(path) || ['bagit.txt', 'bag-info.txt', 'fetch.txt'].includes(path);
}

/** Reads those of `paths` that are manifests. */
export async function readManifests(
  folder: Folder,
  paths: readonly string[],
  signal: AbortSignal,
  add: (finding: Finding) => void,
): Promise<Manifests> {
  const list: Manifest[] = [];
  let left = mostEntries;
  const say = (code: DatasetCode, message: string, place: Partial<Finding>): void => add(finding(code, message, place));

  const readLines = async (
    path: string,
    kind: Manifest['kind'],
    parse: (line: string) => ManifestLine,
    keep: (entry: ManifestEntry) => Promised,
  ): Promise<void> => {
    const text = await textIn(folder, path, largestManifest, signal);
    if (text === undefined) return say('dataset/not-counted', `${shown(path)} is larger than 16 MiB`, { path });
    const files = new Map<string, Promised>();
    const base = kind === 'sums' ? path.slice(0, path.lastIndexOf('/') + 1) : '';
    let isCut = false;
    let number = 0;
    for (const line of linesOf(text)) {
      number += 1;
      const read = parse(line);
      if (read === 'none') continue;
      if (read === 'invalid')
        say('dataset/manifest-syntax', `line ${number} is no checksum and path`, { path, line: number });
      else if (read === 'unsafe') {
        say('dataset/unsafe-path', `line ${number} names a path outside of the folder`, { path, line: number });
      } else if (left > 0) {
        left -= 1;
        files.set(base + read.path, keep(read));
      } else isCut = true;
    }
    if (isCut) say('dataset/not-counted', `only the first ${mostEntries} entries of manifests were checked`, { path });
    list.push({ path, kind, files, isCut });
  };

  const names = new Set(paths);
  const isBag = names.has('bagit.txt');
  for (const path of paths) {
    const bag = isBag ? bagManifest.exec(path) : null;
    if (bag !== null) {
      const algorithm = bag[2] ?? '';
      if (algorithm !== 'sha256') {
        say('dataset/manifest-algorithm', `${path} has ${algorithm}, which was not computed`, { path });
      }
      await readLines(
        path,
        bag[1] === undefined ? 'payload' : 'tags',
        (line) => bagLine(line, algorithm),
        ({ digest }) => (algorithm === 'sha256' ? { sha256: digest } : {}),
      );
    } else if (sumsName.test(path.slice(path.lastIndexOf('/') + 1))) {
      await readLines(path, 'sums', sumsLine, ({ digest }) => ({ sha256: digest }));
    } else if (path === 'croissant.json') {
      const files = await readCroissant(folder, signal, say);
      if (files !== undefined) list.push({ path, kind: 'croissant', files, isCut: false });
    }
  }
  const toFetch = new Set<string>();
  let oxum: Manifests['oxum'];
  if (isBag) {
    await checkDeclaration(folder, signal, say);
    const info = names.has('bag-info.txt') ? await textIn(folder, 'bag-info.txt', 1_048_576, signal) : undefined;
    const match = /^Payload-Oxum:[ \t]*(\d{1,15})\.(\d{1,15})[ \t]*$/im.exec(info ?? '');
    if (match !== null) oxum = { bytes: Number(match[1]), files: Number(match[2]) };
    const fetches = names.has('fetch.txt') ? await textIn(folder, 'fetch.txt', largestManifest, signal) : undefined;
    for (const line of linesOf(fetches ?? '')) {
      const path = /^\S+[ \t]+(?:\d+|-)[ \t]+(.+)$/.exec(line)?.[1];
      if (path !== undefined && toFetch.size < mostEntries) toFetch.add(percentDecoded(path));
    }
    if (!list.some(({ kind }) => kind === 'payload')) {
      say('dataset/bag-no-manifest', 'the bag has no manifest of its payload', { path: 'bagit.txt' });
    }
  }
  return { list, oxum, isBag, toFetch };
}

async function checkDeclaration(
  folder: Folder,
  signal: AbortSignal,
  say: (code: DatasetCode, message: string, place: Partial<Finding>) => void,
): Promise<void> {
  const path = 'bagit.txt';
  const text = (await textIn(folder, path, 65_536, signal)) ?? '';
  if (!/^BagIt-Version: \d+\.\d+\r?$/m.test(text)) {
    say('dataset/bag-declaration', 'bagit.txt has no BagIt-Version', { path });
  }
  if (!/^Tag-File-Character-Encoding: \S+\r?$/m.test(text)) {
    say('dataset/bag-declaration', 'bagit.txt has no Tag-File-Character-Encoding', { path });
  }
}

/** FileObjects of `croissant.json` that lie in the folder. */
async function readCroissant(
  folder: Folder,
  signal: AbortSignal,
  say: (code: DatasetCode, message: string, place: Partial<Finding>) => void,
): Promise<Map<string, Promised> | undefined> {
  const path = 'croissant.json';
  const text = await textIn(folder, path, largestCroissant, signal);
  let document: JsonObject = {};
  try {
    const value = JSON.parse(text ?? '') as JsonObject[string];
    if (isObject(value)) document = value;
  } catch {
    const why = text === undefined ? 'is larger than 2 MiB' : 'is no JSON';
    say('dataset/croissant-syntax', `croissant.json ${why}`, { path });
    return undefined;
  }
  const written = document['distribution'];
  const distribution = isObject(written) ? [written] : listOf(written);
  if (distribution === undefined) {
    say('dataset/croissant-syntax', 'croissant.json has no distribution', { path });
    return undefined;
  }
  const files = new Map<string, Promised>();
  for (const [index, node] of distribution.entries()) {
    const pointer = `/distribution/${index}`;
    const url = textOf(node['contentUrl']);
    // Files within an archive, and those on a server, are not in this folder.
    if (url === '' || node['containedIn'] !== undefined || /^[a-z][a-z0-9+.-]*:/i.test(url)) continue;
    const name = url.replace(/^(?:\.\/)+/, '');
    if (isUnsafePath(name)) {
      say('dataset/unsafe-path', 'a contentUrl leads out of the folder', { path, pointer });
      continue;
    }
    const digest = textOf(node['sha256']).toLowerCase();
    const size = bytesOf(node['contentSize']);
    if (digest !== '' && !/^[0-9a-f]{64}$/.test(digest)) {
      say('dataset/manifest-syntax', `the sha256 of ${shown(name)} is none`, { path, pointer });
    }
    files.set(name, {
      ...(/^[0-9a-f]{64}$/.test(digest) ? { sha256: digest } : {}),
      ...(size === undefined ? {} : { size }),
    });
  }
  return files;
}

/** `123`, `"123"`, `"123 B"`; sizes in larger units are rounded, and not compared. */
function bytesOf(value: JsonObject[string] | undefined): number | undefined {
  const plain = numberOf(value);
  if (plain !== undefined) return plain;
  const match = /^(\d{1,15})(?: ?B| bytes)?$/.exec(textOf(value));
  return match === null ? undefined : Number(match[1]);
}

/** The text of a small file; undefined where it is larger, empty where it is not there. */
async function textIn(folder: Folder, path: string, most: number, signal: AbortSignal): Promise<string | undefined> {
  const reader = await folder.open(path, { signal });
  if (reader === undefined) return '';
  if (reader.size > most) return undefined;
  return new TextDecoder().decode(await reader.read(0, reader.size, { signal }));
}

function* linesOf(text: string): Generator<string> {
  let at = 0;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    yield text.slice(at, text[end - 1] === '\r' ? end - 1 : end);
    at = end + 1;
  }
}
