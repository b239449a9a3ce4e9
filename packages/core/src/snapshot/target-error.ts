/** Says what a checkout could not do, to which path, and what helps. */
import { errnoOf } from '../backend/local-file-system.ts';
import { MbkError } from '../errors.ts';
import { displayBytes, isRelativePath, type ByteString } from '../format/byte-name.ts';

/** What `call` gives; a system error becomes 'target-failed', saying what was being `doing`. */
export function inTarget<T>(path: ByteString, doing: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || error instanceof RangeError || error instanceof TypeError) throw error;
    const shown = displayBytes(path);
    const remedy = remedies[errno];
    throw new MbkError('target-failed', `${doing} ${shown || 'the target folder'} failed: ${errno}`, {
      details: { path: shown, errno },
      cause: error,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

/** 'target-unsafe' unless `path` is names joined by `/`. */
export function checkInside(path: ByteString): void {
  if (isRelativePath(path)) return;
  const shown = displayBytes(path);
  throw new MbkError('target-unsafe', `${JSON.stringify(shown)} is no path inside a folder`, {
    details: { path: shown },
  });
}

/** The error for something that stands where the snapshot has something else, and may not be replaced. */
export function inTheWay(path: ByteString, there: 'file' | 'folder' | 'link'): MbkError {
  const shown = displayBytes(path);
  const message = `a ${there} is at ${shown} in the target, where the snapshot has something else`;
  return new MbkError(there === 'link' ? 'target-unsafe' : 'target-failed', message, {
    details: { path: shown, there },
    remedy: `Move the ${there} away, or check out into a new folder.`,
  });
}

/** The error for a further name of a file whose first name is no file in the target. */
export function notRestored(path: ByteString, existing: ByteString): MbkError {
  const [shown, shownExisting] = [displayBytes(path), displayBytes(existing)];
  return new MbkError('target-failed', `${shown} is another name of ${shownExisting}, which is no file in the target`, {
    details: { path: shown, existing: shownExisting },
  });
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'Free room in the target, then run the checkout again with `--overwrite newer`.',
  EDQUOT: 'Raise the quota of this user, then run the checkout again with `--overwrite newer`.',
  ENAMETOOLONG: 'Check out into a folder with a shorter path, or on a file system with longer names.',
  EILSEQ: 'The file system of the target takes UTF-8 names only: check out on another one.',
};
