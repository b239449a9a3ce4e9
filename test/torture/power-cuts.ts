/**
 * Power cuts: what was not yet brought to the disk is gone, torn or there, name by name and file by file as chance will.
 *
 * One run of an operation is cut at every call of the filesystem: each call first takes a picture of what the next boot
 * would find. Whatever was acknowledged before must be in every picture, and each must be a repository that is whole.
 */
import type { RecordingFileSystem } from '@mbk/core/testing';
import fs from 'node:fs';
import { join } from 'node:path';
import { newFolder } from './describe-folder.ts';
import { examine } from './examine.ts';
import { judge } from './judge.ts';
import { copyOf, prepareRecorded, siteOn, type RecordedStage } from './recorded.ts';
import { shareOf, type RowOptions } from './row.ts';
import { operations } from './site.ts';
import { missingEffect } from './stages.ts';

/** Calls of an operation that are looked at, spread over all; and cuts after it was acknowledged. */
const cutsWithin = 40;
const cutsAfter = 12;

interface Picture {
  readonly call: number;
  readonly disk: RecordingFileSystem;
  /** What the host kept at that moment. */
  readonly host: string;
}

export async function powerCuts(options: RowOptions): Promise<void> {
  const { tally, progress } = options;
  progress('preparing');
  const calls = new Map<string, number>();
  const stages = await prepareRecorded(options);
  for (const stage of stages) {
    const folder = newFolder(options.folder, 'rehearsal');
    calls.set(stage.name, await countCalls(stage, folder));
  }
  for (const stage of stages) {
    const before = tally.points;
    await cutWithin(stage, calls.get(stage.name) ?? 0, options);
    await cutAfter(stage, options);
    tally.note(`${stage.name} ${tally.points - before}`);
  }
}

async function countCalls(stage: RecordedStage, folder: string): Promise<number> {
  let calls = 0;
  await operations[stage.operation](siteOn(copyOf(stage.disk), stage, folder, ({ count }) => void (calls = count)));
  fs.rmSync(folder, { recursive: true, force: true });
  return calls;
}

/** Cuts during the operation: then it may have happened or not, but nothing else may be gone. */
async function cutWithin(stage: RecordedStage, calls: number, options: RowOptions): Promise<void> {
  const { random, tally, progress } = options;
  const wanted = Math.min(calls, shareOf(cutsWithin, options));
  const chosen = new Set(
    Array.from({ length: wanted }, (_, index) => 1 + Math.floor(((index + random.fraction()) * calls) / wanted)),
  );
  const folder = newFolder(options.folder, 'cut');
  const disk = copyOf(stage.disk);
  const pictures: Picture[] = [];
  const site = siteOn(disk, stage, folder, ({ count }) => {
    if (!chosen.has(count)) return;
    const host = join(folder, `host-${count}`);
    if (fs.existsSync(site.host)) fs.cpSync(site.host, host, { recursive: true });
    pictures.push({ call: count, disk: disk.crash(random.fraction), host });
  });
  await operations[stage.operation]({ ...site, jobs: 2 });
  for (const { call, disk: survivor, host } of pictures) {
    progress(`${stage.name}, cut at call ${call}`);
    tally.point();
    const point = newFolder(folder, 'point');
    if (fs.existsSync(host)) fs.renameSync(host, join(point, 'host'));
    await judge(
      stage,
      siteOn(survivor, stage, point),
      { tally, folder: point },
      `${stage.name}, power cut at call ${call}`,
    );
    fs.rmSync(point, { recursive: true, force: true });
  }
  fs.rmSync(folder, { recursive: true, force: true });
}

/** Cuts right after the operation: it was acknowledged, so it must have happened. */
async function cutAfter(stage: RecordedStage, options: RowOptions): Promise<void> {
  const { tally, random, progress } = options;
  const folder = newFolder(options.folder, 'after');
  const disk = copyOf(stage.disk);
  await operations[stage.operation](siteOn(disk, stage, folder));
  for (let cut = 1; cut <= shareOf(cutsAfter, options); cut += 1) {
    progress(`${stage.name}, cut ${cut} when it was done`);
    tally.point();
    const where = `${stage.name}, power cut ${cut} after it was acknowledged`;
    const ledger = new Map(stage.ledger);
    // The same host: what it remembers of the log must be there too.
    const site = siteOn(disk.crash(random.fraction), stage, folder);
    const examined = await examine(site, { tally, where, ledger, current: stage.current, scratch: folder });
    const missing = examined === undefined ? undefined : missingEffect(stage, examined, ledger);
    if (missing !== undefined) tally.fault('lost', `${where}: ${missing}`);
  }
  fs.rmSync(folder, { recursive: true, force: true });
}
