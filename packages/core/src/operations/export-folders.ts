/** What plugins want beside the folders of a snapshot that are assets when these are exported: manifests with checksums. */
import type { ExportedFile, Finding } from '@mbk/plugin-sdk';
import { displayBytes, encodeByteText, type ByteString, type ByteText } from '../format/byte-name.ts';
import type { PluginHost } from '../snapshot/plugin-host.ts';
import type { Repository } from '../repository.ts';
import { assetFolders, factsOfFiles, isBelow, openAssetFolder } from './asset-folders.ts';
import { pathCandidates } from './path-argument.ts';
import type { OpenedFiles } from './snapshot-files.ts';
import type { StoredFiles } from './stored-files.ts';

export interface ExportedFolder {
  /** From the folder that was opened; `.` for itself. */
  readonly path: ByteText;
  readonly location: ByteString;
  readonly kind: string;
  /** Name and version. */
  readonly plugin: string;
  /** Empty where the folder has its own already. */
  readonly files: readonly ExportedFile[];
  /** Why there are none; null if nothing is wrong. */
  readonly problem: Finding | null;
}

export interface ExportFoldersOptions {
  readonly host: PluginHost;
  readonly stored: StoredFiles;
  /** Only folders that are wholly below one of these; all without any. */
  readonly paths: readonly string[];
}

/** Asks plugins about the folders of what a revision means, one after the other. Throws what reading blobs throws. */
export async function* exportFolders(
  repository: Repository,
  opened: OpenedFiles,
  { host, paths, stored }: ExportFoldersOptions,
): AsyncGenerator<ExportedFolder> {
  const { examiner, sources } = host;
  const only = paths.flatMap(pathCandidates);
  const wanted = (folder: ByteString): boolean => only.length === 0 || only.some((path) => isBelow(folder, path));
  const folders = await assetFolders(repository, opened, sources, wanted);
  const facts = await factsOfFiles(repository, opened, folders, sources);
  for (const folder of folders) {
    const whole = await openAssetFolder(repository, opened, folder, { facts, stored });
    if (whole === undefined) continue;
    const { name = '', version = '' } = sources[folder.plugin]?.manifest ?? {};
    const { kind } = folder;
    const about = { path: folder.path === '' ? '.' : encodeByteText(folder.path), location: folder.path, kind };
    const plugin = `${name} ${version}`;
    if (whole.isFull) {
      const message = `${displayBytes(folder.path)} has too many files for one manifest`;
      yield { ...about, plugin, files: [], problem: { code: 'host/folder-not-whole', severity: 'warning', message } };
      continue;
    }
    const made = await examiner.exportFolder(folder, whole);
    yield {
      ...about,
      plugin,
      ...('problem' in made ? { files: [], problem: made.problem } : { files: made.files, problem: null }),
    };
  }
}
