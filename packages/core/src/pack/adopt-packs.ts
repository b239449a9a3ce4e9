/** Takes up what interrupted runs of this host stored: packs of their journals that no index segment holds. */
import type { Backend } from '../backend/backend.ts';
import { isMbkError } from '../errors.ts';
import { packKey } from '../format/ids.ts';
import type { IndexSet, PackFilter } from './index-set.ts';
import type { PackContents } from './pack-contents.ts';
import { type JournalRow, readJournals, removeJournal } from './pack-journal.ts';
import type { PackReader } from './pack-reader.ts';
import { isDamage } from './read-twice.ts';

export interface AdoptOptions {
  /** Folder of the pack journals. */
  readonly folder: string;
  readonly backend: Backend;
  readonly reader: PackReader;
  /** Filled with the live segments already; adopted packs are added as pending ones. */
  readonly index: IndexSet;
  /** Whether a pack may be used: it is not condemned, deleted or lost. */
  readonly isUsable: PackFilter;
  /** Whether the process is running: it will index its own packs, and its journal stays. */
  readonly isAlive: (pid: number) => boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Adoption {
  readonly adopted: readonly PackContents[];
  /** Removes the journals; to be called once the segment that holds the adopted packs is committed. */
  clear(): void;
}

/**
 * Adopts the packs of dead processes. A pack that is gone, damaged or not what the journal says is passed over; that
 * two processes adopt one pack is harmless. Errors: `local-state-failed`, the backend's.
 */
export async function adoptPacks(options: AdoptOptions): Promise<Adoption> {
  const { folder, index, isUsable, isAlive } = options;
  const journals = readJournals(folder).filter(({ pid }) => !isAlive(pid));
  const adopted: PackContents[] = [];
  for (const row of journals.flatMap(({ rows }) => rows)) {
    if (index.pack(row.id) !== undefined) continue;
    const contents = await contentsOf(row, options);
    if (contents === undefined || !isUsable(contents.row.id, contents.row.actor, undefined)) continue;
    index.addPack(contents);
    adopted.push(contents);
  }
  return {
    adopted,
    clear() {
      for (const journal of journals) removeJournal(journal);
    },
  };
}

async function contentsOf(
  { kind, id, size }: JournalRow,
  { backend, reader, signal }: AdoptOptions,
): Promise<PackContents | undefined> {
  const status = await backend.stat(packKey(kind, id), { signal });
  if (status?.size !== size) return undefined;
  try {
    return await reader.readContents(kind, id, { signal });
  } catch (error) {
    if (isDamage(error) || isMbkError(error, 'entry-absent', 'role-denied')) return undefined;
    throw error;
  }
}
