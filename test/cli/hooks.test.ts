/** Hooks as a user meets them: trusted first, told, without secrets; one process here for all of it. */

import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandLab, newPassphrase, type CommandLab } from './command-calls.ts';

let lab: CommandLab;
beforeEach(async () => void (lab = await commandLab()));
afterEach(() => rmSync(lab.folder, { recursive: true, force: true }));

function hook(event: string, script: string): void {
  lab.write(`.mbk/hooks/${event}`, `#!/bin/sh\n${script}\n`);
  chmodSync(join(lab.project, '.mbk/hooks', event), 0o755);
}
const said = (name: string): string => readFileSync(join(lab.folder, name), 'utf8');

test('nothing of a project runs before it is trusted, and nothing that changed since', async () => {
  const ran = join(lab.folder, 'ran');
  hook('before-snapshot', `echo ran >> ${ran}`);
  const refused = await lab.run(['snapshot']);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('are not trusted: nothing of this project is trusted yet');
  expect((await lab.run(['snapshot', '--no-hooks'])).code).toBe(0);
  expect((await lab.run(['trust', '--dry-run'])).stdout).toContain('are not trusted.');
  expect(existsSync(ran)).toBe(false);

  expect((await lab.run(['trust'])).code).toBe(0);
  expect((await lab.run(['snapshot', '--dry-run'])).code).toBe(0);
  expect(existsSync(ran)).toBe(false);
  expect((await lab.run(['snapshot'])).code).toBe(0);
  expect(said('ran')).toBe('ran\n');

  appendFileSync(join(lab.project, '.mbk/hooks/before-snapshot'), '# changed\n');
  expect((await lab.run(['snapshot'])).stderr).toContain('before-snapshot changed');
  appendFileSync(join(lab.project, 'mbk.yaml'), 'hooks: { after-checkout: "true" }\n');
  expect((await lab.run(['checkout', 'lab', '--to', join(lab.folder, 'out')])).stderr).toContain(
    '`hooks:` of mbk.yaml',
  );
  expect((await lab.run(['trust'])).code).toBe(0);
  expect((await lab.run(['snapshot'])).code).toBe(0);

  expect((await lab.run(['trust', '--list'])).stdout).toContain(lab.project);
  expect((await lab.run(['trust', '--revoke'])).stdout).toContain('is trusted no more');
  expect((await lab.run(['snapshot'])).code).toBe(1);
  expect(said('ran')).toBe('ran\nran\n');
});

test('hooks see what is asked for and what came of it, and no secret; their output is shown, escaped', async () => {
  hook('before-snapshot', `env > ../before-env; cat > ../before; printf 'quiet\\033[31mness\\n'`);
  hook('after-snapshot', 'cat > ../after; exit 9');
  hook('finally-snapshot', 'cat > ../finally');
  hook('failed-checkout', 'cat > ../failed; echo "$MBK_HOOK_ERROR"');
  await lab.run(['trust']);
  const env = { MBK_PASSPHRASE: newPassphrase };
  const done = await lab.run(['snapshot', '-m', 'why', '--tag', 'v7', '--quiet'], env);
  expect(done).toMatchObject({ code: 0, stdout: '' });
  expect(done.stderr).toBe('before-snapshot: quiet\\x1b[31mness\nafter-snapshot: the hook ended with 9\n');
  expect(said('before-env')).toContain('MBK_HOOK=before-snapshot\n');
  expect(said('before-env')).not.toMatch(/MBK_(NEW_)?(PASSPHRASE|KEY)/);
  const request = { message: 'why', tag: 'v7', paths: [] };
  const repository = join(lab.folder, 'repository');
  expect(JSON.parse(said('before'))).toMatchObject({ event: 'before-snapshot', repository, request, outcome: null });
  for (const name of ['after', 'finally']) {
    const result = { snapshots: expect.arrayContaining([expect.objectContaining({ domain: 'lab' })]) as unknown };
    expect(JSON.parse(said(name))).toMatchObject({ outcome: 'done', exitCode: 0, result, error: null });
  }

  const failed = await lab.run(['checkout', 'nothing', '--json'], env);
  expect(failed.code).toBe(1);
  const lines = failed.stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { type: 'hook', event: 'failed-checkout', what: 'started' },
    { type: 'hook', what: 'output', stream: 'stdout', line: 'revision-unknown' },
    { type: 'hook', what: 'ended', exitCode: 0, problem: null },
    { type: 'error', code: 'revision-unknown' },
  ]);
  expect(JSON.parse(said('failed'))).toMatchObject({ outcome: 'failed', error: { code: 'revision-unknown' } });
});

test('a before hook refuses a snapshot: none is made', async () => {
  hook('before-snapshot', 'echo "the database is busy" >&2; exit 1');
  await lab.run(['trust']);
  const before = (await lab.run(['log', '--json'])).stdout;
  const refused = await lab.run(['snapshot']);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/the database is busy\n[^]*ended with 1: no snapshot was made/);
  expect((await lab.run(['log', '--json'])).stdout).toBe(before);
});
