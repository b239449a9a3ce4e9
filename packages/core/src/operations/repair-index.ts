/**
 * `mbk repair index`: makes the index say again what the packs hold.
 *
 * - Live segments that are missing or damaged in the storage are replaced by new ones, from a sound local copy or from
 *   the footers of the packs.
 * - Packs that no live segment names, and that the log neither deleted nor lost, are taken up: what an interrupted run
 *   stored, or a log entry that was declared void had named.
 * - Packs that segments name and that a GET does not find are declared lost, so that the next snapshot of the same files
 *   stores them again and nobody counts on them before.
 *
 * Only packs that a trusted actor signed are taken up: under the name of whoever repairs, their rows are believed.
 */
import { isMbkError, MbkError } from '../errors.ts';
import { sharedScope, type Keyset } from '../crypto/keyset.ts';
import { asPackId, packKey, type PackId, type PackKind, type SegmentId } from '../format/ids.ts';
import type { KnownOperation, SegmentRow } from '../format/log-operations.ts';
import { isDeleted, isLost, isTrustedPack, liveSegments, roleOf, type Fold } from '../log/fold.ts';
import type { Draft } from '../log/seal-next.ts';
import { buildSegment, type BuiltSegment } from '../pack/build-segment.ts';
import type { PackContents } from '../pack/pack-contents.ts';
import type { Segment } from '../pack/segment.ts';
import { rowsOfPacks } from '../pack/segment-source.ts';
import type { Repository } from '../repository.ts';
import { isBadContent } from './bad-content.ts';
import { findingLog, type Dependent } from './verify/findings.ts';
import { dependentsNamer } from './verify/name-dependents.ts';
import { packHealth } from './verify/pack-health.ts';
import { verification, type Verification } from './verify/verification.ts';
import { contentCheck } from './verify/verify-content.ts';
import { segmentProblem } from './verify/verify-index.ts';
import { storedCatalogue } from './verify/verify-snapshots.ts';
import { listAll } from './verify.ts';

/** What `repair index` would do; plain data. */
export interface IndexRepairPlan {
  /** The newest log entry when this was planned. */
  readonly head: number;
  /** Live segments to be replaced. */
  readonly segments: readonly BadSegment[];
  /** Packs that are in no sound live segment, to be taken up. */
  readonly adopt: readonly StrayPack[];
  /** Packs that segments name and the storage does not have. */
  readonly lost: readonly LostPack[];
  /** Packs that are left as they are, and why. */
  readonly left: readonly LeftPack[];
}

export interface BadSegment {
  readonly id: SegmentId;
  readonly text: string;
  /** Whether its rows come from the local copy; else only from the packs that are in the storage. */
  readonly hasCopy: boolean;
}

/** A pack and its stored size. */
export interface StrayPack {
  readonly kind: PackKind;
  readonly id: PackId;
  readonly bytes: number;
}

export interface LostPack extends StrayPack {
  /** Files of snapshots that cannot be restored without it; the first ones. */
  readonly dependents: readonly Dependent[];
  readonly dependentsOmitted: number;
}

/** A pack that is left out of the index, and why. */
export interface LeftPack {
  readonly key: string;
  readonly text: string;
}

export interface IndexRepaired {
  /** The log entry that did it; null when nothing was to be done. */
  readonly entry: number | null;
  readonly added: readonly SegmentRow[];
  readonly dropped: number;
  readonly adopted: number;
  readonly lost: number;
}

/** Most blobs of one new segment that is made from footers, which are held in memory for it. */
const maxBlobs = 1_000_000;

/** Looks what is wrong with the index; writes nothing. Errors: those of the log and of the backend. */
export async function planIndexRepair(repository: Repository): Promise<IndexRepairPlan> {
  await repository.log.refresh();
  const index = await repository.index();
  const found = findingLog(() => undefined);
  const run = verification(repository, {
    found,
    listed: await listAll(repository),
    onEvent: () => undefined,
    signal: repository.signal,
  });
  const segments: BadSegment[] = [];
  const sound: Segment[] = [];
  for (const info of liveSegments(run.fold)) {
    const opened = index.segments.find(({ id }) => id === info.id);
    const problem = await segmentProblem(run, index, info);
    if (problem === undefined && opened !== undefined) sound.push(opened);
    // What a local copy says counts only if its rows are sound: a copy that opens has the right hash.
    else
      segments.push({
        id: info.id,
        text: problem?.text ?? `index segment ${info.id} cannot be opened`,
        hasCopy: isSoundCopy(opened),
      });
  }
  const copies = index.segments.filter(({ id }) => segments.some((bad) => bad.id === id && bad.hasCopy));
  const { adopt, left } = await findStrays(run, [...sound, ...copies]);
  return { head: run.fold.n, segments, adopt, left, lost: await findLost(run, [...sound, ...copies]) };
}

/** Whether there is something to do. */
export function needsIndexRepair({ segments, adopt, lost }: IndexRepairPlan): boolean {
  return segments.length > 0 || adopt.length > 0 || lost.length > 0;
}

/**
 * Carries a plan out in one log entry; looks again at everything that the log may have changed since.
 *
 * Errors: `role-denied` (only an owner may), `log-race-lost`, `log-damaged`, those of the backend.
 */
export async function executeIndexRepair(repository: Repository, plan: IndexRepairPlan): Promise<IndexRepaired> {
  const { backend, keys, log, signal } = repository;
  if (roleOf(log.fold, keys.actor.id) !== 'owner')
    throw new MbkError('role-denied', 'only an owner may repair the index');
  const index = await repository.index();
  const gone = (pack: PackId): boolean => isDeleted(log.fold, pack) || isLost(log.fold, pack);
  const lost: PackId[] = [];
  for (const { kind, id } of plan.lost) if (!gone(id) && (await isAbsent(repository, kind, id))) lost.push(id);

  const bad = new Set(plan.segments.map(({ id }) => id));
  const copies = index.segments.filter(({ id }) => plan.segments.some((one) => one.id === id && one.hasCopy));
  const built: { readonly keyset: Keyset; readonly segment: BuiltSegment }[] = [];
  let adopted = 0;
  for (const copy of copies) {
    const keyset = keys.keysets.get(copy.keyset);
    if (keyset !== undefined) built.push(build(repository, keyset, [copy], gone));
  }
  for await (const group of contentsOf(
    repository,
    plan.adopt.filter(({ id }) => !gone(id)),
  )) {
    adopted += group.packs.length;
    built.push(build(repository, group.keyset, [rowsOfPacks(group.packs)], gone));
  }
  for (const { segment } of built) await backend.put(segment.key, segment.parts, { signal });

  const appended = await log.append((fold) => draftOf(fold, { built, drop: [...bad], lost }));
  if (appended !== undefined) for (const { segment } of built) index.addSegment(segment);
  await repository.index();
  return {
    entry: appended?.n ?? null,
    added: built.map(({ segment }) => rowOf(segment)),
    dropped: bad.size,
    adopted,
    lost: lost.length,
  };
}

function isSoundCopy(segment: Segment | undefined): boolean {
  if (segment === undefined) return false;
  try {
    for (const _ of segment.allCopies()) void _; // reading is the check
    return true;
  } catch (error) {
    if (!isBadContent(error)) throw error;
    return false;
  }
}

async function findStrays(
  run: Verification,
  segments: readonly Segment[],
): Promise<Pick<IndexRepairPlan, 'adopt' | 'left'>> {
  const { repository, fold, listed, signal } = run;
  const adopt: StrayPack[] = [];
  const left: LeftPack[] = [];
  for (const [key, bytes] of listed) {
    const [, folder, name] = /^(packs|meta)\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(key) ?? [];
    if (folder === undefined || name === undefined) continue;
    const kind = folder === 'packs' ? 'data' : 'meta';
    const id = asPackId(name);
    if (
      key !== packKey(kind, id) ||
      isDeleted(fold, id) ||
      isLost(fold, id) ||
      segments.some((segment) => segment.pack(id) !== undefined)
    )
      continue;
    try {
      const { row } = await repository.packs.readContents(kind, id, { signal });
      if (isTrustedPack(fold, id, row.actor, repository.keys.actor.id)) adopt.push({ kind, id, bytes });
      else
        left.push({
          key,
          text: `it is signed by ${fold.actors.get(row.actor)?.name ?? row.actor.slice(0, 8)}, whose packs are not trusted`,
        });
    } catch (error) {
      if (!isBadContent(error) && !isMbkError(error, 'role-denied')) throw error;
      left.push({ key, text: error.message });
    }
  }
  return { adopt, left };
}

async function findLost(run: Verification, segments: readonly Segment[]): Promise<LostPack[]> {
  const { repository, fold, found } = run;
  const missing = new Map<PackId, StrayPack>();
  for (const segment of segments) {
    for (const { kind, id, size } of segment.packs()) {
      if (isDeleted(fold, id) || isLost(fold, id) || run.listed.has(packKey(kind, id)) || missing.has(id)) continue;
      if (await isAbsent(repository, kind, id)) missing.set(id, { kind, id, bytes: size });
    }
  }
  // A prune may have been faster than the listing: then an entry says so.
  if (missing.size > 0) await repository.log.refresh();
  for (const id of missing.keys()) if (isDeleted(repository.log.fold, id)) missing.delete(id);
  if (missing.size === 0) return [];
  return nameDependents(run, [...missing.values()], found);
}

/** What each pack that is gone takes with it. */
async function nameDependents(
  run: Verification,
  packs: readonly StrayPack[],
  found: ReturnType<typeof findingLog>,
): Promise<LostPack[]> {
  const { repository, fold } = run;
  const index = await repository.index();
  const health = packHealth(index, fold);
  for (const { kind, id } of packs)
    health.spoilPack(id, found.open({ code: 'pack-absent', severity: 'error', key: packKey(kind, id), message: id }));
  const name = dependentsNamer(run, contentCheck(run, { index, health, collectsNeeded: false }));
  const catalogue = storedCatalogue(run);
  for (const line of fold.lines.values()) {
    try {
      const { manifest } = await catalogue.readSnapshot(line.to, { signal: run.signal });
      for (const collection of manifest.collections) await name({ commit: line.to, domain: line.domain, collection });
    } catch (error) {
      if (!isBadContent(error)) throw error; // a bundle that is damaged is not the index's to repair
    }
  }
  found.close();
  return packs.map((pack) => {
    const { dependents = [], dependentsOmitted = 0 } =
      found.findings.find(({ message, code }) => code === 'pack-absent' && message === pack.id) ?? {};
    return { ...pack, dependents, dependentsOmitted };
  });
}

async function isAbsent({ backend, signal }: Repository, kind: PackKind, id: PackId): Promise<boolean> {
  try {
    await backend.get(packKey(kind, id), { offset: 0, length: 1, signal });
    return false;
  } catch (error) {
    if (isMbkError(error, 'entry-absent')) return true;
    if (isMbkError(error, 'backend-read-short')) return false;
    throw error;
  }
}

interface PackGroup {
  readonly keyset: Keyset;
  readonly packs: readonly PackContents[];
}

/** Footers of packs, gathered by keyset into what one segment takes. */
async function* contentsOf(
  { packs: reader, keys, signal }: Repository,
  packs: readonly StrayPack[],
): AsyncGenerator<PackGroup> {
  const groups = new Map<Keyset, { packs: PackContents[]; blobs: number }>();
  for (const { kind, id } of packs) {
    const contents = await reader.readContents(kind, id, { signal });
    const keyset = keys.keysets.get(contents.row.keyset);
    if (keyset === undefined) continue; // reading the footer has needed it
    const group = groups.get(keyset) ?? { packs: [], blobs: 0 };
    groups.set(keyset, group);
    group.packs.push(contents);
    group.blobs += contents.frames.reduce((sum, frame) => sum + frame.blobs.length, 0);
    if (group.blobs < maxBlobs) continue;
    groups.delete(keyset);
    yield { keyset, packs: group.packs };
  }
  for (const [keyset, { packs: rest }] of groups) yield { keyset, packs: rest };
}

function build(
  { keys, random }: Repository,
  keyset: Keyset,
  sources: Parameters<typeof buildSegment>[0],
  drop: (pack: PackId) => boolean,
): { readonly keyset: Keyset; readonly segment: BuiltSegment } {
  return { keyset, segment: buildSegment(sources, { keys, keyset, random, drop }) };
}

function rowOf({ id, blobs, byteLength }: BuiltSegment): SegmentRow {
  return { id, blobs, bytes: byteLength };
}

interface RepairDraft {
  readonly built: readonly { readonly keyset: Keyset; readonly segment: BuiltSegment }[];
  readonly drop: readonly SegmentId[];
  readonly lost: readonly PackId[];
}

/** The one entry; undefined when nothing is left to do. An entry since then that deleted what it would name stops it. */
function draftOf(fold: Fold, { built, drop, lost }: RepairDraft): Draft | undefined {
  for (const { segment } of built) {
    const stale = segment.packs.find((pack) => isDeleted(fold, pack));
    if (stale === undefined && !isDeleted(fold, segment.id)) continue;
    throw new MbkError('log-race-lost', 'packs were deleted while the index was repaired: run it again', {
      details: { pack: stale ?? null },
    });
  }
  const live = drop.filter((id) => fold.segments.get(id) !== undefined);
  const shared = built.filter(({ keyset }) => keyset.scope === sharedScope).map(({ segment }) => rowOf(segment));
  const goneNow = lost.filter((pack) => !isDeleted(fold, pack) && !isLost(fold, pack));
  const ops: KnownOperation[] = [];
  if (shared.length > 0 || live.length > 0) ops.push({ op: 'index', add: shared, drop: live });
  if (goneNow.length > 0) ops.push({ op: 'lost', packs: goneNow });
  const sections = built
    .filter(({ keyset }) => keyset.scope !== sharedScope)
    .map(({ keyset, segment }) => ({
      keyset: keyset.id,
      ops: [{ op: 'index', add: [rowOf(segment)], drop: [] } as const],
    }));
  return ops.length === 0 && sections.length === 0 ? undefined : { ops, sections };
}
