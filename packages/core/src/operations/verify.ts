/**
 * `mbk verify`: whether a repository holds what its log says, and with `data` whether every byte is the one that was
 * written.
 *
 * Structure reads all small entries whole and of packs only their ends; it notices what is missing, cut or exchanged.
 * Only `data` notices a changed byte in the middle of a pack. Entries that an interrupted run left are counted, no error.
 */
import type { Catalogue } from '../catalogue/open-catalogue.ts';
import type { PackId } from '../format/ids.ts';
import type { Line } from '../format/log-state.ts';
import { defaultJobs, type Threads } from '../pool/threads.ts';
import type { Repository } from '../repository.ts';
import { isBadContent } from './bad-content.ts';
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
import { storedCatalogue, verifySnapshot, verifyTags } from './verify/verify-snapshots.ts';

export type { Dependent, FindingCode, Severity, VerifyEvent, VerifyFinding, VerifyPhase } from './verify/findings.ts';

export interface VerifyRequest {
  /** Revisions whose snapshots are looked at; all snapshots when there are none. Log, index and keys are always checked. */
  readonly revisions: readonly string[];
  /** Whether packs are read whole: all, or those that the revisions need. */
  readonly data: boolean;
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
  const { data, independent = false, threads, threadsFrom } = request;
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
  await verifyPresence(run, { index, health, data });

  const catalogue = storedCatalogue(run);
  const lines = chosen === undefined ? [...run.fold.lines.values()] : [...chosen.values()];
  const check = contentCheck(run, { index, health, collectsNeeded: chosen !== undefined });
  await overSnapshots(run, catalogue, lines, check.verify);
  await verifyTags(run, catalogue, chosen === undefined ? undefined : new Set(chosen.keys()));
  const only: ReadonlySet<PackId> | undefined = chosen === undefined ? undefined : check.needed;
  await verifyPacks(run, { index, health, data, independent, jobs, threadsFrom, threads, only });
  if (check.hasBroken || health.isSpoilt) await nameDependents(run, catalogue, lines, dependentsNamer(run, check));
  found.close();

  return {
    level: data ? 'data' : 'structure',
    head: { n: run.fold.n, hash: run.fold.hash },
    counts: run.counts,
    strays: countStrays(run, { index, states }),
    errors: found.errors,
    warnings: found.warnings,
    findings: found.findings,
    findingsOmitted: found.omitted,
  };
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
