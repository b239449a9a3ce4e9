/**
 * A storage that shows another history than a host has seen, or than it was told to expect: nothing is read from it as
 * if it were the newest state, and nothing is written to it.
 */
import { isMbkError, localBackend, type LogPlace } from '@mbk/core';
import fs from 'node:fs';
import { join } from 'node:path';
import { commandLab, type CommandLab } from './command-lab.ts';
import type { RowOptions } from './row.ts';
import { openSite, operations, type Site } from './site.ts';
import { changeSource } from './source.ts';
import { storyOf, type Tally } from './tally.ts';

/** Log entries, so that the chain is followed through a state; where only a part is tried, not so far. */
const longLog = 300;
const shortLog = 20;

interface Scene {
  readonly lab: CommandLab;
  readonly project: string;
  /** The repository as it was earlier, as it was later, and as it went on another way from the earlier state. */
  readonly earlier: string;
  readonly later: string;
  readonly fork: string;
  readonly longFork: string;
  readonly earlierPlace: LogPlace;
  readonly laterPlace: LogPlace;
}

/** What a storage shows instead of the later state. */
const tricks: Readonly<Record<string, (scene: Scene, folder: string) => void>> = {
  'the earlier state': ({ earlier }, folder) => replace(earlier, folder),
  'the last entry deleted': ({ later }, folder) => {
    replace(later, folder);
    fs.rmSync(newestEntry(folder));
  },
  'the last two entries deleted': ({ later }, folder) => {
    replace(later, folder);
    fs.rmSync(newestEntry(folder));
    fs.rmSync(newestEntry(folder));
  },
  'the whole log deleted': ({ later }, folder) => {
    replace(later, folder);
    fs.rmSync(join(folder, 'log'), { recursive: true });
  },
  'another history of the same length': ({ fork }, folder) => replace(fork, folder),
  'another, longer history': ({ longFork }, folder) => replace(longFork, folder),
  'the last entry replaced by the one of another history': ({ later, fork }, folder) => {
    replace(later, folder);
    const own = newestEntry(folder);
    const other = newestEntry(fork);
    fs.rmSync(own);
    fs.copyFileSync(other, own);
  },
};

export async function rolledBack(options: RowOptions): Promise<void> {
  const { folder, tally, progress } = options;
  progress('preparing');
  const length = options.share === 1 ? longLog : shortLog;
  const scene = await makeScene(length, options);
  const shown = join(folder, 'repository');
  const veteran = join(folder, 'veteran');
  for (const [name, trick] of Object.entries(tricks)) {
    progress(name);
    trick(scene, shown);
    await tryTrick(scene, { name, shown, veteran, folder, tally });
  }
  progress('a damaged head');
  await tryDamagedHead(scene, { shown, veteran, folder, tally });
  replace(scene.later, shown);
  await tryTruth(scene, length, { shown, veteran, folder, tally });
}

async function makeScene(length: number, { folder, random }: RowOptions): Promise<Scene> {
  const lab = await commandLab(folder);
  const project = lab.makeProject('project', random, ['healthcare']);
  const shown = lab.repository;
  const site = (host: string): Site => ({ backend: localBackend(shown), host: join(folder, host), source: project });
  const keep = async (name: string): Promise<string> => {
    const copy = join(folder, `kept-${name}`);
    fs.cpSync(shown, copy, { recursive: true });
    return copy;
  };
  const snapshotBy = async (host: string): Promise<LogPlace> => {
    changeSource(project, random, ['healthcare']);
    await operations.snapshot(site(host));
    return placeOf(site(host));
  };
  await snapshotBy('first');
  const earlierPlace = await snapshotBy('first');
  const earlier = await keep('earlier');
  await snapshotBy('veteran');
  const laterPlace = await snapshotBy('veteran');
  const later = await keep('later');
  replace(earlier, shown);
  await snapshotBy('forger');
  await snapshotBy('forger');
  const fork = await keep('fork');
  await lengthen(site('forger'), length);
  const longFork = await keep('long-fork');
  return { lab, project, earlier, later, fork, longFork, earlierPlace, laterPlace };
}

interface Trial {
  readonly name: string;
  readonly shown: string;
  readonly veteran: string;
  readonly folder: string;
  readonly tally: Tally;
}

/** Hosts that know better: by memory, by the command, by the place they were told. */
async function tryTrick(scene: Scene, { name, shown, veteran, folder, tally }: Trial): Promise<void> {
  const backend = localBackend(shown);
  const before = fs.readdirSync(shown, { recursive: true }).length;
  const expectRefusal = async (who: string, work: () => Promise<unknown>): Promise<void> => {
    tally.point();
    try {
      await work();
      tally.fault('wrong', `${name}: ${who} took it for the truth`);
    } catch (error) {
      if (!isMbkError(error, 'log-rolled-back'))
        tally.fault('amiss', `${name}: ${who}: expected log-rolled-back, got ${storyOf(error)}`);
    }
  };
  await expectRefusal('a host that has seen more', async () =>
    (await openSite({ backend, host: copyOf(veteran, folder) })).close(),
  );
  await expectRefusal('a writer that has seen more', () =>
    operations.snapshot({ backend, host: copyOf(veteran, folder), source: scene.project }),
  );
  if (name !== 'the whole log deleted') {
    const stranger = join(folder, `stranger-${tally.points}`);
    await expectRefusal('a stranger who expects a place', async () =>
      (await openSite({ backend, host: stranger }, scene.laterPlace)).close(),
    );
  }
  if (fs.readdirSync(shown, { recursive: true }).length !== before)
    tally.fault('amiss', `${name}: something was written`);

  tally.point();
  const ended = await scene.lab.mbk(['log'], { project: scene.project, host: 'veteran' });
  if (ended.isHung) tally.fault('hung', `${name}: mbk log`);
  else if (ended.code !== 20)
    tally.fault('amiss', `${name}: mbk log ended with ${ended.code}: ${ended.stderr.slice(0, 400)}`);
}

/** Whoever overwrites the newest entry hides it, and everyone is told: it is read around, and nothing is appended. */
async function tryDamagedHead(scene: Scene, { shown, veteran, folder, tally }: Omit<Trial, 'name'>): Promise<void> {
  replace(scene.later, shown);
  const newest = newestEntry(shown);
  fs.rmSync(newest);
  fs.copyFileSync(newestEntry(shown), newest);
  const backend = localBackend(shown);
  for (const host of [copyOf(veteran, folder), join(folder, 'stranger-of-damage')]) {
    tally.point();
    const repository = await openSite({ backend, host });
    if (!repository.notices.some((text) => text.includes(`log entry ${scene.laterPlace.n} is damaged`))) {
      tally.fault('wrong', `a damaged head was not told: ${repository.notices.join('; ')}`);
    }
    await repository.close();
    tally.point();
    try {
      await operations.snapshot({ backend, host, source: scene.project });
      tally.fault('amiss', 'a writer went on behind a damaged head');
    } catch (error) {
      if (!isMbkError(error, 'log-damaged'))
        tally.fault('amiss', `a damaged head: expected log-damaged, got ${storyOf(error)}`);
    }
  }
}

/** The same hosts on the sound storage: they do not cry wolf. */
async function tryTruth(
  scene: Scene,
  length: number,
  { shown, veteran, folder, tally }: Omit<Trial, 'name'>,
): Promise<void> {
  const backend = localBackend(shown);
  const hosts = {
    'a host that has seen it': veteran,
    'a host that has seen less': join(folder, 'first'),
    'a stranger': join(folder, 'new'),
  };
  for (const [who, host] of Object.entries(hosts)) {
    for (const place of [undefined, scene.earlierPlace, scene.laterPlace]) {
      tally.point();
      try {
        await (await openSite({ backend, host }, place)).close();
      } catch (error) {
        tally.fault('amiss', `the sound storage: ${who}: ${storyOf(error)}`);
      }
    }
  }
  // And from far behind, through the state that folds the entries in between.
  await lengthen({ backend, host: veteran, source: scene.project }, length);
  const behind = { backend, host: join(folder, 'first') };
  tally.point();
  try {
    await (await openSite(behind, scene.earlierPlace)).close();
  } catch (error) {
    tally.fault('amiss', `the sound storage, ${length} entries on: ${storyOf(error)}`);
  }
}

async function placeOf(site: Site): Promise<LogPlace> {
  const repository = await openSite(site);
  const { n, hash } = repository.log;
  await repository.close();
  return { n, hash };
}

async function lengthen(site: Site, length: number): Promise<void> {
  const repository = await openSite(site);
  while (repository.log.n < length) await repository.log.append(({ at }) => ({ ops: [{ op: 'clock', at }] }));
  await repository.close();
}

/** Makes `folder` a copy of `from`. */
function replace(from: string, folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(from, folder, { recursive: true });
}

/** A copy of a host, so that one trial teaches it nothing for the next. */
function copyOf(host: string, folder: string): string {
  const copy = fs.mkdtempSync(join(folder, 'veteran-'));
  fs.cpSync(host, copy, { recursive: true });
  return copy;
}

/** File of the newest log entry: the first by name. */
function newestEntry(folder: string): string {
  const log = join(folder, 'log');
  const [repository = ''] = fs.readdirSync(log);
  const [newest = ''] = fs.readdirSync(join(log, repository)).sort();
  return join(log, repository, newest);
}
