/**
 * Entry 1: what a repository is, its first keyset, its founder and who else may act (docs/format.md, Operations).
 */
import type { Random } from '../crypto/hash.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import type { ActorId, EntryId, KeysetId } from '../format/ids.ts';
import { formatVersion, parameters } from '../format/limits.ts';
import { logKey, noPrevious } from '../format/log-entry.ts';
import type { Actor, KnownOperation } from '../format/log-operations.ts';
import { applyEntry } from './apply-entry.ts';
import { emptyFold, roleOf, type Fold } from './fold.ts';
import { openEntry, sealEntry } from './sealed-entry.ts';

export interface GenesisOptions {
  /** Of the founder, whose actor must be an owner among `actors`. */
  readonly keys: Keys;
  readonly actors: readonly Actor[];
  /** Grants that stand in the storage already. */
  readonly grants: readonly {
    readonly grant: EntryId;
    readonly actor: ActorId;
    readonly keysets: readonly KeysetId[];
  }[];
  /** IANA name of the zone that dates of this repository are in. */
  readonly timezone: string;
  /** The storage's time by a fresh probe, milliseconds since 1970. */
  readonly at: number;
  /** Name and version of the program, `mbk 0.1.0`. */
  readonly tool: string;
  readonly random: Random;
}

export interface Genesis {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly fold: Fold;
}

/** The first entry of a log, to be put by init. TypeError when the founder is no owner. */
export function genesis({ keys, actors, grants, timezone, at, tool, random }: GenesisOptions): Genesis {
  const ops: KnownOperation[] = [
    { op: 'features', format: formatVersion, required: [], parameters, timezone },
    ...[...keys.keysets.values()].map(
      ({ id, scope, generation }) => ({ op: 'keyset', id, scope, generation }) as const,
    ),
    { op: 'actors', set: actors, remove: [] },
    ...grants.map((grant) => ({ op: 'grant', ...grant }) as const),
  ];
  const bytes = sealEntry({ n: 1, previous: noPrevious, at, tool, ops }, keys, random);
  // What is written is read back before it is stored.
  const { fold, findings } = applyEntry(emptyFold, openEntry(bytes, 1, keys, 'log entry 1'));
  if (roleOf(fold, keys.actor.id) !== 'owner' || findings.length > 0) {
    throw new TypeError(`expected the founder ${keys.actor.id} to be an owner among the actors`);
  }
  return { key: logKey(keys.repository, 1), bytes, hash: sha256Hex(bytes), fold };
}
