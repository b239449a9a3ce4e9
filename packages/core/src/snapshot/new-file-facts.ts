/**
 * Owner and mode of new files, set only where they are not what the system gives a new file anyway: in a folder with many
 * files of one owner and mode, the first two tell what the others get, and those need no call for it.
 *
 * At no time is a file open to anybody who may not read it in the end.
 */
import fs from 'node:fs';
import type { ByteString } from '../format/byte-name.ts';
import { setFacts, setTime, type SetFactsOptions, type TargetFacts } from './target-facts.ts';

export interface NewFileFacts {
  /** The mode to make a file with, in the folder at `location`, that is to have these facts. */
  modeFor(location: ByteString, facts: TargetFacts): number;
  /** Sets the facts of that file. */
  set(fd: number, facts: TargetFacts, options: Pick<SetFactsOptions, 'onRefused'>): void;
}

/**
 * What is known of a new file in a folder: nothing; that it gets the owner; that it gets the mode as well; or that it does
 * not.
 */
type Known = 'nothing' | 'owner' | 'all' | 'other';

const ownerOnly = 0o600;

/** For as long as the folders that it is asked about are held: a location is then always the same folder. */
export function newFileFacts(owners: boolean): NewFileFacts {
  let place: ByteString | undefined;
  let mode = 0;
  let owner: TargetFacts['owner'] = [0, 0];
  let known: Known = 'nothing';

  return {
    modeFor(location, facts) {
      const isAsBefore =
        location === place && facts.mode === mode && facts.owner[0] === owner[0] && facts.owner[1] === owner[1];
      if (!isAsBefore) {
        place = location;
        ({ mode, owner } = facts);
        // Special bits are given last, to what has its owner. An owner that is not restored is always right.
        known = (mode & 0o7000) !== 0 ? 'other' : owners ? 'nothing' : 'owner';
      }
      return known === 'owner' || known === 'all' ? mode : ownerOnly;
    },

    set(fd, facts, { onRefused }) {
      if (known === 'nothing' || known === 'owner') {
        const { uid, gid, mode: given } = fs.fstatSync(fd);
        const isOwner = !owners || (uid === owner[0] && gid === owner[1]);
        if (!isOwner) known = 'other';
        else if (known === 'nothing') known = 'owner';
        else known = (given & 0o7777) === mode ? 'all' : 'other';
      }
      if (known === 'all') setTime(fd, facts, onRefused);
      else setFacts(fd, facts, { owners, onRefused });
    },
  };
}
