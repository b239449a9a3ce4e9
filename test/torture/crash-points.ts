/**
 * Every crash point on real processes: the n-th call of the filesystem is never made, and nothing after it, for every n.
 *
 * After each the repository must be whole for a new host, and the operation, done again by the same host on what the
 * killed process left there, must end well.
 */
import { localBackend } from '@mbk/core';
import fs from 'node:fs';
import { join } from 'node:path';
import { inLanes, runScript } from './child.ts';
import { newFolder } from './describe-folder.ts';
import { judge } from './judge.ts';
import { isInShare, type RowOptions } from './row.ts';
import type { Site } from './site.ts';
import { prepareStages, type Stage } from './stages.ts';

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

function siteIn(folder: string, source: string): Site {
  return { backend: localBackend(join(folder, 'repository')), host: join(folder, 'host'), source };
}

function copyStage({ name }: Stage, from: string, to: string): void {
  for (const part of ['repository', 'host']) {
    const path = join(from, name, part);
    if (fs.existsSync(path)) fs.cpSync(path, join(to, part), { recursive: true });
  }
}
