/** A repository and sources for the real command, in folders. */
import { keyFileText, localBackend } from '@mbk/core';
import fs from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../protocol/random.ts';
import { runMbk, type Ended } from './child.ts';
import { operations, secret, type Site } from './site.ts';
import { domains, makeSource } from './source.ts';

export interface CommandLab {
  readonly repository: string;
  /** The repository, seen by a host of its own that remembers what it saw. */
  readonly watcher: Site;
  /** Makes a project with these domains; its path. */
  makeProject(name: string, random: Random, names?: readonly string[]): string;
  /** Runs the real command in `project`, on the host of that name. */
  mbk(
    args: readonly string[],
    where: { readonly project: string; readonly host: string; readonly killAfterMs?: number | undefined },
  ): Promise<Ended>;
}

const configText = `repository: ../repository
domains: [${domains.join(', ')}]
exclude: [mbk.yaml]
rules:
  - { match: '{domain}/deep/**', collection: data/deep }
  - { match: '{domain}/**', collection: models/all }
`;

/** Makes an empty repository below `folder`. */
export async function commandLab(folder: string): Promise<CommandLab> {
  const repository = join(folder, 'repository');
  const keyFile = join(folder, 'key');
  fs.writeFileSync(keyFile, keyFileText(secret.key), { mode: 0o600 });
  const watcher = { backend: localBackend(repository), host: join(folder, 'watcher'), source: folder };
  await operations.init(watcher);
  return {
    repository,
    watcher,
    makeProject(name, random, names = domains) {
      const project = join(folder, name);
      fs.mkdirSync(project);
      makeSource(project, random, names);
      // In a project empty folders belong to no domain.
      fs.rmdirSync(join(project, domains[0], 'empty'));
      fs.writeFileSync(join(project, 'mbk.yaml'), configText);
      return project;
    },
    mbk(args, { project, host, killAfterMs }) {
      const env = {
        HOME: join(folder, 'home'),
        XDG_CACHE_HOME: join(folder, 'home', 'cache'),
        MBK_KEY_FILE: keyFile,
        MBK_STATE_DIR: join(folder, host, 'state'),
        MBK_CACHE_DIR: join(folder, host, 'cache'),
        MBK_HOST: host,
      };
      return runMbk(args, { env, cwd: project, killAfterMs });
    },
  };
}

/** How a command ended that should not have, for a story. */
export function failureOf({ code, signal, stdout, stderr }: Ended): string {
  return `ended with ${code ?? signal}: ${stdout.slice(-400)}${stderr.slice(-400)}`;
}

/** What a snapshot with --json says it made; undefined if it says nothing of the kind. */
export function snapshotsOf({
  stdout,
}: Ended): readonly { readonly domain: string; readonly commit: string; readonly tag: string }[] | undefined {
  for (const line of stdout.trim().split('\n').reverse()) {
    if (!line.startsWith('{')) continue;
    const value: unknown = JSON.parse(line);
    if (isSummary(value)) return value.snapshots;
  }
  return undefined;
}

function isSummary(value: unknown): value is { snapshots: { domain: string; commit: string; tag: string }[] } {
  return (
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'summary' && 'snapshots' in value
  );
}
