import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test as plain } from 'vitest';
import { waysToRun } from '../run-program.ts';
import { expectSameTree } from './judges.ts';
import { freshWay } from './fresh-way.ts';
import { shell, test, type Site, type SnapshotSummary } from './site.ts';

test('links, empty things, times, modes and many small files come back as they were', async ({ site }) => {
  makeLinks(site.project);
  makeEmpty(site.project);
  makeTimes(site.project);
  makeModes(site.project);
  makeSmall(site.project);
  const summary = await roundTrip(site);
  expect(summary.files).toBeGreaterThan(2000);
});

test('a sparse file of 2 GiB comes back sparse', async ({ site }) => {
  const file = join(site.project, 'disk.img');
  const size = 2 ** 31;
  const places = [
    ['first', 0],
    ['odd', 1_000_000_007],
    ['last', size - 4],
  ] as const;
  const fd = openSync(file, 'w');
  for (const [text, position] of places) writeSync(fd, text, position);
  closeSync(fd);
  const { bytes, storedBytes } = await site.json<SnapshotSummary>(['snapshot', '.', '--domain', 'lab']);
  expect(bytes).toBe(size);
  expect(storedBytes).toBeLessThan(1_000_000);
  await site.mbk(['checkout', 'lab', '--to', join(site.folder, 'restored')]);
  const restored = join(site.folder, 'restored/disk.img');
  expect(statSync(restored)).toMatchObject({ size, mtimeMs: expect.closeTo(statSync(file).mtimeMs, 3) });
  // So few blocks have room for what is around the three places; all else is holes, which read as zeros.
  expect(statSync(restored).blocks * 512).toBeLessThan(500_000);
  for (const [, position] of places)
    shell(`cmp -i ${Math.max(position - 2 ** 20, 0)} -n ${2 ** 21} -- "${file}" "${restored}"`, '/');
});

test('folders in each other beyond the longest path come back', async ({ site }) => {
  makeDeep(site.project, { levels: 40, name: 'n'.repeat(200) });
  await site.mbk(['snapshot', '.', '--domain', 'lab']);
  await site.mbk(['checkout', 'lab', '--to', join(site.folder, 'restored'), '--verify']);
  // diff and node cannot go there; tar can, and it tells names, modes, times and content.
  const archive = 'tar --sort=name --numeric-owner --format=gnu -cf - -- * | sha256sum';
  expect(shell('find . -name bottom', site.project)).not.toBe('');
  expect(shell(archive, join(site.folder, 'restored'))).toBe(shell(archive, site.project));
});

test('pipes and sockets are told and left out', async ({ site }) => {
  site.write('file.txt', 'a file');
  shell('mkfifo pipe', site.project);
  const server = createServer().listen(join(site.project, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const summary = await site.json<SnapshotSummary>(['snapshot', '.', '--domain', 'lab']);
    expect(summary.skipped.map(({ path }) => path)).toEqual(['pipe', 'socket']);
    expect(summary.files).toBe(1);
    const { stdout } = await site.mbk(['snapshot', '.', '--domain', 'lab']);
    expect(stdout).toContain('2 sockets, pipes and devices left out');
    expect((await site.mbk(['ls', 'lab'])).stdout).toBe('file.txt\n');
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Nobody: a user that may read what all may. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
/** Root reads everything; where another user can run mbk, that one is the judge. */
const reader = !isRoot ? undefined : canRunAs(nobody) ? nobody : 'none';

test.skipIf(reader === 'none')(
  'a file and a folder that may not be read are told, and the rest is taken',
  async ({ site }) => {
    site.write('open.txt', 'for all');
    site.write('closed.txt', 'for nobody');
    site.write('closed/inside.txt', 'for nobody');
    shell('chmod 0000 closed.txt closed', site.project);
    const options = typeof reader === 'number' ? { uid: reader } : {};
    if (typeof reader === 'number') shell(`chown -R ${reader}:${reader} .`, site.folder);
    const summary = await site.json<SnapshotSummary>(['snapshot', '.', '--domain', 'lab'], { ...options, code: 3 });
    expect(summary.incomplete.map(({ path }) => path).toSorted()).toEqual(['closed', 'closed.txt']);
    const text = await site.mbk(['snapshot', '.', '--domain', 'lab'], { ...options, code: 3 });
    expect(text.stdout).toContain('incomplete: closed.txt: reading closed.txt failed: EACCES');
    await site.mbk(['checkout', 'lab', '--to', join(site.folder, 'restored')], options);
    expect(shell('find . -mindepth 1 | sort', join(site.folder, 'restored'))).toBe('./closed\n./open.txt\n');
    expect(lstatSync(join(site.folder, 'restored/closed')).mode & 0o7777).toBe(0);
    const { snapshots } = await site.json<{ snapshots: readonly { flags: readonly string[] }[] }>(['log'], options);
    expect(snapshots[0]?.flags).toContain('unreadable');
  },
);

plain.skipIf(reader !== 'none')(
  'root reads everything, and no other user can run mbk here: unreadable files were not tried',
  (context) => {
    context.skip();
  },
);

/** Snapshot, checkout, and the independent comparison. */
async function roundTrip(site: Site): Promise<SnapshotSummary> {
  const summary = await site.json<SnapshotSummary>(['snapshot', '.', '--domain', 'lab']);
  expect(summary.incomplete).toEqual([]);
  await site.mbk(['checkout', 'lab', '--to', join(site.folder, 'restored'), '--verify']);
  expectSameTree(join(site.folder, 'restored'), site.project);
  return summary;
}

function makeLinks(project: string): void {
  const folder = join(project, 'links');
  mkdirSync(join(folder, 'inner/deeper'), { recursive: true });
  writeFileSync(join(folder, 'a.bin'), 'one file of four names');
  for (const name of ['b.bin', 'inner/c.bin', 'inner/deeper/0.bin'])
    linkSync(join(folder, 'a.bin'), join(folder, name));
  writeFileSync(join(folder, 'z.bin'), new Uint8Array(700_000).fill(7));
  linkSync(join(folder, 'z.bin'), join(folder, 'inner/y.bin'));
  writeFileSync(join(folder, 'inner/twin.bin'), 'one file of four names'); // the same bytes, yet another file
  for (const [name, target] of [
    ['dangling', 'nowhere/at all'],
    ['absolute', '/etc/hostname'],
    ['itself', 'itself'],
    ['ping', 'pong'],
    ['pong', 'ping'],
    ['to-folder', 'inner'],
    ['up', '../..'],
    ['dot', '.'],
    ['slash', 'inner/'],
    ['long', 'x/'.repeat(1000)],
  ] as const) {
    symlinkSync(target, join(folder, name));
  }
}

function makeEmpty(project: string): void {
  mkdirSync(join(project, 'empty/in/empty'), { recursive: true });
  mkdirSync(join(project, 'empty/beside a file'));
  writeFileSync(join(project, 'empty/file'), '');
  writeFileSync(join(project, 'empty/file.jsonl'), '');
  writeFileSync(join(project, 'empty/.gitkeep'), '');
}

function makeTimes(project: string): void {
  mkdirSync(join(project, 'times'));
  const times = [
    '1901-12-14 00:00:00.25',
    '1969-12-31 23:59:59.999999000',
    '1970-01-01 00:00:00',
    '2001-09-09 01:46:40.000000001',
    '2106-02-07 06:28:17.5',
    '2400-01-01 00:00:00.987654321',
  ];
  for (const [number, time] of times.entries()) {
    shell(
      `mkdir folder${number}; ln -s nowhere link${number}; : > file${number}
       touch -h -d '${time} UTC' file${number} link${number} folder${number}`,
      join(project, 'times'),
    );
  }
}

function makeModes(project: string): void {
  shell(
    `mkdir modes; cd modes
     for mode in 0400 0444 0600 0640 0644 0755 0777 4711 0111; do echo $mode > file$mode.txt; chmod $mode file$mode.txt; done
     for mode in 0500 0555 0700 0750 1777; do mkdir folder$mode; echo $mode > folder$mode/inside.txt; chmod $mode folder$mode; done`,
    project,
  );
  // Only root reads what its owner may not.
  if (!isRoot) shell('rm -f modes/file0111.txt', project);
}

function makeSmall(project: string): void {
  for (let folder = 0; folder < 40; folder += 1) {
    mkdirSync(join(project, `small/${folder}`), { recursive: true });
    for (let file = 0; file < 50; file += 1)
      writeFileSync(join(project, `small/${folder}/${file}.json`), `{"folder":${folder},"file":${file}}\n`);
  }
}

/** Makes folders in each other by handles, for no path is long enough. */
function makeDeep(project: string, { levels, name }: { readonly levels: number; readonly name: string }): void {
  let folder = project;
  const handles: number[] = [];
  for (let level = 0; level < levels; level += 1) {
    mkdirSync(`${folder}/${name}`);
    writeFileSync(`${folder}/beside`, `level ${level}`);
    const fd = openSync(`${folder}/${name}`, constants.O_RDONLY | constants.O_DIRECTORY);
    handles.push(fd);
    folder = `/proc/self/fd/${fd}`;
  }
  writeFileSync(`${folder}/bottom`, 'down here');
  handles.forEach((fd) => closeSync(fd));
}

function canRunAs(uid: number): boolean {
  const [program, ...args] = waysToRun[freshWay];
  return (
    spawnSync(program, [...args, '--version'], { uid, gid: uid, cwd: '/', env: { PATH: process.env['PATH'] } })
      .status === 0
  );
}
