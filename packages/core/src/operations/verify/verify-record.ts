/**
 * Writes down what a verification finds, as it goes: one that is interrupted after hours has not read for nothing. Where
 * the memory cannot be used, that is a notice, and the verification goes on without it.
 */
import type { PackId } from '../../format/ids.ts';
import type { PackRow } from '../../format/segment-rows.ts';
import type { Repository } from '../../repository.ts';
import { openVerifyMemory, type VerifyMemory, type VerifyRun } from './verify-memory.ts';

export interface VerifyRecord {
  /** When each pack was last read whole and found right, as far as this host knows. */
  verifiedAt(): ReadonlyMap<PackId, number>;
  /** Takes note of a pack that was read whole. */
  readonly onWhole: (pack: PackId, isSound: boolean) => void;
  /** Writes what was noted. */
  flush(): void;
  /** Writes the run; `live` are all packs that there are, where all were looked at. */
  finish(run: Omit<VerifyRun, 'at' | 'packs'>, live: readonly PackRow[] | undefined): void;
}

/** Packs that are noted at a time. */
const batch = 64;

export function verifyRecord({
  stateFolder,
  now,
  notice,
}: Pick<Repository, 'stateFolder' | 'now' | 'notice'>): VerifyRecord {
  let isUsable = true;
  /** Opened for each step, which is far rarer than reading: nothing is left open whatever happens between. */
  const attempt = <T>(work: (memory: VerifyMemory) => T, otherwise: T): T => {
    if (!isUsable) return otherwise;
    let memory: VerifyMemory | undefined;
    try {
      memory = openVerifyMemory(stateFolder);
      return work(memory);
    } catch (error) {
      isUsable = false;
      notice(`what is verified here is not remembered: ${error instanceof Error ? error.message : String(error)}`);
      return otherwise;
    } finally {
      memory?.close();
    }
  };
  let sound: PackId[] = [];
  let unsound: PackId[] = [];
  let packs = 0;
  const flush = (): void => {
    if (sound.length + unsound.length === 0) return;
    attempt((memory) => memory.note(now(), sound, unsound), undefined);
    [sound, unsound] = [[], []];
  };
  return {
    verifiedAt: () => attempt((memory) => memory.verifiedAt(), new Map<PackId, number>()),
    onWhole(pack, isSound) {
      packs += 1;
      (isSound ? sound : unsound).push(pack);
      if (sound.length + unsound.length >= batch) flush();
    },
    flush,
    finish(run, live) {
      flush();
      attempt((memory) => {
        memory.addRun({ ...run, at: now(), packs });
        if (live !== undefined) memory.keepOnly(new Set(live.map(({ id }) => id)));
      }, undefined);
    },
  };
}
