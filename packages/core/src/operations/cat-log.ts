/** `mbk cat-log`: one entry of the log, opened and proved by the chain. */
import { MbkError } from '../errors.ts';
import type { ActorId, KeysetId } from '../format/ids.ts';
import type { AuditPin } from '../format/log-operations.ts';
import { timeText } from '../format/snapshot-manifest.ts';
import type { LogSection } from '../log/sealed-entry.ts';
import type { Repository } from '../repository.ts';

export interface ShownEntry {
  readonly n: number;
  /** SHA-256 of its bytes, and of those of the entry before it. */
  readonly hash: string;
  readonly previous: string;
  /** RFC 3339, by the storage's clock; times in operations are milliseconds since 1970, as they are stored. */
  readonly at: string;
  readonly actor: { readonly id: ActorId; readonly name: string | null };
  readonly tool: string;
  readonly audit: readonly AuditPin[];
  readonly sections: readonly LogSection[];
  /** Keysets of sections that the key in use does not open. */
  readonly skipped: readonly KeysetId[];
}

/** Entry `n` of the log. Errors: `object-unknown`, `log-damaged`. */
export async function catLog({ log }: Repository, n: number): Promise<ShownEntry> {
  if (!Number.isSafeInteger(n) || n < 1 || n > log.fold.n) {
    throw new MbkError('object-unknown', `the log has entries 1 to ${log.fold.n}, not ${n}`, { details: { n } });
  }
  const { hash, previous, at, actor, tool, audit, sections, skipped } = await log.read(n);
  const name = log.fold.actors.get(actor)?.name ?? null;
  return { n, hash, previous, at: timeText(at), actor: { id: actor, name }, tool, audit, sections, skipped };
}
