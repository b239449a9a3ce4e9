/**
 * A disk that is full, broken, read-only or closed, from the n-th writing call on or for that call alone, for every n.
 *
 * The operation must end well in spite of it, or with the error that says what is wrong; what was finished stays whole;
 * what was acknowledged survives a power cut even then; and once the disk is well again the operation goes through.
 */
import { isMbkError, type ErrorCode } from '@mbk/core';
import { errnoError, type FileSystemCall } from '@mbk/core/testing';
import fs from 'node:fs';
import { scheduleSeed, seededRandom } from '../protocol/random.ts';
import { inLanes } from './child.ts';
import { newFolder } from './describe-folder.ts';
import { examine } from './examine.ts';
import { judge } from './judge.ts';
import { copyOf, prepareRecorded, siteOn, type RecordedStage } from './recorded.ts';
import { isInShare, type RowOptions } from './row.ts';
import { operations } from './site.ts';
import { missingEffect } from './stages.ts';
import { storyOf } from './tally.ts';

type CallName = FileSystemCall['name'];

interface Failure {
  readonly code: ErrorCode;
  readonly calls: ReadonlySet<CallName>;
}

/** What each errno does to which calls, and the code that a user must see. */
const failures: Readonly<Record<string, Failure>> = {
  ENOSPC: {
    code: 'backend-full',
    calls: new Set<CallName>(['createSync', 'writeSync', 'fsyncSync', 'linkSync', 'mkdirSync', 'syncFolderSync']),
  },
  EIO: {
    code: 'backend-failed',
    calls: new Set<CallName>([
      'createSync',
      'writeSync',
      'fsyncSync',
      'linkSync',
      'mkdirSync',
      'syncFolderSync',
      'closeSync',
      'unlinkSync',
    ]),
  },
  EROFS: { code: 'backend-read-only', calls: new Set<CallName>(['createSync', 'linkSync', 'mkdirSync', 'unlinkSync']) },
  EACCES: { code: 'backend-denied', calls: new Set<CallName>(['createSync', 'linkSync', 'mkdirSync', 'unlinkSync']) },
};

/** A call that fails, or that fails after it had its effect. */
const manners = ['once', 'once, in effect', 'from then on'] as const;
type Manner = (typeof manners)[number];

export async function failingWrites(options: RowOptions): Promise<void> {
  const { tally, progress } = options;
  progress('preparing');
  for (const stage of await prepareRecorded(options)) {
    const before = tally.points;
    await failEverywhere(stage, options);
    tally.note(`${stage.name} ${tally.points - before}`);
  }
}

/** Every writing call of the operation with every errno; the manner changes from one call to the next. */
async function failEverywhere(stage: RecordedStage, options: RowOptions): Promise<void> {
  let offset = 0;
  for (const [errno, failure] of Object.entries(failures)) {
    offset += 1;
    const shift = offset;
    await inLanes(lanes, async (index) => {
      if (!isInShare(index, options)) return index < maxCalls;
      const failAt = index + 1;
      const manner = manners[(index + shift) % manners.length] ?? 'once';
      options.progress(`${stage.name}, ${errno} at call ${failAt}`);
      return failAndRepeat(stage, { errno, failure, failAt, manner }, options);
    });
  }
}

/** Points at a time: some wait for a pause before a repeat. */
const lanes = 6;
/** Above what any of the operations makes: only against going on for ever. */
const maxCalls = 2000;

interface Point {
  readonly errno: string;
  readonly failure: Failure;
  /** Which of the calls that the errno concerns. */
  readonly failAt: number;
  readonly manner: Manner;
}

/** One point; whether there are later ones. */
async function failAndRepeat(stage: RecordedStage, point: Point, options: RowOptions): Promise<boolean> {
  const { errno, failure, failAt, manner } = point;
  const { tally, seed } = options;
  // Its own, for points end in any order.
  const random = seededRandom(scheduleSeed(seed, failAt));
  const where = `${stage.name}, ${errno} at writing call ${failAt} ${manner}`;
  const folder = newFolder(options.folder, 'point');
  try {
    const disk = copyOf(stage.disk);
    const outcome = await failOnce(stage, disk, folder, point);
    if (!outcome.didFail) return false;
    tally.point();
    const { error } = outcome;
    if (error === undefined) {
      // It says that all is done: then all of it must be on the disk.
      const ledger = new Map(stage.ledger);
      const about = { tally, where: `${where}, then a power cut`, ledger, current: stage.current, scratch: folder };
      const examined = await examine(siteOn(disk.crash(random.fraction), stage, folder), about);
      const missing = examined === undefined ? undefined : missingEffect(stage, examined, ledger);
      if (missing !== undefined) tally.fault('lost', `${where}: acknowledged, then a power cut: ${missing}`);
    } else {
      if (!isMbkError(error, failure.code))
        tally.fault('amiss', `${where}: expected ${failure.code}, got ${storyOf(error)}`);
      await judge(stage, siteOn(disk, stage, folder), { tally, folder }, where);
    }
    return true;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function failOnce(
  stage: RecordedStage,
  disk: RecordedStage['disk'],
  folder: string,
  { errno, failure, failAt, manner }: Point,
): Promise<{ readonly didFail: boolean; readonly error: unknown }> {
  let writes = 0;
  let didFail = false;
  const onCall = ({ name, paths }: FileSystemCall): void | (() => void) => {
    if (!failure.calls.has(name)) return undefined;
    writes += 1;
    if (writes !== failAt && !(manner === 'from then on' && writes > failAt)) return undefined;
    didFail = true;
    const fail = (): never => {
      throw errnoError(errno, name, paths.join(' → '));
    };
    // A file is closed whatever close() says.
    if (manner === 'once, in effect' || name === 'closeSync') return fail;
    return fail();
  };
  try {
    // Every fourth point with threads.
    const jobs = failAt % 4 === 0 ? 2 : 1;
    await operations[stage.operation]({ ...siteOn(disk, stage, folder, onCall), jobs });
    return { didFail, error: undefined };
  } catch (error) {
    return { didFail, error };
  }
}
