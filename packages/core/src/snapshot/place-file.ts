/**
 * Puts one small file into a folder of a target, whole: on whichever thread, in a folder that `TargetFolder.reserve` found
 * and holds. What stands there is looked at just before it is replaced.
 */
import fs from 'node:fs';
import { errnoOf } from '../backend/local-file-system.ts';
import { pathOfBytes, type ByteString } from '../format/byte-name.ts';
import type { FileTime } from '../format/tree.ts';
import { isLater, timeOfMs } from './file-time.ts';
import { newFileFacts } from './new-file-facts.ts';
import type { SetFactsOptions, TargetFacts } from './target-facts.ts';
import { createFile, writeWithin } from './target-file.ts';

/** What may be replaced: nothing, files that are older than the snapshot's, or all files. */
export type Overwrite = 'never' | 'newer' | 'always';

export interface FileToPlace extends TargetFacts {
  readonly name: ByteString;
  /** Name of the file until it is whole. */
  readonly temporary: ByteString;
  /** Whether nobody has put anything into the folder but this run, which takes each path once. */
  readonly isFree?: boolean | undefined;
}

export interface PlaceOptions {
  readonly overwrite: Overwrite;
  /** Whether owners are restored; only root can. */
  readonly owners: boolean;
  readonly fsync: boolean;
}

/** `left` where a folder is in the way, which only the thread that holds the target decides about. */
export type Placed = 'written' | 'kept' | 'left';

/** Writes `content` into a file of the folder at `location`. Throws what `node:fs` throws; then nothing is left of it. */
export type PlaceFile = (
  location: ByteString,
  file: FileToPlace,
  content: Uint8Array,
  onRefused: SetFactsOptions['onRefused'],
) => Placed;

/** Places files for as long as their folders are held: a location is always the same folder. */
export function filePlacer({ overwrite, owners, fsync }: PlaceOptions): PlaceFile {
  const facts = newFileFacts(owners);

  /** What to say where the file is not to be written. */
  const inTheWay = (path: string | Buffer, { mtime }: FileToPlace): Placed | undefined => {
    const existing = fs.lstatSync(path, { throwIfNoEntry: false });
    if (existing === undefined) return undefined;
    if (existing.isDirectory()) return 'left';
    return mayReplace(existing, mtime, overwrite) ? undefined : 'kept';
  };

  return (location, file, content, onRefused) => {
    const path = pathOfBytes(`${location}/${file.name}`);
    const found = file.isFree === true ? undefined : inTheWay(path, file);
    if (found !== undefined) return found;
    const unfinished: ByteString = `${location}/${file.temporary}`;
    let fd: number | undefined = createFile(unfinished, facts.modeFor(location, file));
    try {
      writeWithin(fd, content.byteLength, content, 0);
      facts.set(fd, file, { onRefused });
      if (fsync) fs.fsyncSync(fd);
      const open = fd;
      fd = undefined;
      fs.closeSync(open);
      fs.renameSync(pathOfBytes(unfinished), path);
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      fs.unlinkSync(pathOfBytes(unfinished));
      if (errnoOf(error) === 'EISDIR') return 'left';
      throw error;
    }
    return 'written';
  };
}

/** Whether a file of that time may take the place of what is no folder. */
export function mayReplace(existing: fs.Stats, mtime: FileTime, overwrite: Overwrite): boolean {
  return overwrite === 'newer' ? isLater(mtime, timeOfMs(existing.mtimeMs)) : overwrite === 'always';
}
