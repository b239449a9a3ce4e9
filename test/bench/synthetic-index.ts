/**
 * What an index of 10 million blobs costs: real sealed segments of made-up rows in a local backend, then, each in a
 * process of its own, the first opening, another one, lookups, and a merge.
 *
 * `node --conditions=@mbk/source test/bench/synthetic-index.ts [--blobs N] [--folder F] [--json]`. It needs about
 * 1.2 GB in the folder, which it removes.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { localBackend } from '@mbk/core';
import type { Keys } from '../../packages/core/src/crypto/keyset.ts';
import { toHex, viewOf } from '../../packages/core/src/format/bytes.ts';
import { asBlobId, type BlobId } from '../../packages/core/src/format/ids.ts';
import { buildSegment } from '../../packages/core/src/pack/build-segment.ts';
import { chooseMerge } from '../../packages/core/src/pack/choose-merge.ts';
import { entryCache } from '../../packages/core/src/pack/entry-cache.ts';
import { indexSet, type IndexSet, type SegmentInfo } from '../../packages/core/src/pack/index-set.ts';
import { testKeys } from '../../packages/core/test/pack/test-keys.ts';
import { largeBlobs, madeUpWord, syntheticSegment, writeId } from './synthetic-segment.ts';

/** Of one step, in a process of its own. */
export interface SyntheticIndexStep {
  readonly step: string;
  readonly seconds: number;
  /** Most memory that the process had, in MiB. */
  readonly peakMiB: number;
  readonly note: string;
}

const keys: Keys = testKeys();
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const steps = ['make', 'first opening', 'opening', 'known', 'unknown', 'small', 'merge'] as const;
type Step = (typeof steps)[number];

const lookups = 100_000;
const smallSegments = 13;
const smallBlobs = 20_000;

interface Place {
  readonly folder: string;
  readonly blobs: number;
}

const listOf = ({ folder }: Place): string => join(folder, 'segments.json');
const readList = (place: Place): SegmentInfo[] => JSON.parse(readFileSync(listOf(place), 'utf8')) as SegmentInfo[];
const backendOf = ({ folder }: Place) => localBackend(join(folder, 'repository'));

async function openIndex(place: Place): Promise<IndexSet> {
  const index = indexSet({
    backend: backendOf(place),
    keys,
    cache: entryCache(join(place.folder, 'cache'), { random }),
  });
  await index.setLive(readList(place));
  return index;
}

async function addSegments(place: Place, first: number, count: number, blobs: number): Promise<void> {
  const live = first === 0 ? [] : readList(place);
  for (let segment = first; segment < first + count; segment += 1) {
    const { info, key, parts } = syntheticSegment(segment, { blobs, keys, random });
    await backendOf(place).put(key, parts);
    live.push(info);
  }
  writeFileSync(listOf(place), JSON.stringify(live));
}

/** Ids that are there, or are not, in no order. */
function* idsOf(place: Place, areKnown: boolean): Generator<BlobId> {
  const id = new Uint8Array(32);
  const segments = Math.max(1, Math.round(place.blobs / largeBlobs));
  const count = Math.round(place.blobs / segments);
  for (let at = 0; at < lookups; at += 1) {
    writeId(id, at % segments, madeUpWord(77, at, 0) % count, count);
    if (!areKnown) id[31] = (id[31] ?? 0) ^ 1;
    if (!areKnown) viewOf(id).setUint32(0, madeUpWord(78, at, 1));
    yield asBlobId(toHex(id));
  }
}

/** Runs one step; what it says of itself. The time is of the step without what it needs to begin. */
async function runStep(step: Step, place: Place): Promise<{ seconds: number; note: string }> {
  const segments = Math.max(1, Math.round(place.blobs / largeBlobs));
  let start = performance.now();
  const done = (note: string): { seconds: number; note: string } => ({
    seconds: (performance.now() - start) / 1000,
    note,
  });
  switch (step) {
    case 'make':
      mkdirSync(join(place.folder, 'repository'), { recursive: true });
      await addSegments(place, 0, segments, Math.round(place.blobs / segments));
      return done(`${segments} segments, ${sum(readList(place)).toFixed(0)} MiB`);
    case 'first opening':
    case 'opening': {
      const index = await openIndex(place);
      return done(`${index.segments.length} segments`);
    }
    case 'known':
    case 'unknown': {
      const index = await openIndex(place);
      const ids = [...idsOf(place, step === 'known')];
      start = performance.now();
      let found = 0;
      for (const id of ids) if (index.find('data', id, () => true) !== undefined) found += 1;
      return done(
        `${found} of ${lookups} found, ${(((performance.now() - start) * 1000) / lookups).toFixed(1)} µs each`,
      );
    }
    case 'small':
      await addSegments(place, 1000, smallSegments, smallBlobs);
      return done(`${smallSegments} segments of ${smallBlobs} blobs`);
    case 'merge': {
      const index = await openIndex(place);
      const chosen = new Set(chooseMerge(readList(place)).map(({ id }) => id));
      const sources = index.segments.filter(({ id }) => chosen.has(id));
      const built = buildSegment(sources, { keys, keyset: keys.shared, random });
      await backendOf(place).put(built.key, built.parts);
      index.addSegment(built);
      return done(`${sources.length} segments to one of ${built.blobs} blobs`);
    }
  }
}

function sum(segments: readonly SegmentInfo[]): number {
  return segments.reduce((bytes, segment) => bytes + segment.bytes, 0) / 2 ** 20;
}

/** All steps, each in a process of its own. */
export async function syntheticIndex(blobs: number, parent: string): Promise<SyntheticIndexStep[]> {
  const folder = mkdtempSync(join(parent, 'mbk-index-'));
  const results: SyntheticIndexStep[] = [];
  try {
    for (const step of steps) results.push(await inProcess(step, { folder, blobs }));
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inProcess(step: Step, place: Place): Promise<SyntheticIndexStep> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [], {
      env: { ...process.env, MBK_SYNTHETIC_STEP: JSON.stringify({ step, place }) },
      execArgv: ['--conditions=@mbk/source'],
    });
    child.once('message', (result) => resolve(result as SyntheticIndexStep));
    child.once('exit', (code) => reject(new Error(`step ${step} ended with ${code}`)));
  });
}

async function main(): Promise<void> {
  const asked = process.env['MBK_SYNTHETIC_STEP'];
  if (asked !== undefined) {
    const { step, place } = JSON.parse(asked) as { step: Step; place: Place };
    const result = await runStep(step, place);
    process.send?.({ step, ...result, peakMiB: process.resourceUsage().maxRSS / 1024 });
    return;
  }
  const { values } = parseArgs({
    options: {
      blobs: { type: 'string', default: '10000000' },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'boolean', default: false },
    },
  });
  const results = await syntheticIndex(Number(values.blobs), values.folder);
  if (values.json) console.log(JSON.stringify(results, undefined, 2));
  else
    for (const { step, seconds, peakMiB, note } of results)
      console.log(
        `${step.padEnd(14)} ${seconds.toFixed(2).padStart(8)} s ${peakMiB.toFixed(0).padStart(6)} MiB  ${note}`,
      );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
