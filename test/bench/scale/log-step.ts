/**
 * `mbk log` over 10,000 snapshots: ten domains that are backed up every hour for six weeks. They are taken through the
 * library, a thousand runs; as many commands would take hours.
 */

import {
  assetPlugins,
  initRepository,
  keyFileText,
  localBackend,
  openRepository,
  snapshot,
  type SnapshotRequest,
} from '@mbk/core';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from '../contenders/contender.ts';
import type { Row, RowSteps } from '../run-rows.ts';
import type { ScalePlace, ScaleStep } from './steps.ts';

const fullRuns = 1000;
const domains = Array.from({ length: 10 }, (_, number) => `lab-${number}`);
const hourMs = 3_600_000;

/** At a share of the runs. */
export function logStep(scale: number): ScaleStep {
  const runs = Math.max(1, Math.round(fullRuns * scale));
  const title = `mbk log over ${(runs * domains.length).toLocaleString('en-US')} snapshots, with a key file`;
  const row: Row<ScalePlace> = {
    id: 'log-10k',
    title,
    conditions: `cache warm from a run before; ${domains.length} domains in each of ${runs} runs`,
    repeats: 5,
    canRun: ({ listWithKeyFile }) => listWithKeyFile !== undefined,
    measureSource: () => ({ files: 0, bytes: 0 }),
    prepare: (place, contender) => prepareLog(place, contender, runs),
  };
  return {
    id: row.id,
    title,
    contenderBytes: 1e9 * scale,
    sourceBytes: 1e6,
    rows: [row],
    makeSource: (folder) => writeCounters(folder, 0),
  };
}

async function prepareLog({ lab, source }: ScalePlace, contender: Contender, runs: number): Promise<RowSteps> {
  const { listWithKeyFile } = contender;
  if (listWithKeyFile === undefined) throw new TypeError('expected a contender with key files');
  const site = await lab.freshSite(contender, 'log');
  const repository = join(site.folder, 'long-repository');
  const key = new Uint8Array(randomBytes(32));
  writeFileSync(join(site.folder, 'key-file'), keyFileText(key), { mode: 0o600 });
  const folders = { source, state: join(site.folder, 'state'), cache: join(site.cache, 'mbk') };
  await takeSnapshots(repository, { ...folders, key, runs });
  const list = listWithKeyFile.list({ ...site, repository });
  await lab.run(list);
  return { command: () => list, end: () => lab.removeSite(site) };
}

/** A run each hour, the last of them an hour ago; each changes one file of each domain. */
async function takeSnapshots(
  folder: string,
  {
    cache,
    key,
    runs,
    source,
    state,
  }: {
    readonly key: Uint8Array;
    readonly runs: number;
    readonly source: string;
    readonly state: string;
    readonly cache: string;
  },
): Promise<void> {
  const backend = localBackend(folder);
  const secret = { kind: 'key-file', key } as const;
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  const tool = 'mbk bench';
  await initRepository({ backend, secret, name: 'bench', recovery: false, timezone: 'UTC', random, tool });
  const startedAt = Date.now() - (runs + 1) * hourMs;
  let taken = 0;
  const now = (): number => startedAt + taken * hourMs;
  const options = { backend, secret, cacheFolder: cache, stateFolder: state, now, random, tool };
  const repository = await openRepository(options);
  try {
    for (; taken < runs; taken += 1) {
      writeCounters(source, taken);
      await snapshot(repository, requestFor(source, `hour ${taken}`));
    }
  } finally {
    await repository.close();
  }
}

function writeCounters(folder: string, count: number): void {
  for (const domain of domains) {
    mkdirSync(join(folder, domain), { recursive: true });
    writeFileSync(join(folder, domain, 'counter.txt'), `${count}\n`);
  }
}

function requestFor(source: string, message: string): SnapshotRequest {
  const collection = 'data/counter';
  return {
    root: Buffer.from(source).toString('latin1'),
    rootText: source,
    assign: (path) => ({ domain: path.split('/')[0] ?? '', collection }),
    wants: () => true,
    emptyFolders: { domain: domains[0] ?? '', collection },
    isWholeSource: true,
    retentionOf: () => null,
    plugins: assetPlugins([]),
    message,
    plan: null,
    host: 'bench',
    git: null,
  };
}
