import fs from 'node:fs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { newFileFacts, type NewFileFacts } from '../../src/snapshot/new-file-facts.ts';
import type { TargetFacts } from '../../src/snapshot/target-facts.ts';
import { createFile } from '../../src/snapshot/target-file.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { makeFolder } from './bytes-on-disk.ts';

const newFolder = temporaryFolders();
const own: TargetFacts['owner'] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
const isRoot = own[0] === 0;

let root = '';
let made = 0;
beforeEach(() => {
  root = newFolder();
  makeFolder(root);
});

interface Made {
  readonly mode: number;
  readonly owner: readonly number[];
  readonly seconds: number;
  /** What it had before its facts were set. */
  readonly first: number;
  /** Calls that set owner and mode. */
  readonly calls: number;
}

/** Makes a file with these facts. */
function make(facts: NewFileFacts, mode: number, owner: TargetFacts['owner'] = own): Made {
  made += 1;
  const file: TargetFacts = { mode, owner, mtime: [1_600_000_000, 0] };
  const fd = createFile(`${root}/${made}`, facts.modeFor(root, file));
  const first = fs.fstatSync(fd).mode & 0o7777;
  const [chown, chmod] = [vi.spyOn(fs, 'fchownSync'), vi.spyOn(fs, 'fchmodSync')];
  facts.set(fd, file, { onRefused: (fact, errno) => expect.fail(`${fact} refused: ${errno}`) });
  const calls = chown.mock.calls.length + chmod.mock.calls.length;
  vi.restoreAllMocks();
  const { mode: found, uid, gid, mtimeMs } = fs.fstatSync(fd);
  fs.closeSync(fd);
  return { mode: found & 0o7777, owner: [uid, gid], seconds: mtimeMs / 1000, first, calls };
}

describe.each([[true], [false]])('new files, owners restored: %s', (owners) => {
  test('have their facts, whatever the mask of the process takes away', () => {
    for (const mask of [0o022, 0o077]) {
      const before = process.umask(mask);
      try {
        const facts = newFileFacts(owners);
        for (const mode of [0o644, 0o644, 0o644, 0o600, 0o666, 0o666, 0o444, 0, 0o777, 0o777, 0o777, 0o1755]) {
          expect(make(facts, mode)).toMatchObject({ mode, owner: own, seconds: 1_600_000_000 });
        }
      } finally {
        process.umask(before);
      }
    }
  });

  test('of one kind cost no call for owner and mode from the third on', () => {
    const before = process.umask(0o022);
    try {
      const facts = newFileFacts(owners);
      const calls = Array.from({ length: 5 }, () => make(facts, 0o640).calls);
      expect(calls.slice(2)).toEqual([0, 0, 0]);
      process.umask(0o077);
      expect(make(newFileFacts(owners), 0o640).mode).toBe(0o640);
    } finally {
      process.umask(before);
    }
  });

  test('that run as their owner are nobody else to begin with', () => {
    const facts = newFileFacts(owners);
    for (let i = 0; i < 3; i += 1) expect(make(facts, 0o4755)).toMatchObject({ mode: 0o4755, first: 0o600 });
  });
});

test.runIf(isRoot)('a file that gets another owner is open to nobody before', () => {
  const facts = newFileFacts(true);
  for (let i = 0; i < 4; i += 1) {
    expect(make(facts, 0o644, [1234, 5678])).toMatchObject({ mode: 0o644, owner: [1234, 5678], first: 0o600 });
    expect(make(facts, 0o644)).toMatchObject({ mode: 0o644, owner: own });
  }
});

test.runIf(isRoot)('a folder that hands on its group is noticed', () => {
  fs.chownSync(root, 0, 4321);
  fs.chmodSync(root, 0o2755);
  const facts = newFileFacts(true);
  for (let i = 0; i < 4; i += 1) expect(make(facts, 0o644)).toMatchObject({ mode: 0o644, owner: own, first: 0o600 });
  expect(make(newFileFacts(false), 0o644).owner).toEqual([0, 4321]);
});
