/** Manifests beside a folder that was checked out: new files, never in place of one that is there. */

import { bytesOfText } from '@mbk/core';
import type { ByteString, ExportedFolder } from '@mbk/core';
import { openSync, closeSync, constants, writeFileSync } from 'node:fs';

export interface WrittenFile {
  /** From the folder. */
  readonly path: string;
  /** `kept`: another file was there. `failed`: it could not be written. */
  readonly state: 'written' | 'kept' | 'failed';
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** Writes the files of an exported folder below `target`, where it was checked out. */
export function writeExported(
  target: ByteString,
  { files, location }: Pick<ExportedFolder, 'files' | 'location'>,
): readonly WrittenFile[] {
  const folder = location === '' ? target : `${target}/${location}`;
  return files.map(({ path, text }) => {
    try {
      const file = Buffer.from(`${folder}/${bytesOfText(path)}`, 'latin1');
      const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
      try {
        writeFileSync(fd, text);
      } finally {
        closeSync(fd);
      }
      return { path, state: 'written' };
    } catch (error) {
      const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      return { path, state: isThere ? 'kept' : 'failed' };
    }
  });
}
