/**
 * Opening the log: the newest state that can be used, and the entries from there on (docs/format.md, State).
 *
 * Damage never becomes a wrong fold: a state that is damaged is passed over for the one before it, and an entry that
 * cannot be read is a named gap.
 */
import { MbkError } from '../errors.ts';
import type { ActorId, EntryId } from '../format/ids.ts';
import { stateInterval } from '../format/limits.ts';
import { logKey, noPrevious } from '../format/log-entry.ts';
import { encodeLogState } from '../format/log-state.ts';
import { equalBytes } from '../format/bytes.ts';
import { applyEntry, applyGap, replacedStateOf, stateNamedBy } from './apply-entry.ts';
import { entryName, readLinks, type Link, type LogDamage, type LogSource } from './chain.ts';
import { headCandidates } from './find-head.ts';
import { emptyFold, type Fold } from './fold.ts';
import { stateOfFold } from './fold-state.ts';
import type { LogPlace, SeenLog } from './log-memory.ts';
import type { LogEntry } from './sealed-entry.ts';
import { readState, stateKey } from './state-entry.ts';

export interface LoadedLog {
  /** Through the newest entry, also when that one is damaged. */
  readonly fold: Fold;
  /** The newest entry that is authentic. */
  readonly newest: LogPlace;
  /** The links that were read, without a hole; the oldest is that of the state that was used, or of entry 1. */
  readonly links: readonly Link[];
  readonly damage: readonly LogDamage[];
  /** Newest state that is known to be the fold of the entries before it. */
  readonly checkedState: EntryId | null;
  /** How many of the links were not part of what the fold was begun with. */
  readonly replayed: number;
}

/**
 * Reads the log as the storage has it now; `seen` is what this host remembers, `copy` a fold that it kept, to which only
 * newer entries are added when the chain has it.
 *
 * Errors: `entry-absent` (there is no log), `log-damaged` (nothing of it can be used), `operation-unknown`,
 * `format-unsupported`, and what the backend throws.
 */
export async function loadLog(source: LogSource, seen: SeenLog | undefined, copy?: Fold): Promise<LoadedLog> {
  const { base, links, damage, strays } = await readFromHead(source, seen, copy);
  const further = links.filter(({ n }) => n > base.fold.n);
  const replayed = await replay(source, base, further);
  const { fold } = replayed;
  if (fold.features === undefined) {
    throw new MbkError(
      'log-damaged',
      `${entryName(1)} is not the beginning of a log, and no state can be read in its place`,
      {
        details: { damage: [...damage, ...replayed.damage] },
      },
    );
  }
  const newest = links.findLast((link) => link.entry !== undefined);
  return {
    fold,
    newest: newest?.hash === undefined ? { n: base.fold.n, hash: base.fold.hash } : { n: newest.n, hash: newest.hash },
    links,
    damage: [
      ...strays.map((n) => strayDamage(source, n)),
      ...damage,
      ...replayed.damage,
      ...brokenLinks(source, links, fold),
    ],
    checkedState: replayed.checked ?? base.checked,
    replayed: further.length,
  };
}

/** The fold after `links`, which begin right behind it. */
export async function replay(
  source: LogSource,
  base: Base,
  links: readonly Link[],
): Promise<{ fold: Fold; damage: LogDamage[]; checked: EntryId | undefined }> {
  const damage: LogDamage[] = [];
  let { fold } = base;
  let checked: EntryId | undefined;
  for (const link of links) {
    const { entry } = link;
    if (entry === undefined) {
      fold = applyGap(fold, link.hash ?? noPrevious);
      continue;
    }
    const claim = base.claims.find((one) => one.n === entry.n);
    if (claim !== undefined && fold.gaps.length === 0) {
      if (isSameFold(fold, claim.fold)) checked = claim.id;
      else
        damage.push(
          stateDamage(
            entry,
            claim.id,
            'state-forged',
            `the state in entry ${entry.n} says something else than the entries before it`,
          ),
        );
    }
    const replacedBy = replacedStateOf(fold, entry);
    if (replacedBy !== undefined) {
      const state = await readState(source, replacedBy, entry);
      if (typeof state === 'string') damage.push(stateDamage(entry, replacedBy, 'damaged', state));
      else fold = state;
    }
    ({ fold } = applyEntry(fold, entry));
  }
  return { fold, damage, checked };
}

export interface Base {
  readonly fold: Fold;
  /** The state that the fold is from, when it is trusted. */
  readonly checked: EntryId | null;
  /** States that were passed over because their signer is not known as an owner: to be compared on the way. */
  readonly claims: readonly StateClaim[];
}

export interface StateClaim {
  /** The entry that names it. */
  readonly n: number;
  readonly id: EntryId;
  readonly fold: Fold;
}

interface ReadBase {
  readonly base: Base;
  /** From the entry that names the base's state, or entry 1, to the head. */
  readonly links: readonly Link[];
  readonly damage: readonly LogDamage[];
}

/** Reads from the newest key that continues a chain; keys above it are strays. */
async function readFromHead(
  source: LogSource,
  seen: SeenLog | undefined,
  copy: Fold | undefined,
): Promise<ReadBase & { readonly strays: readonly number[] }> {
  const { backend, keys, signal } = source;
  const strays: number[] = [];
  let floor = Infinity;
  for await (const head of headCandidates(backend, keys.repository, signal)) {
    const read =
      (await readFromCopy(source, head, seen, copy)) ?? (head < floor ? await readBase(source, head, seen) : floor);
    if (typeof read !== 'number') return { ...read, strays };
    floor = read;
    strays.push(head);
  }
  throw new MbkError('entry-absent', `repository ${keys.repository} has no log in ${backend.name}`, {
    details: { strays },
  });
}

/** The copy, and the links behind it; undefined unless all of them are sound and the chain goes through the copy. */
async function readFromCopy(
  source: LogSource,
  head: number,
  seen: SeenLog | undefined,
  copy: Fold | undefined,
): Promise<ReadBase | undefined> {
  // Further away a state is nearer; and a key that somebody put far up must send nobody down to the copy.
  if (copy === undefined || copy.n > head || head - copy.n > stateInterval) return undefined;
  // The head is read in any case: only its bytes in the storage say that the chain still ends there.
  const oldest = Math.min(copy.n + 1, head);
  const links = await readLinks(source, { newest: head, oldest, remembered: seen });
  if (!links.every(({ entry, healed }) => entry !== undefined && healed === undefined)) return undefined;
  const [first] = links;
  const chained = copy.n === head ? first?.hash : first?.entry?.previous;
  if (chained !== copy.hash) return undefined;
  return { base: { fold: copy, checked: seen?.state ?? null, claims: [] }, links, damage: [] };
}

/** So many absent numbers in a row end a chain: what stands above them and cannot be read continues nothing. */
const longestHole = 16;

/**
 * The newest state that can be used, and the links from its entry to `head`.
 *
 * When `head` continues no chain, the number from which on nothing does: whoever writes to the storage can put a key
 * anywhere, and must neither hide the log with it nor send readers down 2^53 numbers.
 */
async function readBase(source: LogSource, head: number, seen: SeenLog | undefined): Promise<ReadBase | number> {
  const damage: LogDamage[] = [];
  const claims: StateClaim[] = [];
  let founders: Promise<ReadonlySet<ActorId>> | undefined;
  let links: readonly Link[] = [];
  for (let oldest = stateEntryAtOrBelow(head); ; oldest = Math.max(1, oldest - stateInterval)) {
    const newest = links[0] === undefined ? head : links[0].n - 1;
    const read = await readLinks(source, { newest, oldest, successor: links[0], remembered: seen });
    links = [...read, ...links];
    const sound = links.findLastIndex(({ entry }) => entry !== undefined);
    if (hasHole(links.slice(sound + 1))) return (links[sound]?.n ?? oldest - 1) + 1;
    if (read.length === stateInterval && read.every(({ entry }) => entry === undefined)) return oldest;
    const [link] = links;
    if (oldest === 1 || link === undefined) return { base: { fold: emptyFold, checked: null, claims }, links, damage };
    const id = link.entry === undefined ? undefined : stateNamedBy(link.entry);
    if (link.entry === undefined || id === undefined) continue;
    const fold = await readState(source, id, link.entry);
    if (typeof fold === 'string') {
      damage.push(stateDamage(link.entry, id, 'damaged', fold));
      continue;
    }
    const { actor } = link.entry;
    const isOwn = actor === source.keys.actor.id || seen?.state === id;
    if (isOwn || (seen === undefined && (await (founders ??= foundersOf(source))).has(actor))) {
      return { base: { fold, checked: id, claims }, links, damage };
    }
    if (claims.length === 0) claims.push({ n: link.n, id, fold });
  }
}

/**
 * The owners that entry 1 names.
 *
 * Whoever may append may name a state, and a state says who may do what: one that a writer signed is only believed after
 * it was compared with the entries that it folds. This actor is believed, and by a host that has never seen the log so
 * are the owners of entry 1: only the fold could tell that one of them was removed, so hosts with a memory compare.
 */
async function foundersOf(source: LogSource): Promise<ReadonlySet<ActorId>> {
  const [link] = await readLinks(source, { newest: 1, oldest: 1 });
  if (link?.entry === undefined) return new Set();
  const founded = applyEntry(emptyFold, link.entry).fold;
  return new Set([...founded.actors.values()].filter((actor) => actor.role === 'owner').map((actor) => actor.signing));
}

function hasHole(links: readonly Link[]): boolean {
  let absent = 0;
  for (const link of links) {
    absent = link.entry === undefined && link.reason === 'absent' ? absent + 1 : 0;
    if (absent === longestHole) return true;
  }
  return false;
}

/** Number of the entry with the newest state through n; 1 when there is none yet. */
function stateEntryAtOrBelow(n: number): number {
  return Math.max(1, n - (n % stateInterval));
}

function isSameFold(a: Fold, b: Fold): boolean {
  return (
    a.features !== undefined &&
    b.features !== undefined &&
    equalBytes(encodeLogState(stateOfFold(a)), encodeLogState(stateOfFold(b)))
  );
}

function brokenLinks({ keys }: LogSource, links: readonly Link[], fold: Fold): LogDamage[] {
  return links.flatMap((link) => {
    const problem = link.entry === undefined ? link : link.healed;
    if (problem === undefined) return [];
    const { reason, text } = problem;
    return [{ n: link.n, key: logKey(keys.repository, link.n), reason, text, blocksWriters: !fold.voided.has(link.n) }];
  });
}

function strayDamage({ keys }: LogSource, n: number): LogDamage {
  const text = `${entryName(n)} continues nothing: no entry stands right below it`;
  return { n, key: logKey(keys.repository, n), reason: 'stray', text, blocksWriters: true };
}

function stateDamage(entry: LogEntry, id: EntryId, reason: 'damaged' | 'state-forged', text: string): LogDamage {
  return { n: entry.n, key: stateKey(id), reason, text, blocksWriters: false };
}
