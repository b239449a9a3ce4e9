/** A dataset as a whole: what its files hold together, and whether they are those that its manifests promise. */

import {
  type Examination,
  type Finding,
  findingList,
  type Folder,
  type FolderFile,
  type Inspection,
  type JsonObject,
  type ReaderContext,
} from '@mbk/plugin-sdk';
import { type DatasetCode, finding } from '../codes.ts';
import type { DatasetOptions } from '../options.ts';
import { counted, fittingFacts } from '../records/facts.ts';
import { shown } from '../records/utf8.ts';
import { columnChanges, type TableFacts, tableFacts } from '../table-facts.ts';
import { isManifest, type Manifests, readManifests } from './manifests.ts';

type Context = ReaderContext<DatasetOptions>;

export interface FolderExaminer {
  inspect(folder: Folder, context: Context): Promise<Inspection | undefined>;
  validate(folder: Folder, context: Context): Promise<readonly Finding[]>;
}

/** `inspect` and `validate` of one folder share what was found, as long as the folder is there. */
export function folderExaminer(): FolderExaminer {
  const known = new WeakMap<Folder, Examination>();
  const examine = async (folder: Folder, context: Context): Promise<Examination> => {
    const found = known.get(folder);
    if (found !== undefined) return found;
    const made = await examineFiles(folder, context);
    known.set(folder, made);
    return made;
  };
  return {
    inspect: async (folder, context) => (await examine(folder, context)).inspection,
    validate: async (folder, context) => (await examine(folder, context)).findings,
  };
}

/** Files of which the hash is remembered, to find equal ones and to put the hashes in order. */
const mostFiles = 100_000;
const mostColumns = 1000;
const mostGroups = 1000;

async function examineFiles(folder: Folder, { kernels, limits, signal }: Context): Promise<Examination> {
  const found = findingList();
  const add = (code: DatasetCode, message: string, place: Partial<Finding> = {}): void =>
    found.add(finding(code, message, place));
  const speakers: string[] = [];
  for await (const { path } of folder.files()) {
    signal.throwIfAborted();
    if (isManifest(path) && speakers.length < 1000) speakers.push(path);
  }
  const manifests = await readManifests(folder, speakers, signal, (each) => found.add(each));

  const names = kernels.sha256();
  const hashes: string[] = [];
  const byHash = new Map<string, string>();
  const schemas = new Map<string, { readonly path: string; readonly facts: TableFacts }>();
  const whole = wholeOf();
  const payload = { bytes: 0, files: 0 };
  let bytes = 0;
  let files = 0;
  for await (const file of folder.files()) {
    signal.throwIfAborted();
    const { facts, path, sha256, size } = file;
    checkPromises(file, manifests, add);
    if (path.startsWith('data/')) {
      payload.bytes += size;
      payload.files += 1;
    }
    if (isManifest(path)) continue;
    files += 1;
    bytes += size;
    names.update(encoder.encode(`${sha256}  ${path}\n`));
    if (files <= mostFiles) {
      hashes.push(sha256);
      const other = byHash.get(sha256);
      if (other === undefined) byHash.set(sha256, path);
      else if (size > 0)
        add('dataset/duplicate-file', `${shown(path)} holds the same bytes as ${shown(other)}`, { path });
    }
    if (facts === undefined) continue;
    whole.add(file.kind ?? '', facts);
    checkSchema(path, file.kind ?? '', tableFacts(facts), schemas, add);
  }
  checkMissing(manifests, add);
  if (manifests.isBag && payload.files === 0) add('dataset/bag-no-manifest', 'the bag has no payload in data/');
  const { oxum } = manifests;
  if (oxum !== undefined && manifests.toFetch.size === 0) {
    if (oxum.bytes !== payload.bytes || oxum.files !== payload.files) {
      const message = `Payload-Oxum says ${oxum.bytes}.${oxum.files}, the payload is ${payload.bytes}.${payload.files}`;
      add('dataset/bag-oxum', message, { path: 'bag-info.txt' });
    }
  }
  if (files > mostFiles) add('dataset/not-counted', `only the first ${mostFiles} files were compared with one another`);

  const contents = kernels.sha256();
  for (const hash of hashes.toSorted()) contents.update(encoder.encode(`${hash}\n`));
  const { facts, kinds, records } = whole.facts();
  const all: JsonObject = {
    format: 'dataset',
    files,
    bytes,
    fingerprint: names.digest(),
    ...(files > mostFiles ? {} : { contentFingerprint: contents.digest() }),
    ...(manifests.list.length > 0 ? { manifests: manifests.list.slice(0, 20).map(({ path }) => shown(path)) } : {}),
    ...facts,
  };
  const parts = [counted(files, 'file'), `${bytes.toLocaleString('en-US')} bytes`];
  if (records !== undefined) parts.push(counted(records, 'record'));
  return {
    inspection: {
      summary: `dataset, ${parts.join(', ')}${kinds === '' ? '' : `: ${kinds}`}`,
      facts: fittingFacts(all, limits.factsBytes),
    },
    findings: found.findings(),
  };
}

const encoder = new TextEncoder();

type Add = (code: DatasetCode, message: string, place?: Partial<Finding>) => void;

/** Holds a file against each manifest that speaks of it, or should. A promise that was looked at is crossed out. */
function checkPromises({ path, sha256, size }: FolderFile, { list }: Manifests, add: Add): void {
  for (const manifest of list) {
    const promise = manifest.files.get(path);
    const by = shown(manifest.path);
    if (promise === undefined) {
      if (manifest.isCut) continue;
      if (manifest.kind === 'payload' && path.startsWith('data/')) {
        add('dataset/bag-unlisted-file', `${by} does not list ${shown(path)}`, { path });
      }
      const base = manifest.path.slice(0, manifest.path.lastIndexOf('/') + 1);
      if (manifest.kind === 'sums' && path.startsWith(base) && !isManifest(path) && !isDocument(path)) {
        add('dataset/unlisted-file', `${by} does not list ${shown(path)}`, { path });
      }
      continue;
    }
    manifest.files.delete(path);
    if (promise.size !== undefined && promise.size !== size) {
      add('dataset/size-mismatch', `${shown(path)} has ${size} bytes, ${by} says ${promise.size}`, { path });
    }
    if (promise.sha256 !== undefined && promise.sha256 !== sha256) {
      const message = `${shown(path)} has SHA-256 ${sha256.slice(0, 12)}…, ${by} says ${promise.sha256.slice(0, 12)}…`;
      add('dataset/checksum-mismatch', message, { path });
    }
  }
}

/** Files beside the data that nobody sums up. */
function isDocument(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.startsWith('.') || /^(?:readme|licen[cs]e)\b/i.test(name);
}

/** What was promised and not there. */
function checkMissing({ list, toFetch }: Manifests, add: Add): void {
  let fetched = 0;
  for (const { files, path: by } of list) {
    for (const path of files.keys()) {
      if (toFetch.has(path)) fetched += 1;
      else add('dataset/missing-file', `${shown(by)} lists ${shown(path)}, which is not there`, { path });
    }
  }
  if (fetched > 0) {
    add('dataset/bag-fetch', `${counted(fetched, 'file')} of fetch.txt not fetched yet`, { path: 'fetch.txt' });
  }
}

/** Shards of one name, and splits beside one another, have one schema. */
function checkSchema(
  path: string,
  kind: string,
  facts: TableFacts,
  schemas: Map<string, { readonly path: string; readonly facts: TableFacts }>,
  add: Add,
): void {
  if (facts.columns === undefined || facts.isCut) return;
  const group = `${kind} ${shardName(path)}`;
  const first = schemas.get(group);
  if (first === undefined) {
    if (schemas.size < mostGroups) schemas.set(group, { path, facts });
    return;
  }
  const changes = columnChanges(first.facts.columns ?? new Map(), facts.columns).filter(
    ({ after, before }) => before !== 'null' && after !== 'null',
  );
  if (changes.length === 0) return;
  const words = changes.slice(0, 5).map(({ after, before, name }) => {
    if (after === undefined) return `no ${shown(name)}`;
    return before === undefined ? `${shown(name)} in addition` : `${shown(name)} as ${after}, not ${before}`;
  });
  const message = `${shown(path)} has ${words.join(', ')}, unlike ${shown(first.path)}`;
  add('dataset/schema-mismatch', message, { path });
}

/** The path without what tells shards and splits apart: numbers, `train`, `test`. */
function shardName(path: string): string {
  return path
    .replaceAll(/\d+/g, '#')
    .replace(/(^|[/._-])(?:train|test|valid|validation|val|dev|eval)(?=[/._-]|$)/gi, '$1*');
}

/** Adds up the facts of files. */
function wholeOf(): {
  add(kind: string, facts: JsonObject): void;
  facts(): { readonly facts: JsonObject; readonly kinds: string; readonly records: number | undefined };
} {
  const kinds = new Map<string, { files: number; records: number }>();
  const columns = new Map<string, Set<string>>();
  const labels = new Map<string, Map<string, number>>();
  let records: number | undefined;
  let isCut = false;
  return {
    add(kind, facts) {
      const table = tableFacts(facts);
      const own = kinds.get(kind) ?? { files: 0, records: 0 };
      kinds.set(kind, { files: own.files + 1, records: own.records + (table.records ?? 0) });
      records = table.records === undefined ? records : (records ?? 0) + table.records;
      isCut ||= table.isCut;
      for (const [name, type] of table.columns ?? []) {
        const known = columns.get(name);
        if (known !== undefined) known.add(type);
        else if (columns.size < mostColumns) columns.set(name, new Set([type]));
        else isCut = true;
      }
      for (const [field, values] of table.labels) {
        const counts = labels.get(field) ?? new Map<string, number>();
        if (labels.size < 8 || labels.has(field)) labels.set(field, counts);
        for (const [value, count] of values) {
          if (counts.size < 1000 || counts.has(value)) counts.set(value, (counts.get(value) ?? 0) + count);
        }
      }
    },
    facts() {
      const sorted = [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return {
        records,
        kinds: sorted.map(([kind, { files }]) => `${files} ${kind.slice(kind.indexOf('/') + 1)}`).join(', '),
        facts: {
          ...(records === undefined ? {} : { records }),
          kinds: sorted.map(([kind, own]) => ({ kind, ...own })),
          ...(columns.size === 0
            ? {}
            : { columns: [...columns].map(([name, types]) => ({ name, type: unionOf(types) })) }),
          ...(isCut ? { moreColumns: true } : {}),
          ...(labels.size === 0 ? {} : { labels: [...labels].map(([field, counts]) => labelFacts(field, counts)) }),
        },
      };
    },
  };
}

function unionOf(types: ReadonlySet<string>): string {
  const known = [...types].filter((type) => type !== 'null').toSorted();
  return known.length === 0 ? 'null' : known.slice(0, 10).join('|');
}

function labelFacts(field: string, counts: ReadonlyMap<string, number>): JsonObject {
  const sorted = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return { field, values: sorted.slice(0, 30).map(([value, count]) => ({ value, count })) };
}
