/** A small project of its own for a test of the whole program: folder, cache, state, and a way to run mbk in it. */

import { keyFileText } from '@mbk/core';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { smallCheckpoint, smallGguf } from '../assets/small-assets.ts';
import { runMbk, type Ended } from '../run-program.ts';

export interface Project {
  /** Absolute; its `mbk.yaml` and files are here. */
  readonly folder: string;
  /** Absolute; the repository of `init`. */
  readonly repository: string;
  readonly env: Readonly<Record<string, string>>;
  write(path: string, content: string | Uint8Array): void;
  /** Runs `mbk` in the folder; `env` adds to the project's, or takes away what is undefined. */
  mbk(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
  /** Runs it, expects exit code 0, and gives what it printed. */
  out(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string>;
  /** The same with `--json`, parsed. */
  json(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<unknown>;
}

/** An empty project; the folder goes when the test ends. */
export function makeProject({ name = 'lab' }: { readonly name?: string } = {}): Project {
  const base = mkdtempSync(join(tmpdir(), 'mbk-project-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, name);
  mkdirSync(folder);
  const keyFile = join(base, 'lab.key');
  writeFileSync(keyFile, keyFileText(randomBytes(32)), { mode: 0o600 });
  const env = {
    HOME: join(base, 'home'),
    MBK_CACHE_DIR: join(base, 'cache'),
    MBK_STATE_DIR: join(base, 'state'),
    MBK_HOST: 'test-host',
    // It opens at once, where a passphrase takes a fifth of a second.
    MBK_KEY_FILE: keyFile,
    TZ: 'UTC',
  };
  const mbk: Project['mbk'] = (args, more = {}) => runMbk('bundle', args, { ...env, ...more }, { cwd: folder });
  const out: Project['out'] = async (args, more) => {
    const { code, stdout, stderr } = await mbk(args, more);
    if (code !== 0) throw new Error(`mbk ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    folder,
    repository: join(folder, 'backups'),
    env,
    write(path, content) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    },
    mbk,
    out,
    json: async (args, more) => JSON.parse(await out([...args, '--json'], more)) as unknown,
  };
}

/** Opens with this passphrase instead of the project's key file. */
export function passphrase(text: string): NodeJS.ProcessEnv {
  return { MBK_KEY_FILE: undefined, MBK_PASSPHRASE: text };
}

/** Files of two domains and some that belong to none. */
export function fillLab(project: Project): void {
  project.write('models/healthcare-7b.gguf', smallGguf('healthcare'));
  project.write('models/finance-7b.gguf', smallGguf('finance'));
  project.write('checkpoints/healthcare_checkpoint_846.pth', smallCheckpoint(846));
  project.write('data/training/healthcare/a.jsonl', '{"a":1}\n');
  project.write('data/training/finance/a.jsonl', '{"b":2}\n');
  project.write('configs/routing.yaml', 'route: all\n');
}
