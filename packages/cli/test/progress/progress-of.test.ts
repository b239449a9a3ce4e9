import type { SnapshotProgress } from '@mbk/core';
import { describe, expect, test } from 'vitest';
import { adviseOnCheckout, checkoutProgress } from '../../src/progress/checkout-progress.ts';
import { snapshotProgress } from '../../src/progress/snapshot-progress.ts';
import { adviseOnVerify, verifyProgress } from '../../src/progress/verify-progress.ts';

const MiB = 1_048_576;

describe('a snapshot', () => {
  const base: SnapshotProgress = {
    files: 2,
    bytes: 30 * MiB,
    readBytes: 20 * MiB,
    foundFiles: 4,
    foundBytes: 100 * MiB,
    isWalked: false,
    cutBytes: 40 * MiB,
    newBytes: 15 * MiB,
    storedBytes: 10 * MiB,
    path: 'models/a\n.gguf',
  };

  test('counts the bytes of files under way, and what was known by facts or by content', () => {
    let time = 0;
    const held: { latest?: SnapshotProgress } = {};
    const { read } = snapshotProgress(
      () => held.latest,
      () => time,
    );
    expect(read().view.facts.filter((fact) => fact !== '')).toEqual(['0 B', '0 files']);
    held.latest = base;
    time = 4000;
    expect(read()).toEqual({
      view: {
        facts: ['', '', '50.0 MiB', '12.5 MiB/s', '2 files'],
        more: ['15.0 MiB new, 35.0 MiB known'],
        path: 'models/a\\n.gguf',
      },
      fields: {
        files: 2,
        totalFiles: null,
        bytes: 50 * MiB,
        totalBytes: null,
        newBytes: 15 * MiB,
        knownBytes: 35 * MiB,
        storedBytes: 10 * MiB,
        elapsedMs: 4000,
        bytesPerSecond: 12.5 * MiB,
        leftMs: null,
        path: 'models/a\n.gguf',
      },
    });
  });

  test('knows its end once the walk is through', () => {
    let time = 0;
    const { read } = snapshotProgress(
      () => ({ ...base, isWalked: true }),
      () => time,
    );
    time = 4000;
    expect(read().view.facts).toEqual([' 50%', '4 s left', '50.0 MiB of 100 MiB', '12.5 MiB/s', '2 of 4 files']);
  });

  test('that is interrupted keeps what is stored', () => {
    const advice = (storedBytes: number) =>
      snapshotProgress(
        () => ({ ...base, storedBytes }),
        () => 0,
      ).advise();
    expect(advice(0).kept).toBe('no snapshot was made, and nothing was stored yet');
    expect(advice(5 * MiB)).toMatchObject({
      kept: 'no snapshot was made, but the 5.00 MiB that were stored so far are kept',
      details: { storedBytes: 5 * MiB },
    });
  });
});

test('a checkout says how to go on, as a shell takes it', () => {
  let time = 0;
  const read = checkoutProgress(
    { files: 3, bytes: 200 },
    () => ({ files: 1, bytes: 100, path: 'a' }),
    () => time,
  );
  time = 10_000;
  expect(read().view.facts).toEqual([' 50%', '10 s left', '100 B of 200 B', '10 B/s', '1 of 3 files']);
  const plan = { target: "/data/it's", files: 3 };
  const request = { revision: 'lab:models', paths: ['a b'] };
  expect(adviseOnCheckout(plan, request, { files: 2 })).toMatchObject({
    kept: "2 of 3 files are whole in /data/it's and stay there; no other is",
    goOn: "Go on with: mbk checkout lab:models 'a b' --to '/data/it'\\''s' --overwrite newer",
  });
});

test('a verification tells bytes only where it reads them, and what was found so far', () => {
  let time = 0;
  let progress = {
    type: 'progress',
    phase: 'log',
    done: 1,
    total: 9,
    bytes: 0,
    totalBytes: 0,
    errors: 0,
  } as Parameters<typeof adviseOnVerify>[0];
  const read = verifyProgress(
    () => progress,
    () => time,
  );
  const facts = () => read().view.facts.filter((fact) => fact !== '');
  expect(facts()).toEqual(['1 of 9 log entries']);
  progress = { type: 'progress', phase: 'packs', done: 0, total: 1, bytes: 0, totalBytes: 100, errors: 0 };
  time = 50_000;
  expect(facts()).toEqual(['  0%', '0 of 1 pack', '0 B of 100 B']);
  progress = { ...progress, bytes: 60 };
  time = 56_000;
  expect(facts()).toEqual([' 60%', '4 s left', '0 of 1 pack', '60 B of 100 B', '10 B/s']);
  expect(adviseOnVerify({ ...progress, errors: 2 }).kept).toBe(
    'it had come to 0 of 1 pack, and 2 errors were found until then',
  );
});
