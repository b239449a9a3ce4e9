/** The folder that a benchmark works in: corpora stay there for the next time, everything else goes. */

import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { roomIn, usualWorkParent } from './machine.ts';

export interface WorkFolder {
  readonly folder: string;
  readonly corpora: string;
  /** Of this run. */
  readonly run: string;
  remove(): void;
}

export interface WorkFolderOptions {
  /** Of everything; a folder on the memory disk, or among temporary files, unless given. */
  readonly work: string | undefined;
  /** Of the corpora; in the work folder unless given. */
  readonly corpora: string | undefined;
  readonly neededBytes: number;
  readonly processId: number;
}

/** Throws when there is no room. */
export function openWorkFolder({ corpora, neededBytes, processId, work }: WorkFolderOptions): WorkFolder {
  const folder = work === undefined ? join(usualWorkParent(neededBytes), 'mbk-bench') : resolve(work);
  mkdirSync(folder, { recursive: true });
  const room = roomIn(folder);
  if (room < neededBytes)
    throw new Error(
      `${folder} has room for ${gigabytes(room)} and about ${gigabytes(neededBytes)} are needed: name another with --work, or use a smaller --scale`,
    );
  const run = join(folder, `run-${processId}`);
  return {
    folder,
    corpora: corpora === undefined ? join(folder, 'corpora') : resolve(corpora),
    run,
    remove: () => rmSync(run, { recursive: true, force: true }),
  };
}

/** Whether both lie on one file system, so that all contenders read and write the same disk. */
export function isOnOneDisk(one: string, other: string): boolean {
  return statSync(one).dev === statSync(other).dev;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
