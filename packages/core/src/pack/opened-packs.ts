/** Packs that are files of this machine, opened for threads to read by themselves, each once. */
import type { Backend } from '../backend/backend.ts';
import { isMbkError } from '../errors.ts';
import { type PackId, packKey } from '../format/ids.ts';
import type { PackRow } from '../format/segment-rows.ts';

export interface OpenedPacks {
  /** The opened file; undefined where the backend has none, or says why not when it is asked for bytes. */
  open(pack: Pick<PackRow, 'kind' | 'id'>): Promise<{ readonly fd: number } | undefined>;
  /** To be called when no thread reads any of them any more. */
  close(): Promise<void>;
}

export function openedPacks(backend: Backend, signal: AbortSignal | undefined): OpenedPacks {
  const opened = new Map<PackId, ReturnType<typeof open>>();
  const open = async ({ kind, id }: Pick<PackRow, 'kind' | 'id'>) => {
    try {
      return await backend.open?.(packKey(kind, id), { signal });
    } catch (error) {
      if (isMbkError(error, 'entry-absent', 'backend-failed')) return undefined;
      throw error;
    }
  };
  return {
    open(pack) {
      const opening = opened.get(pack.id) ?? open(pack);
      opened.set(pack.id, opening);
      return opening;
    },
    async close() {
      for (const opening of await Promise.allSettled(opened.values()))
        if (opening.status === 'fulfilled') opening.value?.close();
    },
  };
}
