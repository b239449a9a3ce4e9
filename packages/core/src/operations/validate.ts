/**
 * `mbk validate`: what plugins find in files, before a backup or in a snapshot, and nothing else. A file that no plugin
 * knows is told and is no error.
 */
import type { Finding, FolderFile, JsonObject } from '@mbk/plugin-sdk';
import { throwIfInterrupted } from '../backend/interrupted.ts';
import {
  bytesOfText,
  displayBytes,
  encodeByteText,
  textOfBytes,
  type ByteString,
  type ByteText,
} from '../format/byte-name.ts';
import { asBlobId, type BlobId } from '../format/ids.ts';
import type { FileSource, FolderSource } from '../plugins/plugin-calls.ts';
import type { Repository } from '../repository.ts';
import { knownAsset } from '../snapshot/asset-plugins.ts';
import { folderCollector } from '../snapshot/folder-collector.ts';
import type { PluginHost } from '../snapshot/plugin-host.ts';
import type { AssetFacts } from '../snapshot/stat-cache.ts';
import { isUnionDirectory, walkUnion } from '../snapshot/union-tree.ts';
import { walk, type WalkOptions } from '../snapshot/walk.ts';
import { headOf, sha256Of } from './file-of-source.ts';
import type { OpenedFiles } from './snapshot-files.ts';
import type { StoredFiles } from './stored-files.ts';

export interface ValidatedAsset {
  readonly path: ByteText;
  readonly kind: string;
  /** Name and version. */
  readonly plugin: string;
  /** Whether the plugin was asked; one that only knows its layout has nothing to say. */
  readonly isExamined: boolean;
  /** Null where the plugin has nothing to say. */
  readonly summary: string | null;
  readonly facts: JsonObject | null;
  readonly findings: readonly Finding[];
}

export interface ValidationReport {
  /** Files that were looked at, and those of them that a plugin knows. */
  readonly files: number;
  readonly known: number;
  readonly errors: number;
  readonly warnings: number;
  /** The first of the files that no plugin knows; `files - known` is how many there are. */
  readonly unknown: readonly ByteText[];
  /** Paths that could not be read. */
  readonly problems: readonly { readonly path: ByteText; readonly message: string }[];
}

export interface ValidateOptions {
  readonly host: PluginHost;
  readonly onAsset: (asset: ValidatedAsset) => void;
  readonly signal?: AbortSignal | undefined;
}

const mostUnknown = 1000;

/** The files of a folder below `root`, or one file. Errors: `source-absent`, 'interrupted'. */
export async function validateFolder(
  root: ByteString,
  {
    exclude,
    collectionOf,
    ...options
  }: ValidateOptions &
    Pick<WalkOptions, 'exclude'> & { readonly collectionOf?: ((path: ByteString) => string | undefined) | undefined },
): Promise<ValidationReport> {
  const run = validation(options);
  const { signal } = options;
  for (const event of walk(root, { ...(exclude && { exclude }), signal })) {
    throwIfInterrupted(signal, 'validating');
    if (event.type === 'problem') run.problem(event.problem.path, event.problem.message);
    if (event.type !== 'file') continue;
    const { facts, location, path } = event;
    const head = headOf(location, options.host.headBytes);
    if (head === undefined) {
      run.problem(path, 'it cannot be read');
      continue;
    }
    await run.file({
      path,
      size: facts.size,
      head,
      collection: collectionOf?.(path),
      source: { type: 'file', location, identity: undefined },
      sha256: () => sha256Of(location),
    });
  }
  return run.finish((path) => ({ type: 'folder', location: path === '' ? root : `${root}/${bytesOfText(path)}` }));
}

/** The files of what a revision means. Errors: those of reading blobs, 'interrupted'. */
export async function validateSnapshot(
  { readBlob }: Pick<Repository, 'readBlob'>,
  { entry, parts, path: base }: OpenedFiles,
  {
    stored,
    all,
    ...options
  }: ValidateOptions & {
    readonly stored: StoredFiles;
    /** Trees of the whole snapshot, for siblings. */ readonly all: OpenedFiles['parts'];
  },
): Promise<ValidationReport> {
  const run = validation(options);
  const { host, signal } = options;
  const entries =
    entry !== undefined && !isUnionDirectory(entry) ? [entry] : walkUnion(readBlob, parts, { base, signal });
  for await (const one of entries) {
    if (one.entry.type !== 'file') continue;
    const { size, sha256 } = one.entry;
    const reader = stored.add(one.entry, all);
    const head = await (stored.handlers['read'] as unknown as (call: object) => Promise<Uint8Array>)({
      reader,
      offset: 0,
      length: Math.min(size, host.headBytes),
    });
    const source = { type: 'remote', reader, size } as const;
    const sha = async (): Promise<BlobId> => sha256;
    await run.file({ path: one.path, size, head, collection: one.collection, source, sha256: sha, known256: sha256 });
    stored.clear();
  }
  return run.finish((path) => ({ type: 'remote', folder: stored.addFolder(bytesOfText(path), all) }));
}

interface FileToValidate {
  readonly path: ByteString;
  readonly size: number;
  readonly head: Uint8Array;
  readonly collection: string | undefined;
  readonly source: FileSource;
  readonly sha256: () => Promise<BlobId>;
  /** The same where it is known already. */
  readonly known256?: string | undefined;
}

function validation({ host, onAsset, signal }: ValidateOptions) {
  const { examiner, rules, sources } = host;
  const folders = folderCollector(sources);
  const hasFolders = sources.some(({ manifest }) => manifest.folders !== undefined);
  const collections = new Set<string>();
  const hashes = new Map<string, () => Promise<BlobId>>();
  const totals = { files: 0, known: 0, errors: 0, warnings: 0 };
  const unknown: ByteText[] = [];
  const problems: { path: ByteText; message: string }[] = [];
  const nameOf = (plugin: number): string => {
    const { name = '', version = '' } = sources[plugin]?.manifest ?? {};
    return `${name} ${version}`;
  };
  const tell = (path: ByteString, kind: string, asset: Omit<AssetFacts, 'kind'> | undefined, plugin: number): void => {
    const { report } = asset ?? {};
    const { facts = null, findings = [], summary = null } = report ?? {};
    for (const { severity } of findings) {
      if (severity === 'error') totals.errors += 1;
      if (severity === 'warning') totals.warnings += 1;
    }
    const isExamined = report !== undefined;
    const name = report?.plugin ?? nameOf(plugin);
    onAsset({ path: encodeByteText(path), kind, plugin: name, isExamined, summary, facts, findings });
  };

  return {
    problem(path: ByteString, message: string): void {
      problems.push({ path: encodeByteText(path), message });
    },

    async file({ collection, head, known256, path, sha256, size, source }: FileToValidate): Promise<void> {
      totals.files += 1;
      const text = displayBytes(path);
      const known = knownAsset(rules, { path: text, head });
      let asset: AssetFacts | undefined;
      if (known?.examines !== undefined) {
        const { examines: reads, kind, number: plugin } = known;
        const found = await examiner.asked(
          { plugin, kind, collection, path: text, reads },
          { path: text, source, sha256: known256 },
        );
        if (found === undefined) return this.problem(path, 'it changed or vanished while it was looked at');
        asset = { kind, ...found };
        totals.known += 1;
        tell(path, kind, asset, plugin);
      } else if (known !== undefined) {
        totals.known += 1;
        tell(path, known.kind, undefined, known.number);
      } else if (unknown.length < mostUnknown) unknown.push(encodeByteText(path));
      if (!hasFolders || textOfBytes(path) === undefined) return;
      collections.add(collection ?? '');
      // Of many files only those in folders that turn out to be assets are hashed.
      folders.add(path, { domain: '', collection: collection ?? '' }, { size, sha256: lazySha256 }, asset);
      hashes.set(text, sha256);
    },

    async finish(sourceOf: (path: string) => FolderSource): Promise<ValidationReport> {
      for (const collection of collections) {
        for (const { files, kind, path, plugin } of folders.folders({ domain: '', collection })) {
          const whole: FolderFile[] = [];
          for (const file of files) {
            throwIfInterrupted(signal, 'validating');
            const place = path === '' ? file.path : `${path}/${file.path}`;
            const sha256 = await hashes.get(place)?.();
            if (sha256 !== undefined) whole.push({ ...file, sha256 });
          }
          const asked = { plugin, kind, path, collection: collection === '' ? undefined : collection };
          const found = await examiner.folder(asked, whole, sourceOf(path));
          tell(path === '' ? '.' : bytesOfText(path), kind, found, plugin);
        }
      }
      return { ...totals, unknown, problems };
    },
  };
}

const lazySha256 = asBlobId('0'.repeat(64));
