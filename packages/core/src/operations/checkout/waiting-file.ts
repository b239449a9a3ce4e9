/** A file that is being restored, and what is said of it when that fails. */
import { MbkError } from '../../errors.ts';
import { displayBytes, type ByteString } from '../../format/byte-name.ts';
import type { BlobId } from '../../format/ids.ts';
import type { FileEntry } from '../../format/tree.ts';

/** What became of a file: only of the first two are the bytes in the target those of the snapshot. */
export type FileFate = 'written' | 'unchanged' | 'kept' | 'failed';

export interface Waiting {
  readonly path: ByteString;
  readonly entry: FileEntry;
  /** Hears of bytes of it that are written and proved while others still are to come. */
  readonly proceeded: (bytes: number) => void;
  /** Hears what became of it. */
  readonly done: (fate: FileFate) => void;
}

/** The error for a list or an entry that says another length than the blob has. */
export function wrongLength(path: ByteString, id: BlobId, found: number, expected: number): MbkError {
  const shown = displayBytes(path);
  return new MbkError('value-invalid', `${shown} needs ${expected} bytes of blob ${id}, which has ${found}`, {
    details: { path: shown, blob: id },
  });
}

/** The same error, saying of which file. */
export function named(path: ByteString, error: MbkError): MbkError {
  return new MbkError(error.code, `${displayBytes(path)}: ${error.message}`, { details: error.details, cause: error });
}
