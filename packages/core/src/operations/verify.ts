/**
 * `mbk verify`: whether a repository holds what its log says, and with `data` whether every byte is the one that was
 * written.
 *
 * What was read whole and found right is remembered by this host, so that `sample` and `maxAgeMs` read what was not.
 *
 * Structure reads all small entries whole and of packs only their ends; it notices what is missing, cut or exchanged.
 * Only `data` notices a changed byte in the middle of a pack. Entries that an interrupted run left are counted, no error.
 */
import type { Catalogue } from '../catalogue/open-catalogue.ts';
import { packKey, type PackId } from '../format/ids.ts';
import type { Line } from '../format/log-state.ts';
import type { PackRow } from '../format/segment-rows.ts';
import { isDeleted, isLost } from '../log/fold.ts';
import type { IndexSet } from '../pack/index-set.ts';
import { defaultJobs, type Threads } from '../pool/threads.ts';
import type { Repository } from '../repository.ts';
import { isBadContent } from './bad-content.ts';
import { choosePacks } from './verify/choose-packs.ts';
import { findingLog, type VerifyEvent, type VerifyFinding } from './verify/findings.ts';
import { dependentsNamer } from './verify/name-dependents.ts';
import { packHealth } from './verify/pack-health.ts';
import { countStrays, type Strays } from './verify/strays.ts';
import { verification, type Verification, type VerifyCounts } from './verify/verification.ts';
import { contentCheck, type Held } from './verify/verify-content.ts';
import { verifyIndex } from './verify/verify-index.ts';
import { verifyKeys } from './verify/verify-keys.ts';
import { verifyLog } from './verify/verify-log.ts';
import { verifyPacks, verifyPresence } from './verify/verify-packs.ts';
import { verifyRecord } from './verify/verify-record.ts';
import { storedCatalogue, verifySnapshot, verifyTags } from './verify/verify-snapshots.ts';

export { findingTable } from './verify/findings.ts';
export type { Dependent, FindingCode, Severity, VerifyEvent, VerifyFinding, VerifyPhase } from './verify/findings.ts';

export interface VerifyRequest {
  /** Revisions whose snapshots are looked at; all snapshots when there are none. Log, index and keys are always checked. */
  readonly revisions: readonly string[];
  /** Whether packs are read whole: all, or those that the revisions need. */
  readonly data: boolean;
  /** Reads whole only so much of the bytes of packs, above 0 and at most 1: those that were not read for longest. */
  readonly sample?: number | undefined;
  /** Reads whole only packs that this host has not read and found right for so long, in milliseconds. */
  readonly maxAgeMs?: number | undefined;
  /** Whether hashes of packs and blobs are computed by a second, independent implementation: far slower. */
  readonly independent?: boolean | undefined;
  /** Threads that read data, `defaultJobs()` unless given; with 1 there are none beside this one. */
  readonly jobs?: number | undefined;
  /** Bytes of packs from which threads are started; 16 MiB unless given. */
  readonly threadsFrom?: number | undefined;
  /** Threads that `prepareThreads` started. */
  readonly threads?: Threads | undefined;
}

export interface VerifyOptions {
  /** Called for each finding, and often with how far it is. */
  readonly onEvent?: ((event: VerifyEvent) => void) | undefined;
}

export interface VerifyReport {
  readonly level: 'structure' | 'data';
  /** Newest log entry that was looked at, and its hash: a place that a later `MBK_EXPECT_HEAD` can name. */
  readonly head: { readonly n: number; readonly hash: string };
  readonly counts: Readonly<VerifyCounts>;
  /** What was read whole of the packs that were looked at. */
  readonly read: { readonly packs: number; readonly bytes: number; readonly ofPacks: number; readonly ofBytes: number };
  readonly strays: Strays;
  readonly errors: number;
  readonly warnings: number;
  /** The first 10,000; all were told as events. */
  readonly findings: readonly VerifyFinding[];
  readonly findingsOmitted: number;
}

/** Verifies. Errors: `revision-unknown`, `revision-ambiguous`, `interrupted`, those of the backend; damage is in the report. */
export async function verifyRepository(
  repository: Repository,
  request: VerifyRequest,
  { onEvent = () => undefined }: VerifyOptions = {},
): Promise<VerifyReport> {
  const { independent = false, threads, threadsFrom, sample, maxAgeMs } = request;
  const isSubset = sample !== undefined || maxAgeMs !== undefined;
  const data = request.data || isSubset;
  const jobs = threads?.workers.length ?? request.jobs ?? defaultJobs();
  await repository.log.refresh();
  const chosen =
    request.revisions.length === 0
      ? undefined
      : new Map(request.revisions.map((text) => [repository.resolve(text).commit, repository.resolve(text).line]));
  const found = findingLog(onEvent);
  const { signal } = repository;
  const run = verification(repository, { found, listed: await listAll(repository), onEvent, signal });

  run.progress('keys', 0, 1);
  await verifyKeys(run);
  const states = await verifyLog(run);
  const index = await verifyIndex(run);
  const health = packHealth(index, run.fold);
  await verifyPresence(run, { index, health, isWhole: () => data && !isSubset });

  const catalogue = storedCatalogue(run);
  const lines = chosen === undefined ? [...run.fold.lines.values()] : [...chosen.values()];
  const check = contentCheck(run, { index, health, collectsNeeded: chosen !== undefined });
  await overSnapshots(run, catalogue, lines, check.verify);
  await verifyTags(run, catalogue, chosen === undefined ? undefined : new Set(chosen.keys()));
  const only: ReadonlySet<PackId> | undefined = chosen === undefined ? undefined : check.needed;
  const memory = verifyRecord(repository);
  const rows = livePacks(run, index, only);
  // A pack of another size was told already.
  const whole = isSubset
    ? choosePacks(rows.filter(isOfItsSize(run)), {
        ...request,
        verifiedAt: memory.verifiedAt(),
        ...chances(repository),
      })
    : data
      ? rows
      : [];
  const wholeIds = new Set(whole.map(({ id }) => id));
  const isWhole = (pack: PackId): boolean => wholeIds.has(pack);
  const { onWhole } = memory;
  try {
    await verifyPacks(run, { index, health, isWhole, onWhole, independent, jobs, threadsFrom, threads, only });
  } finally {
    memory.flush();
  }
  if (check.hasBroken || health.isSpoilt) await nameDependents(run, catalogue, lines, dependentsNamer(run, check));
  found.close();
  const level = data ? 'data' : 'structure';
  const { errors, warnings } = found;
  memory.finish(
    { level, n: run.fold.n, isPartial: chosen !== undefined, packBytes: run.counts.packBytes, errors, warnings },
    chosen === undefined ? rows : undefined,
  );

  return {
    level,
    head: { n: run.fold.n, hash: run.fold.hash },
    counts: run.counts,
    read: { packs: whole.length, bytes: sizeOf(whole), ofPacks: rows.length, ofBytes: sizeOf(rows) },
    strays: countStrays(run, { index, states }),
    errors,
    warnings,
    findings: found.findings,
    findingsOmitted: found.omitted,
  };
}

/** Packs that live segments name and that ought to be stored. */
function livePacks({ fold }: Verification, index: IndexSet, only: ReadonlySet<PackId> | undefined): PackRow[] {
  return [...index.packs()].filter(({ id }) => (only?.has(id) ?? true) && !isDeleted(fold, id) && !isLost(fold, id));
}

function isOfItsSize({ listed }: Verification): (row: PackRow) => boolean {
  return ({ kind, id, size }) => listed.get(packKey(kind, id)) === size;
}

/** The clock, and what picks among equals. */
function chances({ now, random }: Repository): { readonly now: number; readonly pick: () => number } {
  return { now: now(), pick: () => Buffer.from(random(6)).readUIntBE(0, 6) / 2 ** 48 };
}

function sizeOf(rows: readonly PackRow[]): number {
  return rows.reduce((sum, { size }) => sum + size, 0);
}

/** Sizes of all entries, by key. One listing for all steps: about 200 bytes of memory an entry, so some 60 MB for 10 TB in packs of 32 MiB. */
export async function listAll({ backend, signal }: Repository): Promise<ReadonlyMap<string, number>> {
  const listed = new Map<string, number>();
  for await (const { key, size } of backend.list('', { signal })) listed.set(key, size);
  return listed;
}

async function overSnapshots(
  run: Verification,
  catalogue: Catalogue,
  lines: readonly Line[],
  verify: (held: Held) => Promise<void>,
): Promise<void> {
  for (const [done, line] of lines.entries()) {
    run.progress('snapshots', done, lines.length);
    const snapshot = await verifySnapshot(run, catalogue, line);
    for (const collection of snapshot?.manifest.collections ?? [])
      await verify({ commit: line.to, domain: line.domain, collection });
  }
}

async function nameDependents(
  run: Verification,
  catalogue: Catalogue,
  lines: readonly Line[],
  name: (held: Held) => Promise<void>,
): Promise<void> {
  for (const [done, line] of lines.entries()) {
    run.progress('dependents', done, lines.length);
    try {
      const { manifest } = await catalogue.readSnapshot(line.to, { signal: run.signal });
      for (const collection of manifest.collections) await name({ commit: line.to, domain: line.domain, collection });
    } catch (error) {
      if (!isBadContent(error)) throw error; // its bundle was told before
    }
  }
}
