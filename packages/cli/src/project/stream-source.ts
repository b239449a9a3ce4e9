/**
 * Standard input as what a snapshot takes: one file, in a collection of its own, so that the next stream of that name
 * takes its place and everything else of the domain stays as it was.
 */

import { bytesOfText, isCollectionName, MbkError } from '@mbk/core';
import type { SnapshotRequest, StreamedFile } from '@mbk/core';
import type { ProjectConfig } from './config.ts';
import { retentionFor } from './retention.ts';
import { systemDomain } from './rules.ts';

export interface StreamSourceOptions {
  readonly config: ProjectConfig | undefined;
  /** Path of the file in the snapshot. */
  readonly path: string;
  readonly domain: string | undefined;
  /** `streams/<name>` unless given. */
  readonly collection: string | undefined;
  readonly bytes: StreamedFile['bytes'];
}

/** Errors: `usage-invalid`, `name-invalid` for a collection that cannot be called so. */
export function streamSource({
  config,
  path,
  domain = systemDomain,
  collection = collectionOf(path),
  bytes,
}: StreamSourceOptions): Pick<
  SnapshotRequest,
  'root' | 'rootText' | 'assign' | 'wants' | 'emptyFolders' | 'isWholeSource' | 'retentionOf' | 'stream'
> {
  if (!isCollectionName(collection) || !isStream(config, collection)) {
    throw new MbkError('name-invalid', `${JSON.stringify(collection)} is no collection of streams`, {
      remedy: `Name one below ${category}/ that no rule of mbk.yaml fills, such as ${category}/dumps.`,
    });
  }
  const ref = { domain, collection };
  const owner = [process.getuid?.() ?? 0, process.getgid?.() ?? 0] as const;
  return {
    root: '/dev/stdin',
    rootText: 'standard input',
    assign: () => ref,
    wants: (one) => one.domain === domain && one.collection === collection,
    emptyFolders: ref,
    isWholeSource: false,
    retentionOf: (one) => (config === undefined ? null : retentionFor(config, one.collection)),
    stream: { path: bytesOfText(path), owner, bytes },
  };
}

/** Category of collections that come from standard input and not from the folder of the project. */
const category = 'streams';

/** Whether a collection is one that only streams fill, which a snapshot of the project carries as it was. */
export function isStream(config: Pick<ProjectConfig, 'rules'> | undefined, collection: string): boolean {
  if (!collection.startsWith(`${category}/`)) return false;
  return config?.rules.some((rule) => rule.collection === collection) !== true;
}

/** `streams/lab.sql` for `dumps/lab.sql`; what a collection may not be called is left out. */
function collectionOf(path: string): string {
  const name = (path.split('/').at(-1) ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  return `${category}/${name === '' ? 'stream' : name}`;
}
