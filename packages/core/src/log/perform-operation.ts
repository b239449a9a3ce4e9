/**
 * What each operation does to the fold (docs/format.md, Operations). Who may is settled before, in `log/apply-entry.ts`.
 */
import { MbkError } from '../errors.ts';
import type { ActorId, EntryId } from '../format/ids.ts';
import { formatVersion } from '../format/limits.ts';
import type {
  ActorsOperation,
  AdvanceOperation,
  AuditPin,
  DeleteOperation,
  Discarded,
  ExpireOperation,
  FeaturesOperation,
  HeadLine,
  IndexOperation,
  Operation,
  TagOperation,
  UntagOperation,
  VoidOperation,
} from '../format/log-operations.ts';
import type { ActorRow, Line, LogFinding, TagRow } from '../format/log-state.ts';
import { captureKey, type FindingCode, type Fold } from './fold.ts';
import type { LogEntry } from './sealed-entry.ts';

/** An entry while it is applied. */
export interface Step {
  readonly entry: LogEntry;
  readonly rights: ActorRow | undefined;
  fold: Fold;
  readonly findings: LogFinding[];
}

/** Does what `op` says, which its signer may; or notes why it has no effect. */
export function perform(step: Step, op: Operation): void {
  const { entry, fold } = step;
  const { n } = entry;
  switch (op.op) {
    case 'features':
      return setFeatures(step, op);
    case 'keyset': {
      const { op: _, ...row } = op;
      step.fold = { ...fold, keysets: fold.keysets.with([[row.id, row]]) };
      return;
    }
    case 'actors':
      return setActors(step, op);
    case 'grant': {
      const { op: _, ...row } = op;
      step.fold = { ...fold, grants: fold.grants.with([[row.grant, row]]) };
      return;
    }
    case 'advance':
      return advance(step, op);
    case 'tag':
      return setTag(step, op);
    case 'index':
      return setSegments(step, op);
    case 'expire':
      return expire(step, op);
    case 'unexpire':
      return unexpire(step, op);
    case 'hold': {
      const { name } = op;
      const holds =
        op.removed === true
          ? fold.holds.without([name])
          : fold.holds.with([[name, { name, captures: op.captures, reason: op.reason, n }]]);
      step.fold = { ...fold, holds };
      return;
    }
    case 'condemn': {
      const ids = discardedIds(op).filter((id) => !fold.deleted.has(id));
      step.fold = { ...fold, condemned: fold.condemned.with(ids.map((id) => [id, n])) };
      return;
    }
    case 'delete':
      return deleteEntries(step, op);
    case 'lost':
      step.fold = { ...fold, lost: fold.lost.with(op.packs.map((pack) => [pack, n])) };
      return;
    case 'trust':
      step.fold = { ...fold, trusted: fold.trusted.with(op.packs.map((pack) => [pack, true])) };
      return;
    case 'redact':
      step.fold = { ...fold, redacted: fold.redacted.with(op.objects.map((row) => [row.object, row.replacement])) };
      return;
    case 'clock':
      step.fold = { ...fold, clock: { at: op.at, n } };
      return;
    case 'state':
      if (op.through !== n - 1)
        note(step, 'state', 'reference-wrong', `it folds entry ${op.through}, not the entry before it`);
      return;
    case 'void':
      return passOver(step, op);
    case 'unknown':
      return;
  }
}

function setFeatures(step: Step, { format, required, parameters, timezone }: FeaturesOperation): void {
  const features = { format, required, parameters, timezone };
  if (features.format !== formatVersion || features.required.length > 0) {
    const needs =
      features.format === formatVersion
        ? `the features ${features.required.join(', ')}`
        : `format version ${features.format}`;
    throw new MbkError(
      'format-unsupported',
      `log entry ${step.entry.n} says that this repository needs ${needs}, which this mbk does not know`,
      {
        details: { entry: step.entry.n, format: features.format, required: features.required },
      },
    );
  }
  step.fold = { ...step.fold, features };
}

function setActors(step: Step, { set, remove }: ActorsOperation): void {
  const { fold, entry } = step;
  const rows = set.map((actor) => ({ ...actor, addedAt: fold.actors.get(actor.signing)?.addedAt ?? entry.at }));
  const actors = fold.actors.with(rows.map((row) => [row.signing, row]));
  const removed: [ActorId, ActorRow][] = [];
  for (const id of remove) {
    const row = actors.get(id);
    if (row !== undefined) removed.push([id, { ...row, removedAt: row.removedAt ?? entry.at }]);
  }
  step.fold = { ...fold, actors: actors.with(removed) };
}

/** All heads move, or none does. */
function advance(step: Step, { heads }: AdvanceOperation): void {
  const { entry } = step;
  let after = step.fold;
  for (const head of heads) {
    const stale = staleness(after, head);
    if (stale === 'stale') {
      note(
        step,
        'advance',
        'advance-stale',
        `domain ${head.domain} stands at ${after.heads.get(head.domain)?.to ?? 'nothing'}, not at ${head.from ?? 'nothing'}`,
      );
      return;
    }
    if (after.deleted.has(head.bundle)) {
      note(step, 'advance', 'bundle-deleted', bundleGone(head.bundle));
      return;
    }
    if (head.tag !== null && after.tags.has(head.tag)) {
      note(step, 'advance', 'tag-exists', `the tag ${head.tag} exists`);
      return;
    }
    if (stale === 'over-gap') {
      note(
        step,
        'advance',
        'advance-over-gap',
        `domain ${head.domain} went on from ${head.from ?? 'nothing'}, which an unreadable entry brought in`,
      );
    }
    after = withHead(after, { ...head, n: entry.n, at: entry.at, actor: entry.actor });
  }
  step.fold = after;
}

/**
 * Whether `head` continues from where its domain stands.
 *
 * When an entry after the domain's newest line could not be read, that entry may have moved the head: the first step
 * after it is believed, since the fold that its writer saw was whole.
 */
function staleness(fold: Fold, head: HeadLine): 'fresh' | 'stale' | 'over-gap' {
  const line = fold.heads.get(head.domain);
  if (head.from === (line?.to ?? null)) return 'fresh';
  return fold.gaps.some((gap) => gap > (line?.n ?? 0)) ? 'over-gap' : 'stale';
}

function withHead(fold: Fold, line: Line): Fold {
  const moved: Fold = {
    ...fold,
    lines: fold.lines.with([line]),
    // The first line of a commit is its own: whoever writes in one domain must not speak for a snapshot of another.
    lineOfCommit: fold.lineOfCommit.has(line.to) ? fold.lineOfCommit : fold.lineOfCommit.with([[line.to, line]]),
    heads: fold.heads.with([[line.domain, line]]),
  };
  if (line.tag === null || line.tagObject === null) return moved;
  const { domain, to: commit, tag: name, tagObject: object, bundle, n, at } = line;
  return { ...moved, tags: fold.tags.with([[name, { domain, name, commit, object, bundle, n, at }]]) };
}

function setTag(step: Step, op: TagOperation | UntagOperation): void {
  const { fold, entry } = step;
  const exists = fold.tags.has(op.name);
  if (op.deleted === true) {
    if (exists) step.fold = { ...fold, tags: fold.tags.without([op.name]) };
    else note(step, 'tag', 'tag-absent', `there is no tag ${op.name} to remove`);
    return;
  }
  if (exists) {
    note(step, 'tag', 'tag-exists', `the tag ${op.name} exists`);
    return;
  }
  if (fold.deleted.has(op.bundle)) {
    note(step, 'tag', 'bundle-deleted', bundleGone(op.bundle));
    return;
  }
  const { domain, name, commit, object, bundle } = op;
  const row: TagRow = { domain, name, commit, object, bundle, n: entry.n, at: entry.at };
  step.fold = { ...fold, tags: fold.tags.with([[name, row]]) };
}

function bundleGone(bundle: EntryId): string {
  return `the catalogue bundle ${bundle}, which it names, was deleted`;
}

function setSegments(step: Step, { add, drop }: IndexOperation): void {
  const { fold, entry, rights } = step;
  const gone = add.find(({ id }) => fold.deleted.has(id));
  // Behind an entry that cannot be read, segments may be live that this fold has not heard of.
  const idle = fold.gaps.length > 0 ? undefined : drop.find((id) => !fold.segments.has(id));
  // Else a writer could take over an owner's segment: whose rows are trusted, and what its size is, would be theirs to say.
  const foreign =
    rights?.role === 'owner'
      ? undefined
      : add.find(({ id }) => (fold.segments.get(id)?.actor ?? entry.actor) !== entry.actor);
  const stale = [
    gone && `segment ${gone.id}, which it adds, was deleted`,
    idle && `segment ${idle}, which it drops, is not live`,
    foreign && `segment ${foreign.id}, which it adds, is another actor's`,
  ].find((text) => text !== undefined);
  if (stale !== undefined) {
    note(step, 'index', 'index-stale', stale);
    return;
  }
  const added = add.map((row) => [row.id, { ...row, n: entry.n, actor: entry.actor }] as const);
  step.fold = { ...fold, segments: fold.segments.without(drop).with(added) };
}

function expire(step: Step, op: ExpireOperation): void {
  const { fold, entry } = step;
  const reason = op.reason === undefined ? {} : { reason: op.reason };
  const rows = op.captures.map((capture) => [captureKey(capture), { ...capture, n: entry.n, ...reason }] as const);
  step.fold = { ...fold, expired: fold.expired.with(rows), lifted: fold.lifted.without(op.captures.map(captureKey)) };
}

/** What it lifts is remembered: a writer that began before must not rely on a capture that was given up meanwhile. */
function unexpire(step: Step, { captures }: ExpireOperation): void {
  const { fold } = step;
  const rows = captures.flatMap((capture) => {
    const expired = fold.expired.get(captureKey(capture));
    return expired === undefined ? [] : [[captureKey(capture), { ...capture, n: expired.n }] as const];
  });
  step.fold = { ...fold, expired: fold.expired.without(rows.map(([key]) => key)), lifted: fold.lifted.with(rows) };
}

function deleteEntries(step: Step, op: DeleteOperation): void {
  const { fold, entry } = step;
  const ids = discardedIds(op).filter((id) => !fold.deleted.has(id));
  const surprising = ids.filter((id) => fold.condemned.get(id) !== op.condemned);
  if (surprising.length > 0) {
    // It has its effect all the same: the bytes go after this entry, and taking them for gone is safe.
    const text = `entry ${op.condemned} did not condemn ${surprising.length} of what it deletes, ${surprising[0]} among them`;
    note(step, 'delete', 'delete-uncondemned', text);
  }
  step.fold = {
    ...fold,
    condemned: fold.condemned.without([...ids, ...op.spared]),
    deleted: fold.deleted.with(ids.map((id) => [id, entry.n])),
    segments: fold.segments.without(op.segments),
  };
}

function discardedIds({ packs, segments, bundles }: Discarded): EntryId[] {
  return [...packs, ...segments, ...bundles];
}

function passOver(step: Step, { n, hash }: VoidOperation): void {
  const { fold, entry } = step;
  const isPrevious = n === entry.n - 1;
  if (n >= entry.n || (isPrevious && hash !== entry.previous)) {
    note(step, 'void', 'reference-wrong', `it names entry ${n} with a hash that the chain does not have`);
    return;
  }
  note(step, 'void', 'entry-voided', `entry ${n} is passed over`);
  step.fold = { ...fold, voided: fold.voided.with([[n, hash]]), gaps: fold.gaps.filter((gap) => gap !== n) };
}

/** Moves the head of an audit chain that the entry pins. */
export function moveAuditPin(step: Step, pin: AuditPin): void {
  const { fold, rights } = step;
  const known = fold.audit.get(pin.chain);
  if (rights === undefined) {
    note(step, 'audit', 'actor-unknown', 'its signer is no actor of this repository');
  } else if (known !== undefined && (pin.n < known.n || (pin.n === known.n && pin.hash !== known.hash))) {
    note(
      step,
      'audit',
      'audit-backwards',
      `audit chain ${pin.chain} stands at ${known.n}, not at ${pin.n} ${pin.hash}`,
    );
  } else {
    step.fold = { ...fold, audit: fold.audit.with([[pin.chain, pin]]) };
  }
}

/** Adds a finding. */
export function note({ entry, findings }: Step, op: string, code: FindingCode, text: string): void {
  findings.push({ n: entry.n, actor: entry.actor, op, code, text });
}
