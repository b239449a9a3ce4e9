import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Ended, Running } from '../run-program.ts';
import { expectSums } from './judges.ts';
import { lastObject, test, type Site, type SnapshotSummary } from './site.ts';

/** Large enough that reading it takes far longer than noticing that it is read; holes, so that it is made at once. */
const large = 2 ** 27;

interface Listed {
  readonly entries: readonly {
    readonly path: string;
    readonly type: string;
    readonly size: number;
    readonly sha256: string;
    readonly changed: boolean;
  }[];
}

// Where the system does not say which files a process has open, nothing can be changed at the right moment.
const canWatch = existsSync('/proc/self/fd');

test.skipIf(!canWatch)(
  'a file that grows while it is read is kept as it was read, flagged and told',
  async ({ site }) => {
    const file = sparse(site, 'grows.log');
    const summary = await snapshotWhile(site, file, () => appendFileSync(file, 'one more line\n'));
    expectChanged(summary, 'grows.log');
    const [taken] = await restoreAndList(site);
    expect(taken).toMatchObject({ path: 'grows.log', changed: true });
    // What is there is a beginning of the file: it only grew.
    expect(taken?.size).toBeGreaterThanOrEqual(large);
    expect(taken?.size).toBeLessThan(statSync(file).size);
    expect((await site.mbk(['log'])).stdout).toContain('[changed-while-read]');
    // Now that it stands still it is read again, and the flag is gone.
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    expect((await site.mbk(['log', '-n', '1'])).stdout).not.toContain('[changed-while-read]');
  },
);

test.skipIf(!canWatch)(
  'a file that shrinks while it is read is kept as it was read, flagged and told',
  async ({ site }) => {
    const file = sparse(site, 'shrinks.bin');
    let size = large;
    const summary = await snapshotWhile(site, file, () => truncateSync(file, (size -= 1_000_003)));
    expectChanged(summary, 'shrinks.bin');
    const [taken] = await restoreAndList(site);
    expect(taken).toMatchObject({ path: 'shrinks.bin', changed: true });
    expect(taken?.size).toBeLessThan(large);
  },
);

test.skipIf(!canWatch)(
  'what vanishes while it is read, or before its turn, is told, and the rest is taken',
  async ({ site }) => {
    const file = sparse(site, 'm.bin');
    site.write('a.txt', 'before');
    site.write('n.txt', 'vanishes before its turn');
    mkdirSync(join(site.project, 'o'));
    site.write('o/inside.txt', 'vanishes with its folder');
    site.write('z.txt', 'after');
    const summary = await snapshotWhile(site, file, () => {
      for (const path of ['m.bin', 'n.txt', 'o']) rmSync(join(site.project, path), { recursive: true, force: true });
    });
    // The folder, or what the walk, which is ahead of the reading, had found in it.
    const told = summary.incomplete.map(({ path }) => (typeof path === 'string' && path.startsWith('o/') ? 'o' : path));
    expect(told).toEqual(['m.bin', 'n.txt', 'o']);
    for (const { message } of summary.incomplete) expect(message).toContain('ENOENT');
    expect((await restoreAndList(site)).map(({ path }) => path)).toEqual(['a.txt', 'z.txt']);
  },
);

test.skipIf(!canWatch)('a file whose bytes change in place while it is read is flagged', async ({ site }) => {
  const file = sparse(site, 'rewritten.db');
  let turn = 0;
  const summary = await snapshotWhile(site, file, () => writeFileSync(file, `page ${(turn += 1)}`, { flag: 'r+' }));
  expectChanged(summary, 'rewritten.db');
  expect((await restoreAndList(site)).map(({ size }) => size)).toEqual([large]);
});

function sparse({ project }: Site, name: string): string {
  const file = join(project, name);
  writeFileSync(file, 'head');
  truncateSync(file, large);
  return file;
}

/** Takes a snapshot, with exit code 3; as long as mbk has the file open it is stopped again and again, and `change` runs. */
async function snapshotWhile(site: Site, file: string, change: () => void): Promise<SnapshotSummary> {
  const running = site.start(['snapshot', '.', '--domain', 'lab', '--json']);
  const state: { ended?: Ended } = {};
  const ended = running.ended.then((value) => (state.ended = value));
  let changes = 0;
  while (state.ended === undefined) {
    if (hasOpen(running, file)) {
      running.kill('SIGSTOP');
      if (hasOpen(running, file)) {
        change();
        changes += 1;
      }
      running.kill('SIGCONT');
    }
    await pause(2);
  }
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }, stdout).toEqual({ code: 3, stderr: '' });
  expect(changes).toBeGreaterThan(0);
  return lastObject(stdout);
}

function hasOpen({ pid }: Running, file: string): boolean {
  const folder = `/proc/${pid}/fd`;
  const real = realpathSync(join(file, '..'));
  try {
    return readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`).startsWith(join(real, file.slice(file.lastIndexOf('/') + 1)));
      } catch {
        return false; // closed meanwhile
      }
    });
  } catch {
    return false; // the process has ended, or not begun
  }
}

function expectChanged({ incomplete }: SnapshotSummary, path: string): void {
  expect(incomplete).toMatchObject([{ path, message: 'changed while it was read; kept as it was read' }]);
}

/** Restores the newest snapshot and holds it against the SHA-256 of each file that it records; the files. */
async function restoreAndList(site: Site): Promise<Listed['entries']> {
  const { entries } = await site.json<Listed>(['ls', 'lab', '--recursive']);
  const files = entries.filter(({ type }) => type === 'file');
  const target = join(site.folder, 'restored');
  await site.mbk(['checkout', 'lab', '--to', target]);
  for (const { path, size } of files) expect(statSync(join(target, path)).size).toBe(size);
  expectSums(target, files.map(({ path, sha256 }) => `${sha256}  ./${path}\n`).join(''));
  return files;
}
