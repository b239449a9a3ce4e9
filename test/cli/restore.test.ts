/** Snapshot, diff, checkout, verify and repair as commands: what they print, write and end with. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMbk, type Ended } from '../run-program.ts';

const home = mkdtempSync(join(tmpdir(), 'mbk-cli-'));
const lab = join(home, 'lab');
const env = {
  HOME: home,
  MBK_CACHE_DIR: join(home, 'cache'),
  MBK_STATE_DIR: join(home, 'state'),
  MBK_KEY_FILE: join(home, 'key'),
};
const mbk = (...args: string[]): Promise<Ended> => runMbk('source', args, env, { cwd: lab });

async function jsonLines(
  ...args: string[]
): Promise<{ readonly code: number | null; readonly rows: readonly Record<string, unknown>[] }> {
  const { code, stdout } = await mbk(...args, '--json');
  return {
    code,
    rows: stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** The largest entry below a folder of the repository. */
function largest(folder: string): string {
  const files = readdirSync(join(lab, 'backups', folder), { recursive: true, encoding: 'utf8' }).map((name) =>
    join(lab, 'backups', folder, name),
  );
  const [first = ''] = files
    .filter((path) => statSync(path).isFile())
    .sort((a, b) => statSync(b).size - statSync(a).size);
  return first;
}

beforeAll(async () => {
  mkdirSync(join(lab, 'models'), { recursive: true });
  mkdirSync(join(lab, 'configs'));
  writeFileSync(join(lab, 'models/a.dat'), randomBytes(900_000));
  writeFileSync(join(lab, 'configs/app.yaml'), 'x: 1\n');
  writeFileSync(
    join(lab, 'mbk.yaml'),
    'repository: ./backups\ndomains: [health]\nrules:\n  - { match: "**", collection: data/all, domain: health }\n',
  );
  const made = await mbk('init', '--no-config', '--no-recovery-key', '--key-file', env.MBK_KEY_FILE, './backups');
  expect(made.stderr + made.stdout).not.toContain('error');
  expect((await mbk('snapshot')).code).toBe(0);
  writeFileSync(join(lab, 'configs/app.yaml'), 'x: 22\n');
  renameSync(join(lab, 'models/a.dat'), join(lab, 'models/b.dat'));
}, 120_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('from a snapshot and back', () => {
  test('diff tells changes since a snapshot and between two, as text and JSON', async () => {
    const folder = await mbk('diff', 'health');
    expect(folder).toMatchObject({ code: 0, stderr: '' });
    expect(folder.stdout).toContain('M configs/app.yaml');
    expect(folder.stdout).toContain('R models/a.dat → models/b.dat');
    expect((await mbk('snapshot')).code).toBe(0);
    expect((await mbk('diff', 'health')).stdout).toContain('No difference.');
    const { rows } = await jsonLines('diff', 'health~1', 'health');
    expect(rows).toMatchObject([
      {
        modified: 1,
        moved: 1,
        differences: [
          { kind: 'modified', path: 'configs/app.yaml' },
          { kind: 'moved', path: 'models/b.dat', from: 'models/a.dat' },
        ],
      },
    ]);
    expect((await mbk('diff', 'health~1', 'health', '--stat')).stdout).toContain('data/all');
    expect((await mbk('diff', 'health~1', 'health', '--', 'models')).stdout).not.toContain('configs');
    expect((await mbk('diff', 'health~1', 'health', 'finance')).code).toBe(2);
  });

  test('checkout writes a new folder, refuses a filled one, and says what it would do', async () => {
    const dry = await mbk('checkout', 'health~1', '--dry-run');
    expect(dry.stdout).toContain('Nothing was written.');
    const { rows } = await jsonLines('checkout', 'health~1', '--to', 'out', '--verify');
    expect(rows.at(-1)).toMatchObject({ type: 'summary', files: 3, verified: 3, damaged: 0, target: join(lab, 'out') });
    expect(readFileSync(join(lab, 'out/configs/app.yaml'), 'utf8')).toBe('x: 1\n');
    expect(readFileSync(join(lab, 'out/models/a.dat')).equals(readFileSync(join(lab, 'models/b.dat')))).toBe(true);
    const refused = await mbk('checkout', 'health', '--to', 'out');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('is not empty');
    expect((await mbk('checkout', 'health', '--to', 'out', '--delete')).code).toBe(2);
    expect((await mbk('checkout', 'health', '--to', 'out', '--overwrite', 'always', '--delete')).code).toBe(0);
    expect(spawnSync('diff', ['-r', join(lab, 'models'), join(lab, 'out/models')]).status).toBe(0);
    expect(existsSync(join(lab, 'out/models/a.dat'))).toBe(false);
    rmSync(join(lab, 'out'), { recursive: true });
  });

  test('verify finds nothing, then names the files that a changed byte takes away; checkout restores the rest', async () => {
    expect((await mbk('verify', '--data')).stdout).toContain('No damage: every byte');
    const pack = largest('packs');
    const bytes = readFileSync(pack);
    chmodSync(pack, 0o600);
    writeFileSync(
      pack,
      bytes.map((byte, i) => (i === 300_000 ? byte ^ 1 : byte)),
    );
    expect((await mbk('verify')).code).toBe(0);
    const { code, rows } = await jsonLines('verify', '--data');
    expect(code).toBe(20);
    const findings = rows.filter(({ type }) => type === 'finding');
    expect(findings).toMatchObject([
      { code: 'pack-damaged', severity: 'error', key: pack.slice(join(lab, 'backups/').length) },
    ]);
    expect(JSON.stringify(findings)).toContain('"path":"models/b.dat"');
    const checkout = await mbk('checkout', 'health', '--to', 'part');
    expect(checkout.code).toBe(20);
    expect(checkout.stdout).toContain('damaged: models/b.dat');
    expect(readdirSync(join(lab, 'part'), { recursive: true }).sort()).toEqual([
      'configs',
      'configs/app.yaml',
      'mbk.yaml',
      'models',
    ]);
    writeFileSync(pack, bytes);
    expect((await mbk('verify', '--data')).code).toBe(0);
  });

  test('repair index brings back what a lost segment named; repair log has nothing to do', async () => {
    rmSync(largest('index'));
    rmSync(env.MBK_CACHE_DIR, { recursive: true });
    expect((await mbk('verify')).code).toBe(20);
    const dry = await jsonLines('repair', 'index', '--dry-run');
    expect(dry.rows.find(({ type }) => type === 'plan')).toMatchObject({
      type: 'plan',
      segments: [{ hasCopy: false }],
    });
    expect((await mbk('verify')).code).toBe(20);
    expect((await mbk('repair', 'index')).code).toBe(0);
    expect((await mbk('verify', '--data')).code).toBe(0);
    expect((await mbk('repair', 'log')).stdout).toContain('The log needs no repair.');
  });
});
