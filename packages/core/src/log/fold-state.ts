/**
 * Fold ⇄ state: the same facts as a value with lookups and as sorted rows (docs/format.md, State).
 */
import type { Line, LogState, TagRow } from '../format/log-state.ts';
import { captureKey, type Fold } from './fold.ts';
import { PersistentList, PersistentMap } from './persistent-map.ts';

/** The rows of a fold. RangeError before entry 1, which no state can hold. */
export function stateOfFold(fold: Fold): LogState {
  const { n, hash, at, features } = fold;
  if (features === undefined) throw new RangeError('expected a fold of at least entry 1, got an empty one');
  return {
    n,
    hash,
    at,
    features,
    keysets: [...fold.keysets.values()],
    actors: [...fold.actors.values()],
    grants: [...fold.grants.values()],
    lines: [...fold.lines.values()],
    tags: [...fold.tags.values()],
    segments: [...fold.segments.values()],
    expired: [...fold.expired.values()],
    lifted: [...fold.lifted.values()],
    holds: [...fold.holds.values()],
    condemned: [...fold.condemned.entries()],
    deleted: [...fold.deleted.entries()],
    lost: [...fold.lost.entries()],
    trusted: [...fold.trusted.keys()],
    redacted: [...fold.redacted.entries()].map(([object, replacement]) => ({ object, replacement })),
    audit: [...fold.audit.values()],
    clock: fold.clock ?? null,
    voided: [...fold.voided.entries()],
    findings: [...fold.findings.values()],
  };
}

/** The fold that a state holds. It has no gaps: a state is written only when every entry before it is known or void. */
export function foldOfState(state: LogState): Fold {
  return foldOfRows(state, PersistentList.of(state.lines), PersistentList.of(state.tags));
}

/** The same where lines and tags stand elsewhere than in the state. */
export function foldOfRows(
  state: Omit<LogState, 'lines' | 'tags'>,
  lines: PersistentList<Line>,
  tags: PersistentList<TagRow>,
): Fold {
  return {
    n: state.n,
    hash: state.hash,
    at: state.at,
    features: state.features,
    keysets: PersistentMap.of(state.keysets.map((row) => [row.id, row])),
    actors: PersistentMap.of(state.actors.map((row) => [row.signing, row])),
    grants: PersistentMap.of(state.grants.map((row) => [row.grant, row])),
    lines,
    // Of several lines of one commit the first counts.
    lineOfCommit: PersistentMap.later((map) => {
      for (const line of lines.values()) if (!map.has(line.to)) map.set(line.to, line);
    }),
    heads: PersistentMap.later((map) => {
      for (const line of lines.values()) map.set(line.domain, line);
    }),
    tags: PersistentMap.later((map) => {
      for (const row of tags.values()) map.set(row.name, row);
    }),
    segments: PersistentMap.of(state.segments.map((row) => [row.id, row])),
    expired: PersistentMap.of(state.expired.map((row) => [captureKey(row), row])),
    lifted: PersistentMap.of(state.lifted.map((row) => [captureKey(row), row])),
    holds: PersistentMap.of(state.holds.map((row) => [row.name, row])),
    condemned: PersistentMap.of(state.condemned),
    deleted: PersistentMap.of(state.deleted),
    lost: PersistentMap.of(state.lost),
    trusted: PersistentMap.of(state.trusted.map((pack) => [pack, true])),
    redacted: PersistentMap.of(state.redacted.map((row) => [row.object, row.replacement])),
    audit: PersistentMap.of(state.audit.map((pin) => [pin.chain, pin])),
    clock: state.clock ?? undefined,
    voided: PersistentMap.of(state.voided),
    gaps: [],
    findings: PersistentList.of(state.findings),
  };
}
