/**
 * Stops a snapshot before it fills the storage to the last byte: what was stored by then can still be indexed and is used
 * again, and whoever shares the disk goes on.
 */
import { MbkError } from '../errors.ts';
import type { Repository } from '../repository.ts';

export interface RoomWatch {
  /** Errors: `backend-full` when `bytes` more would leave less than the reserve. */
  check(bytes: number): Promise<void>;
}

/** For the index segments, commits and log entries of what is stored. */
const reserveBytes = 16_777_216;
/** Bytes after which the storage is asked again, or a quarter of the room that there was. */
const askedEvery = 268_435_456;

export function roomWatch({ backend, signal }: Pick<Repository, 'backend' | 'signal'>): RoomWatch {
  /** Bytes that may be stored before the storage is asked again. */
  let credit = 0;
  return {
    async check(bytes) {
      credit -= bytes;
      if (credit > 0) return;
      const free = await backend.freeBytes?.({ signal });
      if (free === undefined) {
        credit = Infinity;
        return;
      }
      if (free < bytes + reserveBytes) {
        throw new MbkError(
          'backend-full',
          `${backend.name} has room for ${free} bytes, of which ${reserveBytes} are kept free`,
          {
            details: { free, needed: bytes + reserveBytes },
          },
        );
      }
      credit = Math.min(askedEvery, (free - reserveBytes) / 4);
    },
  };
}
