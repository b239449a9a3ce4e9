/**
 * Blobs for a reader that may be overtaken by a prune: what is missing is looked for again as long as the log moves on,
 * and then the entry that pruned it is named (docs/format.md, The protocol).
 */
import { setImmediate } from 'node:timers/promises';
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import { isMbkError, MbkError } from '../../errors.ts';
import { asPackId, type BlobId } from '../../format/ids.ts';
import type { Repository } from '../../repository.ts';

/** Reads many blobs, each once, in the order of packs. `onBlob` gets bytes that it does not change, `onFailed` the rest. */
export interface PatientBlobs {
  read(
    ids: Iterable<BlobId>,
    onBlob: (id: BlobId, bytes: Uint8Array) => void,
    onFailed: (id: BlobId, error: MbkError) => void,
  ): Promise<void>;
}

export function patientBlobs(repository: Repository): PatientBlobs {
  const { log, signal } = repository;

  const hasMoved = async (): Promise<boolean> => {
    const { n } = log.fold;
    await log.refresh();
    if (log.fold.n === n) return false;
    await repository.index(); // as of the new fold
    return true;
  };

  return {
    async read(ids, onBlob, onFailed) {
      let wanted = new Set(ids);
      for (;;) {
        const missing = new Map<BlobId, MbkError>();
        const blobs = await repository.blobs();
        for await (const { id, bytes } of blobs.readBlobs('data', wanted, {
          signal,
          onFailed: (id, error) =>
            isMbkError(error, 'blob-absent', 'entry-absent') ? void missing.set(id, error) : onFailed(id, error),
        })) {
          onBlob(id, bytes);
          // One frame may hold thousands of small files, and writing them blocks.
          await setImmediate();
          throwIfInterrupted(signal, 'checking out');
        }
        if (missing.size === 0) return;
        if (await hasMoved()) {
          wanted = new Set(missing.keys());
          continue;
        }
        for (const [id, error] of missing) onFailed(id, whoPruned(repository, error));
        return;
      }
    },
  };
}

/** The error with the entry that deleted the pack, where one did. */
function whoPruned({ log: { fold } }: Repository, error: MbkError): MbkError {
  const packs = Array.isArray(error.details['packs']) ? (error.details['packs'] as readonly unknown[]) : [];
  for (const pack of packs.map(asPackId)) {
    const n = fold.deleted.get(pack);
    if (n === undefined) continue;
    return new MbkError('blob-absent', `${error.message}; pack ${pack.slice(0, 12)} was pruned by log entry ${n}`, {
      details: { ...error.details, prunedBy: n },
      cause: error,
    });
  }
  return error;
}
