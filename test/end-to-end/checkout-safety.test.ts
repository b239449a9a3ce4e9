import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { expectSameTree } from './judges.ts';
import { shell, test, type Site } from './site.ts';

describe('a target that has files', () => {
  test('is refused, and left as it is, unless --overwrite says what may be replaced', async ({ site }) => {
    const target = await labAndTarget(site);
    writeFileSync(join(target, 'mine.txt'), 'mine');
    const before = shell('ls -laR --full-time', target);
    const { stderr } = await site.mbk(['checkout', 'lab', '--to', target], { code: 1 });
    expect(stderr).toContain('is not empty');
    expect(stderr).toContain('--overwrite');
    await site.mbk(['checkout', 'lab', '--to', target, '--delete'], { code: 2 });
    expect(shell('ls -laR --full-time', target)).toBe(before);
  });

  test('--overwrite never adds what is missing and replaces nothing', async ({ site }) => {
    const target = await labAndTarget(site);
    writeFileSync(join(target, 'a.txt'), 'mine');
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'never']);
    expect(contents(target)).toEqual({ 'a.txt': 'mine', 'b.txt': 'b', 'folder/c.txt': 'c' });
  });

  test('--overwrite newer replaces what is older than in the snapshot', async ({ site }) => {
    const target = await labAndTarget(site);
    for (const name of ['a.txt', 'b.txt']) writeFileSync(join(target, name), 'mine');
    utimesSync(join(target, 'a.txt'), 1, 1);
    utimesSync(join(target, 'b.txt'), 4e9, 4e9);
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'newer']);
    expect(contents(target)).toEqual({ 'a.txt': 'a', 'b.txt': 'mine', 'folder/c.txt': 'c' });
  });

  test('--overwrite always replaces, --delete removes the rest, --dry-run tells it first', async ({ site }) => {
    const target = await labAndTarget(site);
    for (const path of ['a.txt', 'b.txt', 'folder/extra.txt', 'more/deep/extra.txt']) {
      mkdirSync(join(target, path, '..'), { recursive: true });
      writeFileSync(join(target, path), 'mine');
    }
    const before = shell('ls -laR --full-time', target);
    const args = ['checkout', 'lab', '--to', target, '--overwrite', 'always', '--delete'];
    const { stdout } = await site.mbk([...args, '--dry-run']);
    expect(stdout).toMatch(/^replace +a\.txt$/m);
    expect(stdout).toMatch(/^add +folder\/c\.txt$/m);
    expect(stdout).toMatch(/^remove +folder\/extra\.txt$/m);
    expect(stdout).toMatch(/^remove +more\/$/m);
    expect(shell('ls -laR --full-time', target)).toBe(before);
    await site.mbk(args);
    expectSameTree(target, site.project);
    // Once more: everything is there, proved by its SHA-256, and nothing is written.
    expect(await site.json<object>(args)).toMatchObject({ files: 0, unchanged: 3, removed: 0 });
  });

  test('only the paths that are named are touched', async ({ site }) => {
    const target = await labAndTarget(site);
    writeFileSync(join(target, 'a.txt'), 'mine');
    mkdirSync(join(target, 'folder'));
    writeFileSync(join(target, 'folder/extra.txt'), 'mine');
    await site.mbk(['checkout', 'lab', 'folder', '--to', target, '--overwrite', 'always', '--delete']);
    expect(contents(target)).toEqual({ 'a.txt': 'mine', 'folder/c.txt': 'c' });
    // A folder behind the colon becomes the target itself.
    await site.mbk(['checkout', 'lab:folder', '--to', join(site.folder, 'part')]);
    expect(contents(join(site.folder, 'part'))).toEqual({ 'c.txt': 'c' });
    await site.mbk(['checkout', 'lab', 'nothing.txt', '--to', join(site.folder, 'none')], { code: 1 });
  });
});

describe('what stands in the way', () => {
  test('a link in the target is never followed out of it', async ({ site }) => {
    const target = await labAndTarget(site);
    const outside = join(site.folder, 'outside');
    mkdirSync(outside);
    for (const name of ['a.txt', 'c.txt', 'kept.txt']) writeFileSync(join(outside, name), 'outside');
    const before = shell('ls -la --full-time', outside);
    symlinkSync(outside, join(target, 'folder')); // where the snapshot has a folder
    symlinkSync(join(outside, 'a.txt'), join(target, 'a.txt')); // where it has a file
    symlinkSync(outside, join(target, 'extra')); // where it has nothing
    for (const overwrite of ['never', 'newer']) {
      const { stdout } = await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', overwrite], { code: 3 });
      expect(stdout).toContain('not written:');
      expect(lstatSync(join(target, 'folder')).isSymbolicLink()).toBe(true);
      expect(shell('ls -la --full-time', outside)).toBe(before);
    }
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'always', '--delete']);
    expectSameTree(target, site.project);
    expect(shell('ls -la --full-time', outside)).toBe(before);
  });

  test('a link in the snapshot is restored, and what lies behind its name in another one does not go through it', async ({
    site,
  }) => {
    const outside = join(site.folder, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(site.project, 'folder'));
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    shell('rm folder', site.project);
    site.write('folder/inside.txt', 'inside');
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    const target = join(site.folder, 'target');
    await site.mbk(['checkout', 'lab~1', '--to', target]);
    expect(readlinkSync(join(target, 'folder'))).toBe(outside);
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'never'], { code: 3 });
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'always']);
    expectSameTree(target, site.project);
    expect(shell('ls -A', outside)).toBe('');
  });

  test('read-only files and closed folders are replaced and closed again', async ({ site }) => {
    site.write('closed/read-only.txt', 'one');
    shell('chmod 0444 closed/read-only.txt; chmod 0555 closed', site.project);
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    const target = join(site.folder, 'target');
    await site.mbk(['checkout', 'lab', '--to', target]);
    const { ino } = statSync(join(target, 'closed/read-only.txt'));
    shell('chmod 0755 closed; rm -f closed/read-only.txt', site.project);
    site.write('closed/read-only.txt', 'two');
    shell('chmod 0444 closed/read-only.txt; chmod 0555 closed', site.project);
    await site.mbk(['snapshot', '.', '--domain', 'lab']);
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'always']);
    expectSameTree(target, site.project);
    // A new file took the name: whoever had the old one open keeps what it read.
    expect(statSync(join(target, 'closed/read-only.txt')).ino).not.toBe(ino);
  });

  test('a file where a folder belongs, and a folder where a file belongs', async ({ site }) => {
    const target = await labAndTarget(site);
    writeFileSync(join(target, 'folder'), 'a file');
    mkdirSync(join(target, 'a.txt/inner'), { recursive: true });
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'newer'], { code: 3 });
    expect(statSync(join(target, 'folder')).isFile()).toBe(true);
    expect(existsSync(join(target, 'a.txt/inner'))).toBe(true);
    // A folder with what is in it goes only where deleting is allowed.
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'always'], { code: 3 });
    expect(existsSync(join(target, 'a.txt/inner'))).toBe(true);
    await site.mbk(['checkout', 'lab', '--to', target, '--overwrite', 'always', '--delete']);
    expectSameTree(target, site.project);
  });
});

/** A snapshot of three files in the domain lab, and an empty folder. */
async function labAndTarget(site: Site): Promise<string> {
  site.write('a.txt', 'a');
  site.write('b.txt', 'b');
  site.write('folder/c.txt', 'c');
  await site.mbk(['snapshot', '.', '--domain', 'lab']);
  const target = join(site.folder, 'target');
  mkdirSync(target);
  return target;
}

function contents(folder: string): Record<string, string> {
  const files = shell('find . -type f | sort', folder)
    .split('\n')
    .filter(Boolean)
    .map((path) => path.slice(2));
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

test('a checkout tells what becomes part of the project and what it left, and needs no mbk.yaml that can be read', async ({
  site,
}) => {
  site.write('mbk.yaml', 'rules:\n  - { match: "*.txt", collection: data/raw, domain: lab }\nexclude: [out/]\n');
  site.write('a.txt', 'one');
  await site.mbk(['snapshot']);
  const inside = await site.mbk(['checkout', 'lab', '--to', 'again']);
  expect(inside.stderr).toContain(`again lies in the project of ${join(site.project, 'mbk.yaml')}`);
  for (const target of ['out', join(site.folder, 'elsewhere')])
    expect((await site.mbk(['checkout', 'lab', '--to', target])).stderr).toBe('');

  site.write('out/a.txt', 'mine');
  const kept = await site.mbk(['checkout', 'lab', '--to', 'out', '--overwrite', 'never']);
  expect(kept.stdout).toContain('1 left as they were in the target:\n    a.txt\n');

  site.write('mbk.yaml', 'rules: 7\n');
  await site.mbk(['checkout', 'lab', '--to', 'whole', '--no-hooks']);
  expect(readFileSync(join(site.project, 'whole/a.txt'), 'utf8')).toBe('one');
});
