/**
 * Names of domains and tags that this host has seen, for the completion of shells, which can ask for no passphrase.
 *
 * A small file in the state folder, for its owner only, beside the stat cache, which holds the names of files. It is
 * written when a command opens a repository whose log has grown; nothing relies on it.
 */

import { listTags } from '@mbk/core';
import type { Repository } from '@mbk/core';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KnownNames {
  /** Number of the log entry that they are of. */
  readonly n: number;
  readonly domains: readonly string[];
  /** The newest first, at most `mostTags`. */
  readonly tags: readonly string[];
}

const mostTags = 1000;
const fileName = 'names.json';

/** What is known of the repository that has this state folder; nothing where there is no file that can be read. */
export function readKnownNames(stateFolder: string): KnownNames {
  try {
    const value: unknown = JSON.parse(readFileSync(join(stateFolder, fileName), 'utf8'));
    if (isKnownNames(value)) return value;
  } catch {
    // None yet, or none that can be read.
  }
  return { n: 0, domains: [], tags: [] };
}

/** Writes what the log says now, unless it is known. That it cannot be written costs completion, nothing else. */
export function rememberNames(repository: Pick<Repository, 'log' | 'stateFolder'>): void {
  const { log, stateFolder } = repository;
  if (readKnownNames(stateFolder).n === log.n) return;
  const tags = listTags(repository).toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const names: KnownNames = {
    n: log.n,
    domains: [...log.fold.heads.keys()].toSorted(),
    tags: tags.slice(0, mostTags).map(({ name }) => name),
  };
  const temporary = join(stateFolder, `${fileName}.${process.pid}.tmp`);
  try {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, JSON.stringify(names), { mode: 0o600 });
    renameSync(temporary, join(stateFolder, fileName));
  } catch {
    rmSync(temporary, { force: true });
  }
}

function isKnownNames(value: unknown): value is KnownNames {
  const isNames = (names: unknown): boolean => Array.isArray(names) && names.every((name) => typeof name === 'string');
  return (
    typeof value === 'object' &&
    value !== null &&
    'n' in value &&
    typeof value.n === 'number' &&
    'domains' in value &&
    isNames(value.domains) &&
    'tags' in value &&
    isNames(value.tags)
  );
}
