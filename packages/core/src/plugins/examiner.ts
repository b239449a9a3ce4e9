/**
 * Asks plugins about the files of a snapshot, and makes one report of what they say and of what becomes of them: whatever
 * a plugin does, it costs a finding, never the snapshot (docs/plugins.md).
 */
import type { Difference, ExportedFile, Finding, FolderFile, JsonObject } from '@mbk/plugin-sdk';
import fs from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { sha256Hex } from '../crypto/hash.ts';
import type { AssetReport } from '../format/asset-line.ts';
import { bufferOfBytes, bytesOfText, type ByteString } from '../format/byte-name.ts';
import { utf8 } from '../format/bytes.ts';
import { canonicalFactsText } from '../format/canonical-json.ts';
import type {
  Answer,
  AskedFile,
  DiffFolderCall,
  ExamineAnswer,
  ExamineCall,
  ExamineFolderCall,
  ExamineManyCall,
  ExportFolderCall,
  FileIdentity,
  FolderSource,
  SeenSibling,
} from './plugin-calls.ts';
import { has, type PluginSource } from './plugin-source.ts';
import type { ExaminedStore } from './examined-store.ts';
import type { NoAnswer, PluginAsker } from './plugin-thread.ts';
import type { RowScan } from './row-scan.ts';

/** What was found out about an asset, for its row in the stat cache and its line in the catalogue. */
export interface Examined {
  readonly report: AssetReport;
  /** Under what circumstances (`isCurrent`); absent if it is to be tried again. */
  readonly examined?: string;
}

/** An asset and who knows it. */
export interface AssetKind {
  readonly plugin: number;
  readonly kind: string;
  readonly collection: string | undefined;
}

export interface AskedAsset extends AssetKind {
  /** For display. */
  readonly path: string;
  readonly reads: 'random' | 'stream';
}

export interface FedFile {
  /** Where its bytes are sent (`feedSender`). */
  readonly port: MessagePort;
  /** Undefined if it did not come whole. */
  readonly examined: Promise<Examined | undefined>;
}

export interface Examiner {
  /** A file of the source. Undefined if it is not any more what it was. */
  file(asset: AskedAsset, file: SourceFile): Promise<Examined | undefined>;
  /** A file wherever it is. */
  asked(asset: AskedAsset, file: AskedFile & Content): Promise<Examined | undefined>;
  /** Small files in one buffer; in their order. */
  many(
    assets: readonly (AskedAsset & { readonly offset: number; readonly length: number })[],
    bytes: Uint8Array,
  ): Promise<readonly Examined[]>;
  /** A file of a stream rule, as it is read. */
  feed(asset: AskedAsset, size: number): FedFile;
  folder(
    asset: AssetKind & { readonly path: string },
    files: readonly FolderFile[],
    source: FolderSource,
  ): Promise<Examined>;
  /** Findings about what became of the facts. */
  drift(
    asset: AssetKind & { readonly isFolder: boolean },
    before: JsonObject,
    after: JsonObject,
  ): Promise<readonly Finding[]>;
  diff(asset: AssetKind, before: AskedFile, after: AskedFile): Promise<Difference | { readonly problem: Finding }>;
  /** What changed between two versions of a folder; undefined where the plugin does not compare folders. */
  diffFolder(
    asset: AssetKind,
    before: AskedFolder,
    after: AskedFolder,
  ): Promise<Difference | { readonly problem: Finding } | undefined>;
  /** Files that the plugin wants beside the folder when it is exported. */
  exportFolder(
    asset: AssetKind,
    folder: AskedFolder,
  ): Promise<{ readonly files: readonly ExportedFile[] } | { readonly problem: Finding }>;
  /** Whether what was found out about a file under these circumstances still holds. */
  isCurrent(asset: AssetKind, examined: string | undefined): boolean;
  close(): Promise<void>;
}

export interface AskedFolder {
  /** For display; empty for the root. */
  readonly path: string;
  readonly files: readonly FolderFile[];
  readonly source: FolderSource;
}

/** What is known of the bytes of a file: with it, what was said of them before is said again. */
export interface Content {
  readonly sha256?: string | undefined;
}

export interface SourceFile extends Content {
  readonly location: ByteString;
  readonly identity: FileIdentity;
  readonly rows?: RowScan | undefined;
}

export interface ExaminerOptions {
  readonly sources: readonly PluginSource[];
  readonly thread: PluginAsker;
  /** For streams, so that one that waits for its bytes holds up nobody. */
  readonly streams: PluginAsker;
  /** Where the files of this run lie; undefined where they lie in a repository. */
  readonly root: ByteString | undefined;
  /** What was said before. */
  readonly store?: ExaminedStore | undefined;
}

export function examiner(options: ExaminerOptions): Examiner {
  const { root, sources, store, streams, thread } = options;
  const circumstances = new Map<string, string>();

  const keyOf = ({ collection = '', kind, plugin }: AssetKind): string => {
    const name = `${plugin} ${kind} ${collection}`;
    const known = circumstances.get(name);
    if (known !== undefined) return known;
    const source = sourceAt(plugin);
    const { apiVersion, name: pluginName, version } = source.manifest;
    const text = canonicalFactsText([apiVersion, pluginName, version, kind, collection, source.options]);
    const key = sha256Hex(utf8(text)).slice(0, 32);
    circumstances.set(name, key);
    return key;
  };
  const sourceAt = (number: number): PluginSource => {
    const source = sources[number];
    if (source === undefined) throw new RangeError(`expected a plugin below ${sources.length}, got ${number}`);
    return source;
  };
  const pluginName = (number: number): string => {
    const { name, version } = sourceAt(number).manifest;
    return `${name} ${version}`;
  };

  const examinedOf = (
    asset: AssetKind & { readonly path: string },
    answer: ExamineAnswer | NoAnswer,
  ): Examined | undefined => {
    if (answer.type === 'stale') return undefined;
    const plugin = pluginName(asset.plugin);
    if (answer.type !== 'answer') return { report: { plugin, findings: [hostFinding(plugin, asset.path, answer)] } };
    const { findings, inspection } = answer.value;
    return {
      report: { plugin, ...inspection, ...(findings.length > 0 ? { findings } : {}) },
      examined: circumstancesText(keyOf(asset), answer.siblings),
    };
  };

  /** Asks, unless it is known what the answer was for the same bytes. */
  const askOrKnow = async (
    asset: AskedAsset,
    { sha256, ...file }: AskedFile & Content,
    rows?: RowScan,
  ): Promise<Examined | undefined> => {
    const key = keyOf(asset);
    const known = sha256 === undefined ? undefined : store?.get(key, sha256);
    if (known !== undefined) return { report: known, examined: key };
    const found = await askOne(asset, file, rows);
    // What depends on other files, or is to be tried again, is not known from the bytes.
    if (sha256 !== undefined && found?.examined === key) store?.put(key, sha256, found.report);
    return found;
  };

  const askOne = async (asset: AskedAsset, file: AskedFile, rows?: RowScan): Promise<Examined | undefined> => {
    const { collection, kind, path, plugin, reads } = asset;
    const call: ExamineCall = { plugin, kind, reads, collection, path, source: file.source, rows };
    const { source } = file;
    const isFed = source.type === 'feed';
    const answer = await (isFed ? streams : thread).ask('examine', call, { buffers: isFed ? [source.port] : [] });
    return examinedOf(asset, answer as ExamineAnswer | NoAnswer);
  };

  const many: Examiner['many'] = async (assets, bytes) => {
    const files = assets.map(({ collection, kind, length, offset, path, plugin, reads }) => ({
      plugin,
      kind,
      reads,
      collection,
      path,
      offset,
      length,
    }));
    // Kept for when a plugin takes the thread down: what came with its file is asked again.
    const call: ExamineManyCall = { files, bytes };
    const answers = (await thread.ask('examineMany', call)) as readonly ExamineAnswer[] | NoAnswer;
    if (!('type' in answers)) {
      return answers.map(
        (answer, i) => examinedOf(assets[i] ?? failAt(i), answer) ?? unread(pluginName(assets[i]?.plugin ?? 0)),
      );
    }
    const culprit = assets[answers.at];
    if (culprit === undefined) throw new RangeError(`expected a file below ${assets.length}, got ${answers.at}`);
    const found = examinedOf(culprit, answers) ?? unread(pluginName(culprit.plugin));
    const before = assets.slice(0, answers.at);
    const after = assets.slice(answers.at + 1);
    return [
      ...(before.length > 0 ? await many(before, bytes) : []),
      found,
      ...(after.length > 0 ? await many(after, bytes) : []),
    ];
  };

  return {
    file: (asset, { identity, location, rows, sha256 }) =>
      askOrKnow(asset, { path: asset.path, source: { type: 'file', location, identity }, sha256 }, rows),
    asked: (asset, file) => askOrKnow(asset, file),
    many,
    feed(asset, size) {
      const { port1, port2 } = new MessageChannel();
      const examined = askOne(asset, { path: asset.path, source: { type: 'feed', port: port2, size } });
      // Of a question that was never asked; a thread that ends takes the port with it.
      const over = (): void => port2.close();
      examined.then(over, over);
      return { port: port1, examined };
    },

    async folder(asset, files, source) {
      const call: ExamineFolderCall = { ...asset, files, source };
      const answer = (await thread.ask('examineFolder', call)) as ExamineAnswer | NoAnswer;
      return examinedOf(asset, answer) ?? unread(pluginName(asset.plugin));
    },

    async drift(asset, before, after) {
      const source = sourceAt(asset.plugin);
      if (!asset.isFolder && !has(source, 'drift')) return [];
      const answer = (await thread.ask('drift', { ...asset, before, after })) as Answer<readonly Finding[]> | NoAnswer;
      if (answer.type === 'answer') return answer.value;
      return answer.type === 'stale' ? [] : [hostFinding(pluginName(asset.plugin), undefined, answer)];
    },

    async diff(asset, before, after) {
      const answer = (await thread.ask('diff', { ...asset, before, after })) as
        | Answer<Difference | undefined>
        | NoAnswer;
      if (answer.type === 'answer' && answer.value !== undefined) return answer.value;
      const fault =
        answer.type === 'answer' || answer.type === 'stale'
          ? ({ type: 'fault', what: 'answer', message: 'it gave no difference' } as const)
          : answer;
      return { problem: hostFinding(pluginName(asset.plugin), before.path, fault) };
    },

    async diffFolder(asset, before, after) {
      const { collection, kind, plugin } = asset;
      const call: DiffFolderCall = { collection, kind, plugin, before, after };
      const answer = (await thread.ask('diffFolder', call)) as Answer<Difference | undefined> | NoAnswer;
      if (answer.type === 'answer') return answer.value;
      return { problem: hostFinding(pluginName(plugin), after.path, faultIn(answer)) };
    },

    async exportFolder(asset, folder) {
      const { collection, kind, plugin } = asset;
      const call: ExportFolderCall = { collection, kind, plugin, ...folder };
      const answer = (await thread.ask('exportFolder', call)) as Answer<readonly ExportedFile[]> | NoAnswer;
      if (answer.type === 'answer') return { files: answer.value };
      return { problem: hostFinding(pluginName(plugin), folder.path, faultIn(answer)) };
    },

    isCurrent(asset, examined) {
      if (examined === undefined) return false;
      const [key, siblings] = splitCircumstances(examined);
      return key === keyOf(asset) && siblings.every((sibling) => root !== undefined && isAsSeen(root, sibling));
    },

    async close() {
      await Promise.all([thread.close(), streams.close()]);
    },
  };
}

/** What went wrong; a folder is never stale by itself, but its files may be. */
function faultIn(
  answer: Exclude<Answer<never>, { readonly type: 'answer' }> | NoAnswer,
): (Answer<never> & { readonly type: 'fault' }) | NoAnswer {
  return answer.type === 'stale' ? { type: 'fault', what: 'failed', message: 'its files changed' } : answer;
}

function failAt(number: number): never {
  throw new RangeError(`expected no answer ${number}`);
}

function unread(plugin: string): Examined {
  return { report: { plugin } };
}

/** What a plugin did wrong, as a finding of the host. */
export function hostFinding(
  plugin: string,
  path: string | undefined,
  answer: (Answer<never> & { readonly type: 'fault' }) | NoAnswer,
): Finding {
  const { message, what } = answer;
  const did = {
    failed: 'failed',
    answer: 'gave an answer that breaks the contract',
    hung: 'hung',
    memory: 'ran out of memory',
    died: 'ended its thread',
  }[what];
  const about = path === undefined ? '' : ` on ${path.length > 300 ? `${path.slice(0, 300)}…` : path}`;
  return {
    code: `host/plugin-${what}`,
    severity: 'error',
    message: `the plugin ${plugin} ${did}${about}: ${message}`.slice(0, 1000).toWellFormed(),
    remedy: 'The file itself is stored. Report it to the author of the plugin, or turn the plugin off in mbk.yaml.',
  };
}

/** The key, and what other files the answer depends on. */
function circumstancesText(key: string, siblings: readonly SeenSibling[]): string {
  return siblings.length === 0 ? key : `${key}${JSON.stringify(siblings)}`;
}

function splitCircumstances(text: string): readonly [key: string, siblings: readonly SeenSibling[]] {
  const key = text.slice(0, 32);
  if (text.length === 32) return [key, []];
  try {
    return [key, JSON.parse(text.slice(32)) as readonly SeenSibling[]];
  } catch {
    return ['', []]; // not ours: it does not hold
  }
}

function isAsSeen(root: ByteString, { mtimeMs, path, size }: SeenSibling): boolean {
  let stats: fs.Stats | undefined;
  try {
    stats = fs.lstatSync(bufferOfBytes(`${root}/${bytesOfText(path)}`), { throwIfNoEntry: false });
  } catch {
    return false; // asked again, and told then
  }
  if (stats === undefined || !stats.isFile()) return size === null;
  return stats.size === size && stats.mtimeMs === mtimeMs;
}
