/** A lab with two snapshots, and a sensible call of every command in it. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Ended } from '../run-program.ts';
import { runHere } from '../run-here.ts';

export const newPassphrase = 'tr0ub4dor and 3 words';

export interface CommandLab {
  readonly folder: string;
  /** Its project. */
  readonly project: string;
  readonly env: NodeJS.ProcessEnv;
  /** Arguments of each command, by its verb, in an order in which they can be called. */
  readonly calls: Readonly<Record<string, readonly string[]>>;
  /** Commands that need no repository. */
  readonly withoutRepository: readonly string[];
  /** What must never be printed. */
  readonly secrets: readonly string[];
  write(path: string, text: string): void;
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
}

export async function commandLab(): Promise<CommandLab> {
  const folder = mkdtempSync(join(tmpdir(), 'mbk-commands-'));
  const project = join(folder, 'project');
  const at = (name: string): string => join(folder, name);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  };
  const env: NodeJS.ProcessEnv = {
    HOME: at('home'),
    TZ: 'UTC',
    NO_COLOR: '1',
    MBK_REPOSITORY: at('repository'),
    MBK_KEY_FILE: at('key'),
    MBK_NEW_PASSPHRASE_FILE: at('new-passphrase'),
    MBK_STATE_DIR: at('state'),
    MBK_CACHE_DIR: at('cache'),
    MBK_HOST: 'lab-1',
  };
  const run: CommandLab['run'] = (args, more = {}) => runHere(args, { cwd: project, env: { ...env, ...more } });
  const must = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(args, args[0] === 'init' ? { MBK_KEY_FILE: undefined } : {});
    if (code !== 0) throw new Error(`mbk ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  };

  write('mbk.yaml', 'rules:\n  - { match: "models/**", collection: models/all, domain: lab }\n');
  execFileSync('git', ['init', '--quiet', project], { env: { PATH: process.env['PATH'], HOME: at('home') } });
  write('models/a.txt', 'a');
  write('models/deep/b.txt', 'b');
  writeFileSync(at('new-passphrase'), `${newPassphrase}\n`, { mode: 0o600 });
  const fresh = ['--key-file', at('key'), '--no-recovery-key', '--no-config', '--timezone', 'UTC'];
  await must('init', at('repository'), ...fresh);
  await must('snapshot', '-m', 'first');
  write('models/a.txt', 'changed');
  await must('snapshot', '-m', 'second');
  const { entries } = JSON.parse(await must('ls', 'lab:models/a.txt', '--json')) as {
    entries: readonly { readonly sha256: string }[];
  };

  return {
    folder,
    project,
    env,
    write,
    run,
    withoutRepository: [
      'init',
      'plugins create',
      'plugins check',
      'plugins install',
      'plugins list',
      'plugins remove',
      'hook install',
      'hook list',
      'hook uninstall',
      'hook run',
      'trust',
      'completion',
      'self-test',
    ],
    secrets: [newPassphrase, readFileSync(at('key'), 'utf8').trim().split(/\s+/).at(-1) ?? ''],
    calls: {
      init: [at('another'), '--no-config', '--no-recovery-key'],
      snapshot: ['-m', 'again'],
      validate: ['lab:models/a.txt'],
      checkout: ['lab', '--to', at('restored')],
      status: [],
      log: [],
      show: ['lab'],
      ls: ['lab', '-R'],
      cat: ['lab:models/a.txt'],
      diff: ['lab~1', 'lab'],
      find: ['*.txt'],
      usage: [],
      tag: ['v1', 'lab'],
      verify: ['--data'],
      'repair log': [],
      'repair index': [],
      'key add': ['--passphrase', '--name', 'to be removed'],
      'key list': [],
      'key remove': ['to be removed'],
      'plugins create': ['wav'],
      'plugins check': ['mbk-plugin-wav'],
      'plugins install': ['./mbk-plugin-wav'],
      'plugins list': [],
      'plugins remove': ['mbk-plugin-wav'],
      'hook install': ['pre-push', '--plan', 'daily'],
      'hook list': [],
      'hook run': ['post-checkout', '0', '0', '0'],
      'hook uninstall': [],
      trust: [],
      completion: ['bash'],
      'catalogue export': [at('history.git')],
      'cat-object': [entries[0]?.sha256 ?? ''],
      'cat-log': ['1'],
      'self-test': [],
    },
  };
}
