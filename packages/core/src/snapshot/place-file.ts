/**
 * Puts one small file into a folder of a target, whole: on whichever thread, in a folder that `TargetFolder.reserve` found
 * and holds. What stands there is looked at just before it is replaced.
 */
import fs from 'node:fs';
import { errnoOf } from '../backend/local-file-system.ts';
import { bufferOfBytes, type ByteString } from '../format/byte-name.ts';
import type { FileTime } from '../format/tree.ts';
import { isLater, timeOfMs } from './file-time.ts';
import type { SetFactsOptions, TargetFacts } from './target-facts.ts';
import { newFile, type TargetContent } from './target-file.ts';

/** What may be replaced: nothing, files that are older than the snapshot's, or all files. */
export type Overwrite = 'never' | 'newer' | 'always';

export interface FileToPlace extends TargetFacts, TargetContent {
  readonly name: ByteString;
  /** Name of the file until it is whole. */
  readonly temporary: ByteString;
}

export interface PlaceOptions extends SetFactsOptions {
  readonly overwrite: Overwrite;
  readonly fsync: boolean;
}

/** `left` where a folder is in the way, which only the thread that holds the target decides about. */
export type Placed = 'written' | 'kept' | 'left';

/** Writes `content` into a file of the folder at `location`. Throws what `node:fs` throws; then nothing is left of it. */
export function placeFile(location: ByteString, file: FileToPlace, content: Uint8Array, options: PlaceOptions): Placed {
  const path = bufferOfBytes(`${location}/${file.name}`);
  const existing = fs.lstatSync(path, { throwIfNoEntry: false });
  if (existing !== undefined) {
    if (existing.isDirectory()) return 'left';
    if (!mayReplace(existing, file.mtime, options.overwrite)) return 'kept';
  }
  const temporary: ByteString = `${location}/${file.temporary}`;
  const made = newFile(temporary, file);
  let isPlaced = false;
  try {
    made.write(content, 0);
    made.seal(file, options);
    fs.renameSync(bufferOfBytes(temporary), path);
    isPlaced = true;
    return 'written';
  } catch (error) {
    if (errnoOf(error) === 'EISDIR') return 'left';
    throw error;
  } finally {
    if (!isPlaced) {
      made.drop();
      fs.unlinkSync(bufferOfBytes(temporary));
    }
  }
}

/** Whether a file of that time may take the place of what is no folder. */
export function mayReplace(existing: fs.Stats, mtime: FileTime, overwrite: Overwrite): boolean {
  return overwrite === 'newer' ? isLater(mtime, timeOfMs(existing.mtimeMs)) : overwrite === 'always';
}
