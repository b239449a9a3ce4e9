/**
 * One step of the fold: what an entry does, and what it may not (docs/format.md, Operations).
 *
 * Pure: the same entries give the same fold everywhere. An operation has all of its effect or none; one that its
 * signer's role does not allow has none and is a finding. Rights are those that the signer had before the entry.
 */
import { sharedScope, type Scope } from '../crypto/keyset.ts';
import type { EntryId } from '../format/ids.ts';
import type { Operation } from '../format/log-operations.ts';
import type { ActorRow, LogFinding } from '../format/log-state.ts';
import { doubtOfStep, newestTime } from './check-clock.ts';
import type { FindingCode, Fold } from './fold.ts';
import { moveAuditPin, note, perform, type Step } from './perform-operation.ts';
import { operationsOf, type LogEntry } from './sealed-entry.ts';

export interface Applied {
  readonly fold: Fold;
  /** What this entry added to the findings. */
  readonly findings: readonly LogFinding[];
}

/** Findings of one entry that are kept, so that a hostile writer cannot swell every later state. */
const maxFindings = 16;

/**
 * The fold after `entry`, which must be number `fold.n + 1`.
 *
 * Errors: `format-unsupported` when an owner's `features` names a format or feature that this version does not know.
 */
export function applyEntry(fold: Fold, entry: LogEntry): Applied {
  if (entry.n !== fold.n + 1) throw new RangeError(`expected entry ${fold.n + 1}, got entry ${entry.n}`);
  const step: Step = {
    entry,
    rights: rightsOf(fold, entry),
    fold: { ...fold, n: entry.n, hash: entry.hash, at: entry.at },
    findings: [],
  };
  const doubt = fold.n === 0 ? undefined : doubtOfStep(newestTime(fold), entry.at);
  if (doubt !== undefined) note(step, 'entry', doubt.reason, doubt.text);
  for (const { scope, op } of operationsOf(entry)) {
    const refusal = refusalOf(step.rights, op, scope);
    if (refusal === undefined) perform(step, op);
    else note(step, op.op, refusal.code, refusal.text);
  }
  for (const pin of entry.audit) moveAuditPin(step, pin);
  const findings = step.findings.length <= maxFindings ? step.findings : cut(step);
  return { fold: { ...step.fold, findings: step.fold.findings.with(findings) }, findings };
}

/** The fold past entry n, which cannot be read: `hash` is what the chain has for it. */
export function applyGap(fold: Fold, hash: string): Fold {
  return { ...fold, n: fold.n + 1, hash, gaps: [...fold.gaps, fold.n + 1] };
}

/**
 * Id of the state that takes the place of the fold before `entry` is applied; undefined for nearly every entry.
 *
 * An owner who declares an entry void that is not the newest one does it with a state beside it. Some hosts may have
 * read the entry while it was whole, others never will: from here on both go by that state, and so agree again.
 */
export function replacedStateOf(fold: Fold, entry: LogEntry): EntryId | undefined {
  if (rightsOf(fold, entry)?.role !== 'owner') return undefined;
  const ops = operationsOf(entry).map(({ op }) => op);
  if (!ops.some((op) => op.op === 'void' && op.n < entry.n - 1)) return undefined;
  return stateNamedBy(entry);
}

/** Id of the state that `entry` names for the fold before it. */
export function stateNamedBy(entry: LogEntry): EntryId | undefined {
  for (const { op } of operationsOf(entry)) if (op.op === 'state' && op.through === entry.n - 1) return op.id;
  return undefined;
}

interface Refusal {
  readonly code: FindingCode;
  readonly text: string;
}

/** The signer as an actor; in entry 1, which makes the first actors, as the one it makes of itself. */
function rightsOf(fold: Fold, entry: LogEntry): ActorRow | undefined {
  const row = fold.n === 0 ? founderOf(entry) : fold.actors.get(entry.actor);
  return row?.removedAt === undefined ? row : undefined;
}

function founderOf(entry: LogEntry): ActorRow | undefined {
  for (const { op } of operationsOf(entry)) {
    if (op.op !== 'actors') continue;
    const founder = op.set.find((actor) => actor.signing === entry.actor && actor.role === 'owner');
    if (founder !== undefined) return { ...founder, addedAt: entry.at };
  }
  return undefined;
}

/** Why `op` is not the signer's to do; undefined when it is. */
function refusalOf(rights: ActorRow | undefined, op: Operation, scope: Scope): Refusal | undefined {
  if (op.op === 'unknown') return undefined;
  if (rights === undefined) return { code: 'actor-unknown', text: 'its signer is no actor of this repository' };
  const domains = op.op === 'advance' ? op.heads.map((head) => head.domain) : op.op === 'tag' ? [op.domain] : [];
  const stray = scope === sharedScope ? undefined : domains.find((domain) => domain !== scope);
  if (stray !== undefined)
    return { code: 'scope-wrong', text: `domain ${stray} does not belong to the isolated scope ${scope}` };
  if (rights.role === 'owner') return undefined;
  if (rights.role !== 'writer' || !isWriters(op)) return { code: 'role-denied', text: `a ${rights.role} may not` };
  const foreign = domains.find((domain) => rights.domains !== undefined && !rights.domains.includes(domain));
  return foreign === undefined
    ? undefined
    : { code: 'role-denied', text: `this writer may not write to domain ${foreign}` };
}

/** Whether a writer may do this, in the domains that are theirs. */
function isWriters(op: Operation): boolean {
  switch (op.op) {
    case 'advance':
    case 'state':
      return true;
    case 'tag':
      return op.deleted !== true;
    case 'index':
      return op.drop.length === 0;
    default:
      return false;
  }
}

function cut({ entry, findings }: Step): LogFinding[] {
  const text = `${findings.length - maxFindings + 1} more findings of this entry`;
  return [...findings.slice(0, maxFindings - 1), { n: entry.n, actor: entry.actor, op: 'entry', code: 'more', text }];
}
