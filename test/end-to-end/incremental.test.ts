import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { shell, test, type Site, type SnapshotSummary } from './site.ts';

const config = `repository: ../repository
domains: [healthcare, finance]
rules:
  - { match: "models/{domain}*.gguf", collection: models/production }
  - { match: "checkpoints/{domain}_checkpoint_{step}.pth", collection: models/checkpoint }
  - { match: "data/training/{domain}/**", collection: data/training }
  - { match: "configs/**", collection: configs/system, domain: system }
exclude: ["*.tmp", "__pycache__/"]
plugins: { gguf: false, checkpoint: false }  # what the files here are does not matter, their sizes do
plans:
  daily: { collections: [models/checkpoint] }
  weekly: { collections: ["models/*"] }
`;

/** The project's own file names the repository. */
const byConfig = { MBK_REPOSITORY: undefined };

describe('only what changed is read, only what is new is stored', () => {
  test('a second snapshot of the same files reads nothing; touched files are read and not stored', async ({ site }) => {
    fill(site);
    const first = await site.json<SnapshotSummary>(['snapshot'], { env: byConfig });
    expect(first.readBytes).toBe(first.bytes);
    // Files that are younger than two seconds could change again within the time that their clock tells apart.
    await pause(2100);
    await site.mbk(['snapshot'], { env: byConfig });
    const second = await site.json<SnapshotSummary>(['snapshot'], { env: byConfig });
    expect(second).toMatchObject({ bytes: first.bytes, readBytes: 0, newBytes: 0, storedBytes: 0, files: first.files });

    utimesSync(join(site.project, 'models/finance.gguf'), 1_000_000, 1_000_000);
    const touched = await site.json<SnapshotSummary>(['snapshot'], { env: byConfig });
    expect(touched.readBytes).toBe(100_000);
    expect(touched.newBytes).toBeLessThan(10_000); // a tree

    renameSync(join(site.project, 'models/finance.gguf'), join(site.project, 'models/finance-renamed.gguf'));
    site.write('checkpoints/healthcare_checkpoint_2.pth', 'a new one');
    const changed = await site.json<SnapshotSummary>(['snapshot'], { env: byConfig });
    expect(changed.readBytes).toBe(100_000 + 'a new one'.length);
    expect(changed.newBytes).toBeLessThan(20_000);

    const forced = await site.json<SnapshotSummary>(['snapshot', '--force'], { env: byConfig });
    expect(forced).toMatchObject({ readBytes: forced.bytes, newBytes: 0, storedBytes: 0 });

    const skipped = await site.json<SnapshotSummary>(['snapshot', '--skip-if-unchanged'], { env: byConfig });
    expect(skipped).toMatchObject({ snapshots: [], unchanged: ['finance', 'healthcare', 'system'] });
    site.write('configs/routing.yaml', 'route: some\n');
    const one = await site.json<SnapshotSummary>(['snapshot', '--skip-if-unchanged'], { env: byConfig });
    expect(one.snapshots.map(({ domain }) => domain)).toEqual(['system']);
    expect(one.unchanged).toEqual(['finance', 'healthcare']);
  });
});

describe('what a run takes', () => {
  test('mbk.yaml counts from any folder below it, for what it says and for paths', async ({ site }) => {
    fill(site);
    const cwd = join(site.project, 'data/training');
    expect(collections(await site.json(['snapshot'], { cwd, env: byConfig }))).toEqual([
      'finance data/training',
      'finance models/production',
      'healthcare data/training',
      'healthcare models/checkpoint',
      'healthcare models/production',
      'system configs/system',
      'system other/files',
    ]);
    // Paths are seen from where one stands; they pick whole collections.
    expect(taken(await site.json(['snapshot', 'healthcare/a.jsonl'], { cwd, env: byConfig }))).toEqual([
      'healthcare data/training',
    ]);
    expect((await site.mbk(['ls', 'healthcare'], { cwd, env: byConfig })).stdout).toBe(
      'checkpoints/\ndata/\nmodels/\n',
    );
    expect((await site.mbk(['status'], { cwd, env: byConfig })).stdout).toContain('unchanged');
  });

  test('--plan, --domain, --collection and paths choose; what is not chosen is carried', async ({ site }) => {
    fill(site);
    const all = await site.json<SnapshotSummary>(['snapshot']);
    const dailyRun = await site.json<SnapshotSummary>(['snapshot', '--plan', 'daily']);
    expect(taken(dailyRun)).toEqual(['healthcare models/checkpoint']);
    // A commit is the whole domain: the rest stands in it as it was taken before.
    expect(collections(dailyRun)).toEqual([
      'healthcare data/training',
      'healthcare models/checkpoint',
      'healthcare models/production',
    ]);
    const { collections: shown } = await site.json<{ collections: readonly { name: string; commit: string | null }[] }>(
      ['show', 'healthcare'],
    );
    const before = all.snapshots.find(({ domain }) => domain === 'healthcare')?.commit;
    expect(shown.map(({ name, commit }) => [name, commit])).toEqual([
      ['data/training', before],
      ['models/checkpoint', null],
      ['models/production', before],
    ]);

    expect(taken(await site.json(['snapshot', '--plan', 'weekly', '--domain', 'finance']))).toEqual([
      'finance models/production',
    ]);
    expect(taken(await site.json(['snapshot', '--collection', 'data/*']))).toEqual([
      'finance data/training',
      'healthcare data/training',
    ]);
    expect(taken(await site.json(['snapshot', 'configs', 'models/finance.gguf']))).toEqual([
      'finance models/production',
      'system configs/system',
    ]);
    expect(taken(await site.json(['snapshot', '-d', 'system', '-c', 'other/files']))).toEqual(['system other/files']);
    for (const [code, args] of [
      [2, ['--plan', 'yearly']],
      [1, ['nowhere']],
    ] as const)
      await site.mbk(['snapshot', ...args], { code });

    // A collection without files any more is left out of the next commit, and checkout gives what the commit says.
    rmSync(join(site.project, 'checkpoints'), { recursive: true });
    expect(collections(await site.json(['snapshot', '--domain', 'healthcare']))).toEqual([
      'healthcare data/training',
      'healthcare models/production',
    ]);
    await site.mbk(['checkout', 'healthcare~1', '--to', join(site.folder, 'before')]);
    await site.mbk(['checkout', 'healthcare', '--to', join(site.folder, 'after')]);
    expect(shell('diff -rq before after || true', site.folder)).toBe('Only in before: checkpoints\n');
  });

  test('excluded files, .mbkignore, .git and the repository itself are not taken', async ({ site }) => {
    fill(site);
    site.write('configs/scratch.tmp', '');
    site.write('configs/__pycache__/x.pyc', '');
    site.write('configs/.mbkignore', 'secret.*\n!secret.example\n');
    site.write('configs/secret.env', '');
    site.write('configs/secret.example', '');
    site.write('.git/config', '');
    const inside = join(site.project, 'store');
    await site.mbk(['init', inside, '--no-config', '--no-recovery-key'], { env: byConfig });
    const files = async (env: NodeJS.ProcessEnv): Promise<string> =>
      (await site.mbk(['ls', 'system', '-R'], { env })).stdout;
    await site.mbk(['snapshot', '--exclude', 'mbk.yaml'], { env: { MBK_REPOSITORY: inside } });
    expect(await files({ MBK_REPOSITORY: inside })).toBe(
      'configs/\nconfigs/.mbkignore\nconfigs/routing.yaml\nconfigs/secret.example\n',
    );
    await site.mbk(['snapshot', '--include-vcs', '--domain', 'system', '--exclude', 'store']);
    expect(await files({})).toContain('.git/config\n');
  });

  test('--dry-run says what would be taken and stores nothing', async ({ site }) => {
    fill(site);
    const before = shell('find . -type f | sort', site.repository);
    const { stdout } = await site.mbk(['snapshot', '--dry-run']);
    expect(stdout).toContain('models/checkpoint');
    expect(stdout).toContain('Nothing was stored.');
    expect(shell('find . -type f | sort', site.repository)).toBe(before);
    expect(await site.json<object>(['log'])).toMatchObject({ snapshots: [] });
  });
});

test('a mistake in mbk.yaml is told with its line and column, before anything is done', async ({ site }) => {
  for (const [text, place, problem] of [
    ['domains: [a]\nrules:\n  - match: "*"\n    colection: x/y\n', '4:16', 'colection'],
    ['domains: [a]\nplans:\n  daily: { collections: [Models] }\n', '3:26', 'pattern'],
    ['domains: [a\nrules: []\n', '2:', ''],
    ['retention:\n  models/*: { within: soon }\n', '2:', ''],
  ] as const) {
    site.write('mbk.yaml', text);
    const { stderr, stdout } = await site.mbk(['snapshot'], { code: 2 });
    expect(stdout).toBe('');
    expect(stderr).toContain(`${join(site.project, 'mbk.yaml')}:${place}`);
    expect(stderr).toContain(problem);
  }
  mkdirSync(join(site.folder, 'beside'));
  await site.mbk(['log'], { cwd: join(site.folder, 'beside') });
});

function fill(site: Site): void {
  site.write('mbk.yaml', config);
  site.write('models/healthcare.gguf', 'h'.repeat(100_000));
  site.write('models/finance.gguf', 'f'.repeat(100_000));
  site.write('checkpoints/healthcare_checkpoint_1.pth', 'step 1');
  site.write('data/training/healthcare/a.jsonl', '{"a":1}\n');
  site.write('data/training/finance/a.jsonl', '{"b":2}\n');
  site.write('configs/routing.yaml', 'route: all\n');
}

/** `<domain> <collection>` of everything in the commits of a run. */
function collections({ snapshots }: SnapshotSummary): string[] {
  return snapshots.flatMap(({ domain, collections: of }) => of.map(({ name }) => `${domain} ${name}`)).toSorted();
}

/** The same of what the run took itself. */
function taken({ snapshots }: SnapshotSummary): string[] {
  return snapshots
    .flatMap(({ domain, collections: of }) =>
      of.filter(({ isTaken }) => isTaken).map(({ name }) => `${domain} ${name}`),
    )
    .toSorted();
}
