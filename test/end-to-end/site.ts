/** A lab on a machine of its own: a project folder, a repository, a key file, and what a host keeps, below one folder. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test as base } from 'vitest';
import { startMbk, type Ended, type Running } from '../run-program.ts';
import { freshWay } from './fresh-way.ts';

export interface RunOptions {
  /** The project unless given. */
  readonly cwd?: string;
  /** On top of that of the site; undefined takes a variable away. */
  readonly env?: NodeJS.ProcessEnv;
  /** User to run as; only root can. */
  readonly uid?: number;
  /** The exit code that is expected, 0 unless given. */
  readonly code?: number;
}

export interface Site {
  /** Everything is below it; the tests put what they need beside the project. */
  readonly folder: string;
  readonly project: string;
  readonly repository: string;
  readonly keyFile: string;
  /** Names the repository, the key file and local folders. */
  readonly env: NodeJS.ProcessEnv;
  start(args: readonly string[], options?: Omit<RunOptions, 'code'>): Running;
  /** Runs mbk, and fails the test with what was printed when the exit code is another one. */
  mbk(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** The last object that `mbk … --json` prints. */
  json<Value>(args: readonly string[], options?: RunOptions): Promise<Value>;
  /** Writes a file of the project, with the folders on the way. */
  write(path: string, content: string | Uint8Array): void;
}

/** A test with a site that has a repository and an empty project. */
export const test = base.extend<{ site: Site }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern which fixtures this one needs: none
  site: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'mbk-end-to-end-'));
    try {
      const site = makeSite(folder);
      const args = [
        'init',
        site.repository,
        '--key-file',
        site.keyFile,
        '--no-recovery-key',
        '--no-config',
        '--timezone',
        'UTC',
      ];
      await site.mbk(args, { env: { MBK_KEY_FILE: undefined, MBK_REPOSITORY: undefined } });
      await use(site);
    } finally {
      // Deeper than Node can reach, and folders that forbid it.
      shell('chmod -R u+rwx . 2>/dev/null; rm -rf -- "$PWD"', folder, { mayFail: true });
    }
  },
});

export function makeSite(folder: string): Site {
  const project = join(folder, 'project');
  const repository = join(folder, 'repository');
  const keyFile = join(folder, 'key');
  mkdirSync(project);
  const env: NodeJS.ProcessEnv = {
    HOME: join(folder, 'home'),
    MBK_REPOSITORY: repository,
    MBK_KEY_FILE: keyFile,
    MBK_STATE_DIR: join(folder, 'state'),
    MBK_CACHE_DIR: join(folder, 'cache'),
    MBK_HOST: 'lab-1',
  };
  const start: Site['start'] = (args, options = {}) => {
    const { cwd = project, uid } = options;
    return startMbk(freshWay, args, { ...env, ...options.env }, { cwd, ...(uid === undefined ? {} : { uid }) });
  };
  const mbk: Site['mbk'] = async (args, { code = 0, ...options } = {}) => {
    const ended = await start(args, options).ended;
    expect(ended.code, `mbk ${args.join(' ')}\n${ended.stdout.slice(-4000)}\n${ended.stderr.slice(-4000)}`).toBe(code);
    return ended;
  };
  return {
    folder,
    project,
    repository,
    keyFile,
    env,
    start,
    mbk,
    async json<Value>(args: readonly string[], options?: RunOptions): Promise<Value> {
      const { stdout } = await mbk([...args, '--json'], options);
      return lastObject(stdout);
    },
    write(path, content) {
      const file = join(project, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    },
  };
}

/** The last object of JSON lines, or the one that is printed. */
export function lastObject<Value>(stdout: string): Value {
  const lines = stdout.trimEnd().split('\n');
  try {
    return JSON.parse(lines.at(-1) ?? '') as Value;
  } catch {
    return JSON.parse(stdout) as Value; // one object, printed over several lines
  }
}

/** Runs a script with `sh`; its output. Fails the test when the script does, unless it may. */
export function shell(script: string, cwd: string, { mayFail = false }: { readonly mayFail?: boolean } = {}): string {
  const env = { ...process.env, LC_ALL: 'C', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    cwd,
    env,
    encoding: 'latin1',
    maxBuffer: 2 ** 28,
  });
  if (!mayFail) expect(status, `${script}\n${stdout.slice(-4000)}\n${stderr}`).toBe(0);
  return stdout;
}

/** What the tests read of a snapshot's summary. */
export interface SnapshotSummary {
  readonly snapshots: readonly {
    readonly domain: string;
    readonly commit: string;
    readonly tag: string;
    readonly files: number;
    readonly collections: readonly { readonly name: string; readonly isTaken: boolean; readonly files: number }[];
  }[];
  readonly unchanged: readonly string[];
  readonly files: number;
  readonly bytes: number;
  readonly readBytes: number;
  readonly newBytes: number;
  readonly storedBytes: number;
  readonly incomplete: readonly { readonly path: string | { readonly hex: string }; readonly message: string }[];
  readonly skipped: readonly { readonly path: string | { readonly hex: string }; readonly message: string }[];
}
