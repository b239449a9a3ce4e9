/** Repositories right before an operation: what crash points, power cuts and failing writes start from. */
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../protocol/random.ts';
import { describeFolder, differenceOf, partOf, type Description } from './describe-folder.ts';
import type { Examined, Ledger } from './examine.ts';
import type { RowOptions } from './row.ts';
import { openSite, operations, type OperationName, type Site } from './site.ts';
import { changeSource, domains, makeSource } from './source.ts';

export interface Stage {
  readonly name: StageName;
  readonly operation: OperationName;
  readonly site: Site;
  readonly ledger: Ledger;
  /** The source as the operation finds it. */
  readonly current: Description;
}

/** Files that changed longer ago are not read again (`packages/core/src/snapshot/stat-cache.ts`): reuse is tried too. */
const settledMs = 2100;
/** The entry after this many carries the folded state (docs/format.md, State). */
const entriesBeforeState = 255;

interface Plan {
  readonly operation: OperationName;
  /** Brings the repository to where the operation begins; the source of healthcare is there. */
  readonly prepare: (site: Site, ledger: Ledger, random: Random) => Promise<void>;
}

const plans = {
  init: { operation: 'init', prepare: async () => {} },
  'first snapshot': { operation: 'snapshot', prepare: (site) => operations.init(site) },
  'next snapshot': {
    operation: 'snapshot',
    async prepare(site, ledger, random) {
      await begin(site, ledger);
      changeSource(site.source, random, [domains[0]]);
    },
  },
  'three domains': {
    operation: 'snapshot',
    async prepare(site, ledger, random) {
      await begin(site, ledger);
      makeSource(site.source, random, domains.slice(1));
      changeSource(site.source, random);
    },
  },
  tag: { operation: 'tag', prepare: begin },
  untag: {
    operation: 'untag',
    async prepare(site, ledger) {
      await begin(site, ledger);
      await operations.tag(site);
    },
  },
  'key add': { operation: 'key add', prepare: begin },
  'key remove': {
    operation: 'key remove',
    async prepare(site, ledger) {
      await begin(site, ledger);
      await operations['key add'](site);
    },
  },
  'entry with state': {
    operation: 'tag',
    async prepare(site, ledger) {
      await begin(site, ledger);
      await fillLog(site);
    },
  },
} as const satisfies Record<string, Plan>;

export type StageName = keyof typeof plans;

/** Where only a small share of the points is tried, these. */
const fewStages: readonly StageName[] = ['init', 'next snapshot', 'tag', 'key remove'];
const smallShare = 0.05;

/** Prepares the stages on the storage and folders that `siteOf` gives them. */
export async function prepareStages(
  siteOf: (name: StageName) => Site,
  { random, share }: Pick<RowOptions, 'random' | 'share'>,
): Promise<readonly Stage[]> {
  const names = share < smallShare ? fewStages : (Object.keys(plans) as readonly StageName[]);
  const sites = names.map((name) => ({ name, site: siteOf(name), ledger: new Map() as Ledger }));
  for (const { site } of sites) {
    fs.mkdirSync(site.source, { recursive: true });
    makeSource(site.source, random, [domains[0]]);
  }
  await pause(settledMs);
  const stages: Stage[] = [];
  for (const { name, site, ledger } of sites) {
    const { operation, prepare }: Plan = plans[name];
    await prepare(site, ledger, random);
    stages.push({ name, operation, site, ledger, current: describeFolder(site.source) });
  }
  return stages;
}

/** What the operation of a stage should have brought about and did not; undefined if all is there. */
export function missingEffect({ operation, current }: Stage, examined: Examined, ledger: Ledger): string | undefined {
  const { heads, tags, actors } = examined;
  switch (operation) {
    case 'init':
      return undefined;
    case 'snapshot': {
      const wanted = new Set([...current.keys()].map((path) => path.split('/')[0] ?? ''));
      const behind = [...wanted].find((domain) => {
        const head = ledger.get(heads.get(domain) ?? '');
        return head === undefined || differenceOf(partOf(current, domain), head) !== undefined;
      });
      return behind === undefined ? undefined : `the head of ${behind} is not the source`;
    }
    case 'tag':
      return tags.has('healthcare/kept') ? undefined : 'the tag is not there';
    case 'untag':
      return tags.has('healthcare/kept') ? 'the tag is still there' : undefined;
    case 'key add':
      return actors.has('second') ? undefined : 'the key is not there';
    case 'key remove':
      return actors.has('second') ? 'the key is still there' : undefined;
  }
}

/** Takes a snapshot and enters it in the ledger. */
async function takeSnapshot(site: Site, ledger: Ledger): Promise<void> {
  const current = describeFolder(site.source);
  await operations.snapshot(site);
  const repository = await openSite(site);
  for (const { domain, to } of repository.log.fold.heads.values()) {
    if (!ledger.has(to)) ledger.set(to, partOf(current, domain));
  }
  await repository.close();
}

async function begin(site: Site, ledger: Ledger): Promise<void> {
  await operations.init(site);
  await takeSnapshot(site, ledger);
}

async function fillLog(site: Site): Promise<void> {
  const repository = await openSite(site);
  while (repository.log.n < entriesBeforeState) {
    await repository.log.append(({ at }) => ({ ops: [{ op: 'clock', at }] }));
  }
  await repository.close();
}
