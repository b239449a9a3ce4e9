import { isMbkError, type MbkError } from '../errors.ts';

/** Whether the error says that what is stored is missing or not what it should be: one file is concerned, not all. */
export function isBadContent(error: unknown): error is MbkError {
  return isMbkError(
    error,
    'entry-absent',
    'entry-damaged',
    'value-invalid',
    'backend-read-short',
    'blob-absent',
    'codec-unknown',
    'format-unsupported',
  );
}
