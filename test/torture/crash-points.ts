/**
 * Every crash point on real processes: the n-th call of the filesystem is never made, and nothing after it, for every n.
 *
 * After each the repository must be whole for a new host, and the operation, done again by the same host on what the
 * killed process left there, must end well.
 */
import { isMbkError, localBackend } from '@mbk/core';
import fs from 'node:fs';
import { join } from 'node:path';
import { inLanes, runScript } from './child.ts';
import { newFolder } from './describe-folder.ts';
import { examine, isAbsent } from './examine.ts';
import { isInShare, type RowOptions } from './row.ts';
import { doneBefore, operations, type Site } from './site.ts';
import { missingEffect, prepareStages, type Stage } from './stages.ts';
import { storyOf } from './tally.ts';

/** Processes at a time: one that starts while another is looked at. */
const lanes = 3;

export async function crashPoints(options: RowOptions): Promise<void> {
  const { folder, tally, progress } = options;
  progress('preparing');
  const stages = await prepareStages((name) => siteIn(join(folder, name), join(folder, name, 'source')), options);
  for (const stage of stages) {
    const before = tally.points;
    await killEverywhere(stage, options);
    tally.note(`${stage.name} ${tally.points - before}`);
  }
}

async function killEverywhere(stage: Stage, options: RowOptions): Promise<void> {
  let killed = 0;
  await inLanes(lanes, async (index) => {
    if (!isInShare(index, options)) return index < maxCalls;
    const killAt = index + 1;
    options.progress(`${stage.name}, call ${killAt}`);
    const folder = newFolder(join(options.folder, 'points'), 'point');
    try {
      const goesOn = await killAndRepeat(stage, killAt, folder, options);
      if (goesOn) killed += 1;
      return goesOn;
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
  if (killed === 0) options.tally.fault('amiss', `${stage.name}: no process was killed`);
}

/** Far above what any of the operations makes: only against going on for ever. */
const maxCalls = 5000;

/** One point; whether there are later ones. */
async function killAndRepeat(stage: Stage, killAt: number, folder: string, options: RowOptions): Promise<boolean> {
  const { tally } = options;
  const where = `${stage.name}, killed at call ${killAt}`;
  copyStage(stage, options.folder, folder);
  const site = siteIn(folder, stage.site.source);
  const args = [stage.operation, join(folder, 'repository'), site.host, site.source, String(killAt)];
  const ended = await runScript('driver.ts', args, { env: { NODE_COMPILE_CACHE: join(options.folder, 'compiled') } });
  if (ended.isHung) {
    tally.fault('hung', where);
    return true;
  }
  if (ended.signal !== 'SIGKILL') {
    const { error, message } = ended.code === 0 ? JSON.parse(ended.stdout) : { error: 'failed', message: ended.stderr };
    if (error !== undefined) tally.fault('amiss', `${where}: the operation failed by itself: ${error}: ${message}`);
    return false;
  }
  tally.point();
  await judge(stage, site, { ...options, folder }, where);
  return true;
}

/** The repository after the crash, as another host sees it; then the operation again by the same host, and what came of it. */
export async function judge(stage: Stage, site: Site, { tally, folder }: Pick<RowOptions, 'tally' | 'folder'>, where: string): Promise<void> {
  const { operation, current } = stage;
  const ledger = new Map(stage.ledger);
  const about = { tally, ledger, current, scratch: folder };
  const stranger = { ...site, host: join(folder, 'stranger') };
  const mayBeAbsent = operation === 'init' && (await isAbsent(site.backend));
  if (!mayBeAbsent) await examine(stranger, { ...about, where });

  const repeated = `${where}, then again`;
  try {
    await operations[operation](site);
  } catch (error) {
    const wasDone = !mayBeAbsent && isMbkError(error) && error.code === doneBefore[operation];
    if (!wasDone) tally.fault('amiss', `${repeated}: ${storyOf(error)}`);
  }
  // Every byte was read, and every snapshot restored, a moment ago.
  const examined = await examine(site, { ...about, where: repeated, data: false, all: false });
  const missing = examined === undefined ? undefined : missingEffect(stage, examined, ledger);
  if (missing !== undefined) tally.fault('lost', `${repeated}: ${missing}`);
}

function siteIn(folder: string, source: string): Site {
  return { backend: localBackend(join(folder, 'repository')), host: join(folder, 'host'), source };
}

function copyStage({ name }: Stage, from: string, to: string): void {
  for (const part of ['repository', 'host']) {
    const path = join(from, name, part);
    if (fs.existsSync(path)) fs.cpSync(path, join(to, part), { recursive: true });
  }
}
