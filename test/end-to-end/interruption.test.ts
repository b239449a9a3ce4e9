import { randomFillSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { expectSameTree, filesBelow } from './judges.ts';
import { lastObject, test, type Site, type SnapshotSummary } from './site.ts';

/** Bytes of the source: three packs and more, and nothing in it compresses. */
const fileBytes = 12 * 2 ** 20;
const files = 10;
/** Headers, footers, padding. */
const overhead = 4 * 2 ** 20;
const largestPack = 64 * 2 ** 20;

describe.each(['SIGINT', 'SIGKILL'] as const)('a snapshot that is ended by %s', (signal) => {
  test('loses nothing, and what it stored is not stored again', async ({ site }) => {
    fill(site);
    const running = site.start(['snapshot', '.', '--domain', 'lab', '--json']);
    while (journalBytes(site) === 0) await pause(5);
    running.kill(signal);
    const { code, stdout } = await running.ended;
    if (signal === 'SIGKILL') expect(code).toBeNull();
    else {
      expect(code).toBe(130);
      const error = lastObject<{ readonly message: string; readonly details: { readonly storedBytes: number } }>(
        stdout,
      );
      expect(error).toMatchObject({ type: 'error', code: 'interrupted', remedy: expect.stringContaining('again') });
      // What it says is kept is what the journal says.
      expect(error.message).toContain('no snapshot was made');
      expect(error.details.storedBytes).toBe(journalBytes(site));
    }
    const kept = journalBytes(site);
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(files * fileBytes);
    // There is no snapshot, and nothing is wrong.
    expect(await site.json<object>(['log'])).toMatchObject({ snapshots: [] });
    await site.mbk(['verify', '--data']);

    const { storedBytes } = await site.json<SnapshotSummary>(['snapshot', '.', '--domain', 'lab']);
    expect(storedBytes).toBeLessThan(files * fileBytes - kept + overhead);
    // A pack that was stored and not yet in the journal when a kill came is stored again; it is one at most.
    expect(packBytes(site)).toBeLessThan(files * fileBytes + overhead + (signal === 'SIGKILL' ? largestPack : 0));
    await site.mbk(['checkout', 'lab', '--to', join(site.folder, 'restored')]);
    expectSameTree(join(site.folder, 'restored'), site.project);
    await site.mbk(['verify', '--data']);
  });
});

test('a checkout that is interrupted leaves whole files only, and goes on where it was', async ({ site }) => {
  fill(site);
  await site.mbk(['snapshot', '.', '--domain', 'lab']);
  const target = join(site.folder, 'restored');
  const running = site.start(['checkout', 'lab', '--to', target]);
  while (!existsSync(join(target, 'file-2.bin'))) await pause(2);
  running.kill('SIGINT');
  const { code, stderr } = await running.ended;
  expect(code).toBe(130);
  const left = filesBelow(target);
  expect(stderr).toContain(`${left.length} of ${files} files`);
  expect(stderr).toContain(`Go on with: mbk checkout lab --to ${target} --overwrite newer`);
  expect(left.length).toBeLessThan(files);
  for (const file of left) expect(statSync(file).size).toBe(fileBytes);
  const { unchanged } = await site.json<{ unchanged: number }>([
    'checkout',
    'lab',
    '--to',
    target,
    '--overwrite',
    'newer',
  ]);
  expect(unchanged).toBe(left.length);
  expectSameTree(target, site.project);
});

test('a verification that is interrupted says that it has to begin anew', async ({ site }) => {
  fill(site);
  await site.mbk(['snapshot', '.', '--domain', 'lab']);
  // A missing copy is told first, and then everything is read with the slow hash.
  rmSync(join(site.repository, 'copy/slots'), { recursive: true });
  const running = site.start(['verify', '--data', '--independent', '--jobs', '1', '--json']);
  await running.speaks;
  running.kill('SIGTERM');
  const { code, stdout } = await running.ended;
  expect(code).toBe(130);
  expect(lastObject(stdout)).toMatchObject({
    type: 'error',
    code: 'interrupted',
    remedy: expect.stringContaining('again'),
    details: { signal: 'SIGTERM' },
  });
});

test('a second signal ends a command at once, and the repository is whole', async ({ site }) => {
  fill(site);
  const running = site.start(['snapshot', '.', '--domain', 'lab']);
  while (journalBytes(site) === 0) await pause(5);
  running.kill('SIGINT');
  running.kill('SIGTERM');
  expect((await running.ended).code).toBe(130);
  await site.mbk(['verify']);
});

function fill(site: Site): void {
  const bytes = new Uint8Array(fileBytes);
  for (let file = 0; file < files; file += 1) site.write(`file-${file}.bin`, randomFillSync(bytes));
}

/** Bytes in packs of content that have their final name. */
function packBytes({ repository }: Site): number {
  const folder = join(repository, 'packs');
  return existsSync(folder) ? filesBelow(folder).reduce((sum, file) => sum + statSync(file).size, 0) : 0;
}

/** Bytes of the packs that the run says it has stored for good, in its journal on this host. */
function journalBytes({ folder }: Site): number {
  const state = join(folder, 'state');
  const journals = existsSync(state) ? filesBelow(state).filter((file) => file.endsWith('.journal')) : [];
  const lines = journals.flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
