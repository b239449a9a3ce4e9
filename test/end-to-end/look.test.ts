import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { smallCheckpoint, smallGguf } from '../assets/small-assets.ts';
import { waysToRun } from '../run-program.ts';
import { fillLab, makeProject } from './project.ts';

interface LogJson {
  readonly snapshots: readonly {
    readonly commit: string;
    readonly domain: string;
    readonly tags: readonly string[];
    readonly entry: number;
  }[];
}

/** Runs mbk and gives the bytes that it printed. */
async function bytesOf(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const [program, ...first] = waysToRun.bundle;
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'buffer' as const, maxBuffer: 64 * 1024 * 1024 };
  return (await promisify(execFile)(program, [...first, ...args], options)).stdout;
}

test('what was taken can be looked at from every side', async () => {
  const project = makeProject();
  fillLab(project);
  const big = Buffer.from(smallGguf('healthcare', randomBytes(3_000_000)));
  project.write('models/healthcare-7b.gguf', big);
  writeFileSync(
    Buffer.concat([
      Buffer.from(join(project.folder, 'data/training/healthcare/')),
      Buffer.from('\x1b[31m\xff', 'latin1'),
    ]),
    'hostile',
  );
  await project.out(['init', '--no-recovery-key', '--timezone', 'Asia/Tokyo']);
  expect(await project.out(['log'])).toBe('There are no snapshots yet.\n');
  await project.out(['snapshot', '-m', 'before the deploy']);
  project.write('checkpoints/healthcare_checkpoint_846.pth', smallCheckpoint(847));
  await project.out(['snapshot', '--domain', 'healthcare']);

  // log
  const { snapshots } = (await project.json(['log'])) as LogJson;
  expect(snapshots.map(({ domain }) => domain).toSorted()).toEqual(['finance', 'healthcare', 'healthcare', 'system']);
  expect(snapshots[0]?.domain).toBe('healthcare');
  const [newest, first] = ((await project.json(['log', '--domain', 'healthcare'])) as LogJson).snapshots;
  const text = await project.out(['log', 'healthcare', '-n', '1']);
  expect(text.split('\n')[0]).toMatch(/^ID +TAKEN +DOMAIN +TAG +FILES +SIZE +ADDED +STORED +MESSAGE$/);
  expect(text.split('\n')[1]).toMatch(
    new RegExp(`^${newest?.commit.slice(0, 10)} +\\S+ \\S+ +healthcare +${newest?.tags[0]} `),
  );
  expect(await project.out(['log', 'healthcare~1'])).toContain('before the deploy');

  // show
  expect(await project.json(['show', newest?.commit ?? ''])).toMatchObject({
    parent: first?.commit,
    source: { root: project.folder },
  });
  const shown = await project.out(['show', 'healthcare~1']);
  expect(shown).toContain(`snapshot ${first?.commit}`);
  expect(shown).toContain('(Asia/Tokyo)');
  expect(shown).toMatch(/^models\/checkpoint +\S+ \S+ +this run +1 /m);

  // ls
  expect(await project.out(['ls', 'healthcare'])).toBe('checkpoints/\ndata/\nmodels/\n');
  const listed = await project.out(['ls', 'healthcare:data', '-R', '-l']);
  expect(listed).toContain('data/training/healthcare/\\x1b[31m\\xff\n');
  expect(listed).not.toContain('\x1b');
  const { entries } = (await project.json(['ls', 'healthcare', '--recursive'])) as { entries: { path: unknown }[] };
  expect(entries.map(({ path }) => path)).toContainEqual({
    hex: Buffer.from('data/training/healthcare/\x1b[31m\xff', 'latin1').toString('hex'),
  });
  expect(await project.json(['ls', 'healthcare:models'])).toMatchObject({
    path: 'models',
    entries: [{ path: 'models/healthcare-7b.gguf', size: big.length }],
  });

  // cat
  for (const [revision, step] of [
    ['healthcare~1', 846],
    ['healthcare', 847],
  ] as const) {
    const args = ['cat', `${revision}:checkpoints/healthcare_checkpoint_846.pth`];
    expect((await bytesOf(args, project.folder, project.env)).equals(smallCheckpoint(step)), revision).toBe(true);
  }
  expect(await project.out(['cat', 'healthcare:data/training/healthcare/\\x1b[31m\\xff'])).toBe('hostile');
  expect(
    (await bytesOf(['cat', 'healthcare:models/healthcare-7b.gguf'], project.folder, project.env)).equals(big),
  ).toBe(true);
  const absent = await project.mbk(['cat', 'healthcare:no\x1bthing', '--json']);
  expect([absent.code, JSON.parse(absent.stdout)]).toMatchObject([
    1,
    { code: 'path-absent', details: { path: 'no\x1bthing' } },
  ]);

  // tag
  expect(await project.out(['tag', 'v2', 'healthcare~1', '-m', 'approved'])).toBe(
    `healthcare/v2 is ${first?.commit.slice(0, 10)} now.\n`,
  );
  expect(await project.out(['tag', 'list'])).toMatch(/^healthcare\/v2 +\S+ +\S+ \S+ +by hand$/m);
  expect((await project.mbk(['tag', 'v2', 'healthcare'])).code).toBe(1);
  expect(await project.mbk(['tag', 'v3'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('tag v3 REVISION'),
  });
  expect(await project.mbk(['tag', 'healthcare', 'v3'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('`mbk tag v3 healthcare`'),
  });
  expect(await project.json(['show', 'healthcare/v2'])).toMatchObject({ commit: first?.commit });
  await project.out(['tag', '--delete', 'healthcare/v2']);
  expect((await project.mbk(['show', 'healthcare/v2'])).stderr).toContain(
    'no snapshot, tag or domain is called healthcare/v2',
  );

  // under the floor
  expect(await project.out(['cat-object', newest?.commit.slice(0, 12) ?? ''])).toMatch(/^tree [0-9a-f]{40}\nparent /);
  expect(await project.json(['cat-log', String(newest?.entry)])).toMatchObject({ sections: [{ scope: 'shared' }] });
  expect(await project.out(['cat-log', '1'])).toContain('"op": "features"');
  expect((await project.mbk(['cat-log', '99'])).code).toBe(1);
  const target = join(project.folder, 'history.git');
  expect(await project.out(['catalogue', 'export', 'history.git'])).toContain('4 new commits');
  const { stdout } = await promisify(execFile)('git', ['-C', target, 'log', '--format=%s', 'healthcare']);
  expect(stdout).toContain('before the deploy');
});

test('a reader that has seen enough ends the listing, not the command', async () => {
  const project = makeProject();
  for (let i = 0; i < 3000; i += 1) project.write(`data/raw/some-rather-long-name-of-a-file-${i}.csv`, String(i));
  await project.out(['init', '--no-recovery-key']);
  await project.out(['snapshot']);
  const [program, ...first] = waysToRun.bundle;
  const line = `"${program}" ${first.map((word) => `"${word}"`).join(' ')} ls lab -R; echo "code $?" >&2`;
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', `( ${line} ) | head -n 1`], {
    cwd: project.folder,
    env: { ...process.env, ...project.env },
  });
  expect(stdout).toBe('data/\n');
  expect(stderr).toContain('code 0');
});
