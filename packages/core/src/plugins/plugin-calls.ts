/** What the main thread and the plugin thread ask of each other: plain data, so that it can be copied. */
import type { Examination, FolderFile, JsonObject, LayoutLimits, Limits } from '@mbk/plugin-sdk';
import type { MessagePort } from 'node:worker_threads';
import type { ByteString } from '../format/byte-name.ts';
import type { RowScan } from './row-scan.ts';

export interface PluginSetup {
  readonly plugins: readonly {
    readonly module: string;
    readonly argument?: JsonObject | undefined;
    readonly options: JsonObject;
  }[];
  readonly limits: Limits;
  /** Where the files of this run lie: absolute, for siblings; undefined where they lie in a repository. */
  readonly root: ByteString | undefined;
  /** Three words: a number that changes while a plugin gets on, 1 while it waits for somebody else, which of many it is at. */
  readonly progress: SharedArrayBuffer;
}

/** What a file must still look like. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** Where the bytes of a file are. */
export type FileSource =
  | { readonly type: 'open'; readonly fd: number; readonly size: number }
  | { readonly type: 'file'; readonly location: ByteString; readonly identity: FileIdentity | undefined }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** Bytes come from the main thread, which calls them by this number. */
  | { readonly type: 'remote'; readonly reader: number; readonly size: number }
  /** Bytes come once, in order, through a port (`feed.ts`). */
  | { readonly type: 'feed'; readonly port: MessagePort; readonly size: number };

export interface AskedFile {
  /** For display, and for rules; `/` between names, from the root. */
  readonly path: string;
  readonly source: FileSource;
}

export interface LayoutCall extends AskedFile {
  readonly plugin: number;
  readonly limits: LayoutLimits;
}

export interface ExamineCall extends AskedFile {
  readonly plugin: number;
  readonly kind: string;
  readonly reads: 'random' | 'stream';
  readonly collection: string | undefined;
  readonly rows?: RowScan | undefined;
}

/** Small files that are in memory. */
export interface ExamineManyCall {
  readonly files: readonly (Omit<ExamineCall, 'source'> & { readonly offset: number; readonly length: number })[];
  readonly bytes: Uint8Array;
}

export interface ExamineFolderCall {
  readonly plugin: number;
  readonly kind: string;
  readonly collection: string | undefined;
  readonly path: string;
  readonly files: readonly FolderFile[];
  /** Where the folder lies, for `open`; undefined if its files are remote: then the number of the folder. */
  readonly source: FolderSource;
}

export type FolderSource =
  | { readonly type: 'folder'; readonly location: ByteString }
  | { readonly type: 'remote'; readonly folder: number };

export interface DriftCall {
  readonly plugin: number;
  readonly kind: string;
  readonly collection: string | undefined;
  readonly isFolder: boolean;
  readonly before: JsonObject;
  readonly after: JsonObject;
}

export interface DiffCall {
  readonly plugin: number;
  readonly kind: string;
  readonly collection: string | undefined;
  readonly before: AskedFile;
  readonly after: AskedFile;
}

export interface DiffFolderCall extends Omit<ExamineFolderCall, 'path' | 'files' | 'source'> {
  readonly before: Pick<ExamineFolderCall, 'path' | 'files' | 'source'>;
  readonly after: Pick<ExamineFolderCall, 'path' | 'files' | 'source'>;
}

/** Which files the folder is to be exported with. */
export type ExportFolderCall = ExamineFolderCall;

/** A file beside the one that was asked about, as it was found; null if there was none. */
export interface SeenSibling {
  /** From the root. */
  readonly path: string;
  readonly size: number | null;
  readonly mtimeMs: number | null;
}

/** What became of one question. */
export type Answer<T> =
  | { readonly type: 'answer'; readonly value: T; readonly siblings: readonly SeenSibling[] }
  /** The plugin threw, or answered what the contract does not know. */
  | { readonly type: 'fault'; readonly what: 'failed' | 'answer'; readonly message: string }
  /** The file is not any more what it was. */
  | { readonly type: 'stale' };

export type ExamineAnswer = Answer<Examination>;

/** Calls of the main thread's side: bytes of remote files. */
export interface PluginMain {
  read(reader: number, offset: number, length: number): Promise<Uint8Array>;
  /** A number for another file of the same snapshot, by its path from the root. */
  open(reader: number, path: string): Promise<{ readonly reader: number; readonly size: number } | undefined>;
  /** The same for a file of a remote folder, by its path from there. */
  openIn(folder: number, path: string): Promise<{ readonly reader: number; readonly size: number } | undefined>;
  /** Whether two spans of remote files are made of the same parts; false says nothing. */
  isSame(call: SameCall): Promise<boolean>;
}

export interface SameCall {
  readonly before: number;
  readonly beforeSpan: readonly [offset: number, length: number];
  readonly after: number;
  readonly afterSpan: readonly [offset: number, length: number];
}
