/**
 * The damage matrix: each region of each kind of entry changed, cut, exchanged for another sound entry of the same kind or
 * for one of another repository, or gone.
 *
 * Every time the damage must be noticed and the entry named, what is restored must be right, all that does not depend on
 * the entry must be restored, and what cannot be restored must be told. What can be repaired is repaired, and then all
 * must be well.
 */
import {
  executeCheckout,
  executeIndexRepair,
  executeLogRepair,
  isMbkError,
  logRepairOptions,
  memoryBackend,
  planIndexRepair,
  planLogRepair,
  verifyRepository,
  type Backend,
  type CheckoutReport,
  type Repository,
} from '@mbk/core';
import fs from 'node:fs';
import { join } from 'node:path';
import { damageTargets, type DamageTarget, type Entries } from './damage-kinds.ts';
import { describeFolder, newFolder, partOf, type Description } from './describe-folder.ts';
import type { Ledger } from './examine.ts';
import { filesByPack, type FilesByPack } from './files-by-pack.ts';
import { isInShare, type RowOptions } from './row.ts';
import { openSite, operations, type Site } from './site.ts';
import { changeSource, makeSource } from './source.ts';
import { storyOf } from './tally.ts';

export async function damageMatrix(options: RowOptions): Promise<void> {
  const { folder, progress, tally } = options;
  progress('preparing');
  const lab = await makeLab(join(folder, 'lab'), options);
  const foreign = await makeLab(join(folder, 'foreign'), options);
  const repository = await openSite(lab.site);
  const targets = await damageTargets(repository, lab.entries);
  const needs = await filesByPack(repository);
  await repository.close();
  const unharmed = await tryPoint({ lab, needs, target: undefined, entries: lab.entries, where: 'no damage' }, options);
  if (unharmed !== 'silent') tally.fault('amiss', 'verify objects to the sound repository');

  let index = 0;
  for (const target of targets) {
    const before = tally.points;
    for (const damage of damagesOf(target, lab.entries, foreign.entries)) {
      index += 1;
      if (!isInShare(index, options)) continue;
      const where = `${target.kind}: ${damage.name}`;
      progress(where);
      tally.point();
      await tryPoint({ lab, needs, target, entries: damage.entries(), where }, options);
    }
    tally.note(`${target.kind} ${tally.points - before}`);
  }
}

interface Lab {
  readonly site: Site;
  readonly entries: Entries;
  readonly ledger: Ledger;
}

const labDomains = ['healthcare', 'finance'] as const;
/** The log names a state in every such entry. */
const stateInterval = 256;

/** A repository with snapshots before and after a state of the log. */
async function makeLab(folder: string, { random }: RowOptions): Promise<Lab> {
  const site: Site = { backend: memoryBackend(), host: join(folder, 'host'), source: join(folder, 'source') };
  const ledger: Ledger = new Map();
  makeSource(site.source, random, labDomains);
  await operations.init(site);
  await takeSnapshot(site, ledger);
  const repository = await openSite(site);
  while (repository.log.n < stateInterval) {
    await repository.log.append((fold) => ({
      ops: [{ op: 'hold', name: `hold ${fold.n}`, captures: [], reason: 'torture' }],
    }));
  }
  await repository.close();
  changeSource(site.source, random, labDomains);
  await takeSnapshot(site, ledger);
  return { site, entries: await entriesOf(site.backend), ledger };
}

async function takeSnapshot(site: Site, ledger: Ledger): Promise<void> {
  await operations.snapshot(site);
  const now = describeFolder(site.source);
  const repository = await openSite(site);
  for (const { to, domain } of repository.log.fold.lines.values())
    if (!ledger.has(to)) ledger.set(to, partOf(now, domain));
  await repository.close();
}

async function entriesOf(backend: Backend): Promise<Entries> {
  const entries = new Map<string, Uint8Array>();
  for await (const { key } of backend.list('')) entries.set(key, await backend.get(key));
  return entries;
}

interface Damage {
  readonly name: string;
  readonly entries: () => Entries;
}

function* damagesOf(
  { kind, key, regions, siblings }: DamageTarget,
  entries: Entries,
  foreign: Entries,
): Generator<Damage> {
  const bytes = entries.get(key) ?? new Uint8Array();
  const replaced = (by: Uint8Array | undefined): Entries => {
    const damaged = new Map(entries);
    if (by === undefined) damaged.delete(key);
    else damaged.set(key, by);
    return damaged;
  };
  for (const { name, at } of regions) {
    yield {
      name: `a bit changed in ${name}`,
      entries: () => replaced(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))),
    };
    yield { name: `cut at ${name}`, entries: () => replaced(bytes.subarray(0, at)) };
  }
  yield { name: 'gone', entries: () => replaced(undefined) };
  yield { name: 'a byte more', entries: () => replaced(new Uint8Array([...bytes, 0])) };
  const [sibling] = siblings;
  if (sibling !== undefined)
    yield { name: 'another of its kind in its place', entries: () => replaced(entries.get(sibling)) };
  const stranger = strangerFor(key, kind, entries, foreign);
  if (stranger !== undefined) yield { name: "another repository's in its place", entries: () => replaced(stranger) };
}

/** An entry of the other repository that stands at the same place there. */
function strangerFor(key: string, kind: string, entries: Entries, foreign: Entries): Uint8Array | undefined {
  if (key.endsWith('mbk.json')) return foreign.get(key);
  const prefix = /^(?:copy\/)?[a-z]+\//.exec(key)?.[0] ?? '';
  const [own, others] = [entries, foreign].map((of) => [...of.keys()].filter((one) => one.startsWith(prefix)).sort());
  const at = own?.indexOf(key) ?? -1;
  return foreign.get((isLogEntry(kind) ? others?.[at] : others?.[0]) ?? '');
}

function isLogEntry(kind: string): boolean {
  return kind.endsWith('log entry');
}

interface Point {
  readonly lab: Lab;
  readonly needs: FilesByPack;
  readonly target: DamageTarget | undefined;
  readonly entries: Entries;
  readonly where: string;
}

/** Tries one damaged repository; whether anything was noticed. */
async function tryPoint(point: Point, options: RowOptions): Promise<'silent' | 'noticed'> {
  const { lab, target, entries, where } = point;
  const { tally } = options;
  const folder = newFolder(join(options.folder, 'points'), 'point');
  try {
    // A host that remembers what it saw and has no copies to fall back upon.
    const site: Site = { ...lab.site, backend: await backendOf(entries), host: join(folder, 'host') };
    fs.cpSync(join(lab.site.host, 'state'), join(site.host, 'state'), { recursive: true });
    const noticed = await notice(site, point, options);
    // What remembers may refuse a history that was cut; a stranger to it sees what there is.
    const reader = noticed === 'refused' ? { ...site, host: join(folder, 'stranger') } : site;
    const lost = await restore(reader, point, join(folder, 'restored'), options);
    tellLosses(lost, point, options);
    if (target !== undefined) await repair(site, point, folder, options);
    return noticed === 'silent' ? 'silent' : 'noticed';
  } catch (error) {
    tally.fault('amiss', `${where}: ${storyOf(error)}`);
    return 'noticed';
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function backendOf(entries: Entries): Promise<Backend> {
  const backend = memoryBackend();
  for (const [key, bytes] of entries) await backend.put(key, [bytes]);
  return backend;
}

/** Opens and verifies: the damage must be told, with the key of the entry. */
async function notice(
  site: Site,
  { target, where }: Point,
  { tally }: RowOptions,
): Promise<'silent' | 'noticed' | 'refused'> {
  let repository: Repository;
  try {
    repository = await openSite(site);
  } catch (error) {
    if (!isMbkError(error) || ![10, 12, 20].includes(error.exitCode)) throw error;
    if (!isLogEntry(target?.kind ?? ''))
      tally.fault('lost', `${where}: the repository cannot be opened: ${storyOf(error)}`);
    return 'refused';
  }
  try {
    const { findings } = await verifyRepository(repository, { revisions: [], data: false });
    if (target === undefined) return findings.length === 0 ? 'silent' : 'noticed';
    const bad = findings.filter(({ severity }) => severity !== 'note');
    if (bad.length === 0) tally.fault('amiss', `${where}: unnoticed`);
    else if (bad.every(({ key }) => key !== target.key)) {
      tally.fault(
        'amiss',
        `${where}: ${target.key} is not named: ${bad
          .map(({ message }) => message)
          .join('; ')
          .slice(0, 300)}`,
      );
    }
    return 'noticed';
  } finally {
    await repository.close();
  }
}

/** Paths of each commit that were not restored; `*` for a commit that could not be had at all. */
type Losses = ReadonlyMap<string, ReadonlySet<string>>;

/** Restores every snapshot; what is there must be right, and what is not must have been told. */
async function restore(site: Site, { lab, where }: Point, scratch: string, { tally }: RowOptions): Promise<Losses> {
  const losses = new Map<string, ReadonlySet<string>>();
  let repository: Repository | undefined;
  try {
    repository = await openSite(site);
  } catch (error) {
    if (!isMbkError(error)) throw error;
    return new Map([...lab.ledger.keys()].map((commit) => [commit, new Set(['*'])]));
  }
  try {
    for (const [commit, expected] of lab.ledger) {
      const folder = newFolder(scratch, 'snapshot');
      let report: CheckoutReport | undefined;
      try {
        report = await executeCheckout(repository, {
          revision: commit,
          paths: [],
          target: Buffer.from(folder).toString('latin1'),
          owners: false,
        });
      } catch (error) {
        if (!isMbkError(error) || !(error.exitCode === 20 || error.code === 'revision-unknown')) throw error;
      }
      const found = describeFolder(folder);
      for (const wrong of wrongOf(expected, found)) tally.fault('wrong', `${where}: ${commit.slice(0, 12)}: ${wrong}`);
      const missing = [...expected.keys()].filter((path) => !found.has(path));
      if (report === undefined) losses.set(commit, new Set(['*']));
      else if (missing.length > 0) {
        if (report.damaged === 0)
          tally.fault('lost', `${where}: ${commit.slice(0, 12)}: nothing was told of ${missing.join(', ')}`);
        losses.set(commit, new Set(missing));
      }
      fs.rmSync(folder, { recursive: true, force: true });
    }
  } finally {
    await repository.close();
  }
  return losses;
}

/** What stands in a restored folder and is not what was taken. */
function wrongOf(expected: Description, found: Description): string[] {
  const wrong: string[] = [];
  for (const [path, { text }] of found) {
    const was = expected.get(path)?.text;
    // The first name of a hard-linked file may be the one that is missing.
    if (was === undefined) wrong.push(`${path} is there and was not`);
    else if (withoutTwin(text) !== withoutTwin(was)) wrong.push(`${path} is ${text} and was ${was}`);
  }
  return wrong;
}

function withoutTwin(text: string): string {
  return text.replace(/, the same as .*$/, '');
}

/** Only what depends on the entry may be lost. */
function tellLosses(losses: Losses, { target, needs, lab, where }: Point, { tally }: RowOptions): void {
  for (const [commit, paths] of losses) {
    const allowance = target?.allowance ?? 'nothing';
    if (allowance === 'until-repaired') continue;
    if (allowance === 'its-snapshots' && target?.commits.includes(commit) === true) continue;
    const dependents = allowance === 'dependents' ? needs.dependentsOf(target?.key ?? '', commit) : new Set<string>();
    const isAll = dependents.has('*');
    const expected = lab.ledger.get(commit)?.size ?? 0;
    const undue = isAll
      ? []
      : [...paths].filter((path) => ![...dependents].some((one) => path === one || path.startsWith(`${one}/`)));
    if (undue.length > 0)
      tally.fault(
        'lost',
        `${where}: ${commit.slice(0, 12)}: ${undue.slice(0, 5).join(', ')} (${undue.length} of ${expected})`,
      );
  }
}

/** Repairs what can be repaired, and then all must be well for everybody. */
async function repair(site: Site, point: Point, folder: string, options: RowOptions): Promise<void> {
  const { target, lab, where } = point;
  const { tally } = options;
  const isLog = isLogEntry(target?.kind ?? '');
  if (target?.allowance !== 'until-repaired' && !isLog) return;
  // The log is mended by a host that has copies, the index by one without.
  const host = join(folder, 'repairer');
  if (isLog) fs.cpSync(lab.site.host, host, { recursive: true });
  let repository: Repository;
  try {
    repository = await openSite({ ...site, host });
  } catch (error) {
    if (!isMbkError(error, 'log-rolled-back')) throw error;
    return; // whether a history that was cut is the right one is for people to say
  }
  try {
    if (isLog) {
      const repairs = logRepairOptions(repository);
      await executeLogRepair(await planLogRepair(repairs), repairs);
    } else await executeIndexRepair(repository, await planIndexRepair(repository));
  } finally {
    await repository.close();
  }
  const judge: Site = { ...site, host: join(folder, 'judge') };
  const judging = await openSite(judge);
  const { findings } = await verifyRepository(judging, { revisions: [], data: false });
  await judging.close();
  for (const { severity, message } of findings)
    if (severity === 'error') tally.fault('amiss', `${where}: after the repair: ${message}`);
  const losses = await restore(judge, { ...point, where: `${where}, repaired` }, join(folder, 'again'), options);
  for (const [commit, paths] of losses)
    tally.fault('lost', `${where}: after the repair: ${commit.slice(0, 12)}: ${[...paths].slice(0, 5).join(', ')}`);
}
