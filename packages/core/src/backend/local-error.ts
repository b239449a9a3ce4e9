import { MbkError, type ErrorCode, type MbkErrorOptions } from '../errors.ts';
import { errnoOf } from './local-file-system.ts';

/** Turns an error of a filesystem call into the `MbkError` that says what was being done, where, and what helps. */
export function localError(cause: unknown, folder: string, doing: string, path: string): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  const { code, remedy } = kinds[errno] ?? { code: 'backend-failed' };
  const options: MbkErrorOptions = {
    details: { folder, path, errno },
    cause,
    ...(remedy === undefined ? {} : { remedy }),
  };
  return new MbkError(code, `${doing} failed at ${path}: ${errno}`, options);
}

/** The error for a filesystem that refuses a second name for a file, or whose folders lie on two filesystems. */
export function linkError(cause: unknown, folder: string, doing: string, path: string): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined || !(errno in linkRefusals)) return localError(cause, folder, doing, path);
  const options: MbkErrorOptions = { details: { folder, path, errno }, cause };
  const message = `${doing} failed: no hard link can be made at ${path} (${errno}: ${linkRefusals[errno]})`;
  return new MbkError('backend-no-hard-links', message, options);
}

const kinds: Readonly<Record<string, { code: ErrorCode; remedy?: string }>> = {
  ENOSPC: { code: 'backend-full' },
  EDQUOT: {
    code: 'backend-full',
    remedy: 'Raise the quota of this user or free some of it, then run the command again.',
  },
  EROFS: { code: 'backend-read-only' },
  EACCES: { code: 'backend-denied' },
  EPERM: { code: 'backend-denied' },
  EMFILE: {
    code: 'backend-failed',
    remedy: 'Raise the limit of open files (`ulimit -n`), then run the command again.',
  },
  EIO: { code: 'backend-failed', remedy: 'Look at the system log: the disk or its connection reports errors.' },
};

const linkRefusals: Readonly<Record<string, string>> = {
  EPERM: 'the filesystem has no hard links',
  ENOTSUP: 'the filesystem has no hard links',
  EOPNOTSUPP: 'the filesystem has no hard links',
  ENOSYS: 'the filesystem has no hard links',
  EMLINK: 'the filesystem allows a file no second name',
  EXDEV: 'the folders of the repository lie on more than one filesystem',
};
