/**
 * What a snapshot takes: the project that `mbk.yaml` describes, or paths by themselves.
 *
 * In a project, paths pick the collections that have files below them, and those are taken whole
 * (docs/decisions/0004-paths-pick-collections.md). Without one, or for paths outside of it, the paths are the source:
 * everything goes into one domain, collections are guessed from the kinds of files.
 */

import { bytesOfText, displayBytes, MbkError, walk } from '@mbk/core';
import type { ByteString, CollectionRef, SnapshotRequest } from '@mbk/core';
import { realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { nearest } from '../nearest.ts';
import type { ProjectConfig } from './config.ts';
import { makeExclude } from './excludes.ts';
import { guessCollection } from './guess-collection.ts';
import { retentionFor } from './retention.ts';
import { isStream } from './stream-source.ts';
import { compileRules, matchesCollection, otherCollection, systemDomain } from './rules.ts';

export interface SourceOptions {
  /** Undefined where there is none. */
  readonly config: ProjectConfig | undefined;
  /** Working folder, absolute. */
  readonly cwd: string;
  /** As given, relative to the working folder. */
  readonly paths: readonly string[];
  readonly domain?: string | undefined;
  /** A collection, or a pattern such as `models/*`. */
  readonly collection?: string | undefined;
  readonly plan?: string | undefined;
  /** Further patterns in .gitignore syntax. */
  readonly exclude: readonly string[];
  readonly includeVcs: boolean;
  readonly excludeCaches?: boolean | undefined;
  /** Absolute folder of the repository, never part of a snapshot. */
  readonly repositoryFolder: string;
}

type Wants = SnapshotRequest['wants'];

export type Source = Pick<
  SnapshotRequest,
  'root' | 'rootText' | 'exclude' | 'assign' | 'wants' | 'emptyFolders' | 'isWholeSource' | 'retentionOf'
> & {
  /** Whether the rules of a project decide; else the paths themselves are the source. */
  readonly isProject: boolean;
};

/** The source. Errors: `usage-invalid`, `source-absent`, `config-invalid`. */
export function chooseSource(options: SourceOptions): Source {
  const { config, cwd } = options;
  const paths = options.paths.map((path) => realPath(resolve(cwd, path)));
  if (config === undefined) {
    // All of some folder, which nobody named, would take the place of what the domain held before.
    if (paths.length === 0)
      throw new MbkError('usage-invalid', 'there is no mbk.yaml here or above, and no path was given', {
        remedy:
          'Name the paths and their domain, `mbk snapshot PATH --domain D`, or write an mbk.yaml with `mbk init`.',
      });
    return plainSource(options, paths);
  }
  const root = realPath(config.root);
  const inside = paths.filter((path) => isWithin(root, path));
  if (inside.length === paths.length) return projectSource(options, config, root, paths);
  if (inside.length === 0) return plainSource(options, paths);
  throw new MbkError('usage-invalid', `some paths are inside the project ${root} and some are not`, {
    remedy: 'Take them by two commands.',
  });
}

function projectSource(options: SourceOptions, config: ProjectConfig, root: string, paths: readonly string[]): Source {
  const assignText = compileRules(config);
  const assign = (path: ByteString): CollectionRef => assignText(displayBytes(path));
  const exclude = excludeBytes(root, options, config.exclude);
  const filters: Wants[] = [
    (ref) => !isStream(config, ref.collection),
    ...(options.domain === undefined ? [] : [ofDomain(config, options.domain)]),
    ...(options.collection === undefined ? [] : [ofCollections([options.collection])]),
    ...(options.plan === undefined ? [] : [ofCollections(planOf(config, options.plan))]),
    ...(paths.length === 0 ? [] : [ofPaths(root, paths, { assign, exclude })]),
  ];
  return {
    root: bytesOfText(root),
    rootText: root,
    exclude,
    assign,
    wants: (ref) => filters.every((wants) => wants(ref)),
    emptyFolders: { domain: systemDomain, collection: otherCollection },
    isWholeSource: true,
    retentionOf: ({ collection }) => retentionFor(config, collection),
    isProject: true,
  };
}

function plainSource(options: SourceOptions, paths: readonly string[]): Source {
  if (options.plan !== undefined) throw new MbkError('usage-invalid', 'a plan needs an mbk.yaml that names it');
  const domain = options.domain ?? systemDomain;
  const root = paths.map((path) => (statSync(path).isDirectory() ? path : dirname(path))).reduce(commonFolder);
  const wanted = paths.map((path) => relativePath(root, path));
  const exclude = excludeBytes(root, options, []);
  return {
    root: bytesOfText(root),
    rootText: root,
    exclude: wanted.includes('')
      ? exclude
      : (path, isDirectory) => !leadsTo(wanted, path, isDirectory) || exclude(path, isDirectory),
    assign: (path) => ({ domain, collection: guessCollection(displayBytes(path)) }),
    wants: options.collection === undefined ? () => true : ofCollections([options.collection]),
    emptyFolders: { domain, collection: otherCollection },
    isWholeSource: false,
    retentionOf: () => null,
    isProject: false,
  };
}

/** A domain that the project has. Errors: `usage-invalid`. */
function ofDomain({ domains, rules, file }: ProjectConfig, domain: string): Wants {
  const known = [...new Set([...domains, ...rules.flatMap((rule) => rule.domain ?? []), systemDomain])];
  if (!known.includes(domain)) {
    const meant = nearest(domain, known);
    throw new MbkError('usage-invalid', `${file} has no domain called ${domain}`, {
      details: { domain, ...(meant !== undefined && { meant }) },
      remedy: `${meant === undefined ? '' : `Did you mean ${meant}? `}It has: ${known.join(', ')}.`,
    });
  }
  return (ref) => ref.domain === domain;
}

function ofCollections(patterns: readonly string[]): Wants {
  return (ref) => patterns.some((pattern) => matchesCollection(pattern, ref.collection));
}

function planOf({ plans, file }: ProjectConfig, name: string): readonly string[] {
  const plan = Object.hasOwn(plans, name) ? plans[name] : undefined;
  if (plan !== undefined) return plan.collections;
  const known = Object.keys(plans);
  throw new MbkError('usage-invalid', `${file} has no plan called ${name}`, {
    remedy: known.length === 0 ? 'Add it under `plans:`.' : `It has: ${known.join(', ')}.`,
  });
}

/** The collections that have files at or below the paths. */
function ofPaths(
  root: string,
  paths: readonly string[],
  { assign, exclude }: Pick<Source, 'assign'> & { readonly exclude: ExcludeBytes },
): Wants {
  const found = new Set<string>();
  const wanted = paths.map((path) => relativePath(root, path));
  const events = walk(bytesOfText(root), {
    exclude: (path, isDirectory) => !leadsTo(wanted, path, isDirectory) || exclude(path, isDirectory),
  });
  for (const event of events) {
    if (event.type !== 'file' && event.type !== 'symlink') continue;
    const { domain, collection } = assign(event.path);
    found.add(`${domain} ${collection}`);
  }
  if (found.size === 0) throw new MbkError('source-absent', `there are no files at ${paths.join(', ')}`);
  return ({ domain, collection }) => found.has(`${domain} ${collection}`);
}

type ExcludeBytes = (path: ByteString, isDirectory: boolean) => boolean;

function excludeBytes(
  root: string,
  { exclude, includeVcs, excludeCaches, repositoryFolder }: SourceOptions,
  patterns: readonly string[],
): ExcludeBytes {
  const excludes = makeExclude({
    root,
    patterns: [...patterns, ...exclude],
    never: [repositoryFolder],
    includeVcs,
    excludeCaches,
  });
  return (path, isDirectory) => excludes(displayBytes(path), isDirectory);
}

/** Whether `path` is one of the wanted, below one, or a folder on the way to one. All relative; `''` is the root. */
function leadsTo(wanted: readonly string[], path: ByteString, isDirectory: boolean): boolean {
  const text = displayBytes(path);
  return wanted.some(
    (one) => one === '' || text === one || text.startsWith(`${one}/`) || (isDirectory && one.startsWith(`${text}/`)),
  );
}

function commonFolder(a: string, b: string): string {
  let common = a;
  while (!isWithin(common, b)) common = dirname(common);
  return common;
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function relativePath(root: string, path: string): string {
  return path === root ? '' : path.slice(root === '/' ? 1 : root.length + 1);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new MbkError('source-absent', `${path} cannot be read`, { cause, details: { path } });
  }
}
