/** Files that hold a secret: new, for their owner alone, and on the disk before anything relies on them. */

import { MbkError } from '@mbk/core';
import { closeSync, fsyncSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface SecretFile {
  /** Absolute. */
  readonly path: string;
  /** Writes the secret and brings it to the disk. Errors: `target-failed`. */
  write(text: string): void;
  /** Removes the file: what it was made for did not happen. */
  discard(): void;
}

/**
 * Makes an empty file at `path`, mode 0600, for a secret that comes later. It never replaces one that is there.
 *
 * Errors: `usage-invalid` (there is something), `target-failed`.
 */
export function createSecretFile(path: string): SecretFile {
  const file = resolve(path);
  const fd = attempt(file, () => openSync(file, 'wx', 0o600));
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return {
    path: file,
    write(text) {
      attempt(file, () => {
        writeFileSync(fd, text);
        fsyncSync(fd);
        close();
        syncFolder(dirname(file));
      });
    },
    discard() {
      close();
      unlinkSync(file);
    },
  };
}

/** The name of the file is on the disk as well. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code;
    if (errno === 'EEXIST') {
      throw new MbkError('usage-invalid', `${path} exists, and a key never replaces a file`, {
        details: { path },
        remedy: 'Name a new file.',
      });
    }
    throw new MbkError('target-failed', `${path} cannot be written: ${errno ?? String(cause)}`, {
      cause,
      details: { path, errno },
      remedy: 'Check the folder, its room and its permissions.',
    });
  }
}
